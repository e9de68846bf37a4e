/** Dockerfiles as users write them (test/fixtures/builds): they build, and the resulting programs run. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeNodeArchive } from '../../helpers/images/node-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let work: string

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  work = mkdtempSync('/tmp/b-real-')
  cpSync(join(import.meta.dirname, '../../fixtures/builds'), work, { recursive: true })
  const files = join(work, 'every-instruction/files')
  execFileSync('tar', ['-C', files, '-cf', join(files, 'archive.tar'), 'one'])
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(work, { recursive: true, force: true })
})

/** Runs `berth build`, which must succeed; returns its output. */
async function build(directory: string, tag: string, options: readonly string[] = []): Promise<string> {
  const args = ['build', '--progress', 'plain', '-t', tag, ...options, join(work, directory)]
  const { code, stdout, stderr } = await daemon.berth(args)
  assert.equal(code, 0, stderr)
  return stdout + stderr
}

describe('real programs', () => {
  test('every instruction', async () => {
    await build('every-instruction', 'every')
    assert.equal(await daemon.ok(['run', '--rm', 'every']), 'hello world')
    const looked = await daemon.ok([
      ...['run', '--rm', '-u', '0', '--entrypoint', 'sh', 'every', '-c'],
      'cat level script from-bind unpacked/one added /tool-was-here; stat -c %u:%g added; ls all; stat -c %a /opt/bin/tool',
    ])
    const lines = ['level 1', 'script /dev/pipes/EOT', 'one', 'one', 'one', 'made by the tool', '5:6']
    assert.equal(looked, [...lines, 'archive.tar', 'one', 'tool', '755'].join('\n'))
    const config = JSON.parse(await daemon.ok(['image', 'inspect', '-f', '{{json .Config}}', 'every'])) as {
      readonly OnBuild?: readonly string[]
      readonly Labels: Readonly<Record<string, string>>
    }
    assert.equal(config.Labels['org.example.level'], 'two words')
    assert.equal(config.OnBuild?.length, 1)
  })

  test('a static site that serves its pages', async () => {
    await build('static-site', 'site')
    const id = await daemon.ok(['run', '-d', 'site'])
    const fetch = () => daemon.docker(['exec', id, 'wget', '-q', '-O', '-', 'http://127.0.0.1:8080/index.html'])
    await until(async () => (await fetch()).stdout.includes('The first page'), { what: 'the page' })
    const health = () => daemon.ok(['inspect', '-f', '{{.State.Health.Status}}', id])
    await until(async () => (await health()) === 'healthy', { what: 'the site to be healthy' })
    await daemon.ok(['rm', '-f', id])
  })

  test('a framework whose image builds its child images with ONBUILD', async () => {
    await build('onbuild/parent', 'framework:1')
    await build('onbuild/child', 'child')
    assert.equal(await daemon.ok(['run', '--rm', 'child']), 'the child runs')
    writeFileSync(join(work, 'onbuild/child/broken.sh'), 'if\n')
    const { code, stderr } = await daemon.berth(['build', join(work, 'onbuild/child')])
    assert.notEqual(code, 0)
    assert.match(stderr, /sh -n/)
    rmSync(join(work, 'onbuild/child/broken.sh'))
  })

  test('a web application of several stages, tested during the build', async () => {
    const archive = join(work, 'node.tar')
    await writeNodeArchive(archive, 'node:22')
    await daemon.ok(['load', '-q', '-i', archive])
    rmSync(archive)
    const first = await build('node-web', 'web')
    assert.match(first, /pass 1/)
    const id = await daemon.ok(['run', '-d', 'web'])
    const ask = (path: string) => daemon.docker(['exec', id, 'wget', '-q', '-O', '-', `http://127.0.0.1:3000${path}`])
    await until(async () => (await ask('/health')).code === 0, { what: 'the server' })
    assert.equal((await ask('/?name=you')).stdout, 'Hello, you!\n')
    assert.equal((await ask('/version')).stdout, '1.0.0\n')
    await daemon.ok(['rm', '-f', id])
    // A changed source does not rebuild the dependencies.
    writeFileSync(join(work, 'node-web/src/extra.mjs'), 'export {}\n')
    const second = await build('node-web', 'web', ['--explain'])
    assert.match(second, /src\/extra\.mjs is new/)
    assert.match(second, /\[dependencies 4\/4\][^\n]*\n#\d+ CACHED/)
  })
})

test('equal sources give equal digests with SOURCE_DATE_EPOCH and rewrite-timestamp', async () => {
  const args = [
    '--build-arg',
    'SOURCE_DATE_EPOCH=1700000000',
    '--no-cache',
    '--output',
    'type=image,rewrite-timestamp=true',
  ]
  const id = async () => {
    const built = await daemon.berth(['build', '-q', ...args, join(work, 'static-site')])
    assert.equal(built.code, 0, built.stderr)
    return built.stdout.trim()
  }
  const first = await id()
  const soon = new Date()
  utimesSync(join(work, 'static-site/template.html'), soon, soon)
  assert.equal(await id(), first)
  const created = await daemon.ok(['image', 'inspect', '-f', '{{.Created}}', first])
  assert.match(created, /^2023-11-14T22:13:20/)
})

test('a built image can be saved, removed, loaded and run as before', async () => {
  await build('every-instruction', 'kept')
  const archive = join(work, 'kept.tar')
  const before = await daemon.ok(['image', 'inspect', '-f', '{{.Id}} {{.RootFS.Layers}}', 'kept'])
  await daemon.ok(['save', '-o', archive, 'kept'])
  await daemon.ok(['rmi', '-f', 'kept'])
  await daemon.api('POST', '/build/prune?all=1')
  await daemon.ok(['load', '-q', '-i', archive])
  assert.equal(await daemon.ok(['image', 'inspect', '-f', '{{.Id}} {{.RootFS.Layers}}', 'kept']), before)
  assert.equal(await daemon.ok(['run', '--rm', 'kept']), 'hello world')
})
