import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runOrThrow } from '../../../test/helpers/command.ts'
import { checkOutRepository, resolveRevision } from './git-repository.ts'

const root = mkdtempSync('/tmp/b-git-')
after(() => rmSync(root, { recursive: true }))

/** Serves the files of a repository, which is all that git's dumb HTTP protocol needs. */
async function serve(directory: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer(({ url = '/' }, response) => {
    try {
      response.end(readFileSync(join(directory, new URL(url, 'http://x').pathname)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('checkOutRepository() moves .git to the trash, unless keepGitDir is set', async () => {
  const [work, bare, checkout] = ['work', 'bare.git', 'checkout'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org']
  await runOrThrow('git', ['init', '-q', '-b', 'main', work])
  writeFileSync(join(work, 'file'), 'content')
  await runOrThrow('git', ['-C', work, 'add', '.'])
  await runOrThrow('git', ['-C', work, ...identity, 'commit', '-qm', 'x'])
  await runOrThrow('git', ['clone', '-q', '--bare', work, bare])
  await runOrThrow('git', ['-C', bare, 'update-server-info'])
  await using server = await serve(root)
  const source = { kind: 'git', remote: `${server.url}/bare.git` } as const
  const commit = await resolveRevision(source.remote, undefined)
  const trash = { discard: (path: string) => renameSync(path, join(root, 'discarded')) }

  await checkOutRepository(source, commit, checkout, { trash })
  assert.deepEqual(readdirSync(checkout), ['file'])
  assert.ok(readdirSync(join(root, 'discarded')).includes('HEAD'), 'the trash has .git')

  await checkOutRepository(source, commit, `${checkout}-2`, { trash, keepGitDir: true })
  assert.deepEqual(readdirSync(`${checkout}-2`).sort(), ['.git', 'file'])
})
