/** The engine inside another program: the program of docs/embedding.md, as it stands there. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../helpers/command.ts'
import { cgroupName, mountsBelow, networkTag } from '../helpers/daemon.ts'

const project = join(import.meta.dirname, '../..')

async function withProgram(
  change: (text: string) => string,
  use: (run: () => ReturnType<typeof runCommand>, root: string) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync('/tmp/b-')
  // In the project, whose package it imports by name.
  const path = join(project, `embedding-${process.pid}.mjs`)
  const [, program = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(project, 'docs/embedding.md'), 'utf8')) ?? []
  writeFileSync(path, change(program))
  try {
    await use(() => runCommand(join(project, 'bin/node'), ['--disable-warning=ExperimentalWarning', path, root]), root)
  } finally {
    rmSync(path, { force: true })
    rmSync(root, { recursive: true, force: true })
  }
}

test('runs a container and leaves nothing behind', async () => {
  await withProgram(
    (text) => text,
    async (run, root) => {
      const { code, stdout, stderr } = await run()
      assert.equal(code, 0, stderr)
      assert.match(stdout, /ended with 0\n$/)
      assert.match(stdout, /created container [0-9a-f]{12}/)
      assert.deepEqual(mountsBelow(root), [])
      assert.ok(!existsSync(join(root, 'api.sock')))
      const data = join(root, 'data')
      assert.ok(!existsSync(`/sys/fs/cgroup/${cgroupName(data)}`) && !existsSync(`/sys/fs/cgroup/pids/${cgroupName(data)}`)) // biome-ignore format: one condition
      const { stdout: tables } = await runCommand('nft', ['list', 'tables'])
      assert.ok(!tables.includes(networkTag(data)), tables)
    },
  )
})

test('a wrong setting is named', async () => {
  await withProgram(
    (text) => text.replace('hosts: [address]', "hosts: [address], 'no-such-key': 1"),
    async (run) => {
      const { code, stderr } = await run()
      assert.equal(code, 1)
      assert.match(stderr, /no-such-key/)
    },
  )
})
