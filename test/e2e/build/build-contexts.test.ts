/** `berth build --build-context` and `--ssh`: replacements of images and stages, and keys. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild, failedBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { findProgram, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon[Symbol.asyncDispose]())

const build = async (...args: readonly string[]) =>
  (await berthBuild(daemon, ['--network', 'none', '--progress', 'plain', ...args])).stderr
const fails = (...args: readonly string[]) => failedBuild(daemon, args)

const noKeys = findProgram('ssh-keygen') === undefined && 'there is no OpenSSH client (Debian: openssh-client)'

const named = (...contexts: readonly string[]) => contexts.flatMap((one) => ['--build-context', one])

/** The files in `/out` of the Dockerfile's stage `out`. */
async function outOf(context: TestContext, ...args: readonly string[]): Promise<string> {
  await build(...args, '-o', context.beside('result'), context.path)
  return readFileSync(context.beside('result/out'), 'utf8')
}

test('a directory replaces a base image', async () => {
  using files = new TestContext({ 'dir/a': 'A', b: 'B', '.dockerignore': 'b\n' })
  using context = new TestContext({
    Dockerfile:
      'FROM alpine:latest AS base\nFROM busybox AS look\nCOPY --from=base / /x\nRUN ls -A /x >/out; cat /x/dir/a >>/out\nFROM scratch\nCOPY --from=look /out /out\n',
  })
  const given = named(`docker.io/library/alpine=${files.path}`)
  assert.equal(await outOf(context, ...given), '.dockerignore\ndir\nA')
  context.put('Dockerfile', 'FROM alpine\nCMD ["x"]\n')
  await build(...given, '-t', 'on-files:1', context.path)
  const shown = await daemon.ok([
    'inspect',
    '-f',
    '{{.Config.Cmd}} {{.Config.WorkingDir}} {{len .RootFS.Layers}}',
    'on-files:1',
  ])
  assert.equal(shown, '[x] / 1')
})

const stages = {
  Dockerfile: 'FROM busybox AS part\nRUN echo built >/out\nFROM scratch\nCOPY --from=part /out /out\n',
}

test('a directory, an image and another stage replace a stage, which is then not built', async () => {
  using context = new TestContext(stages)
  assert.equal(await outOf(context), 'built\n')
  using files = new TestContext({ out: 'from the directory' })
  assert.equal(await outOf(context, ...named(`part=${files.path}`)), 'from the directory')
  using image = new TestContext({ Dockerfile: 'FROM scratch\nCOPY out /out\n', out: 'from the image' })
  await build('-t', 'part:1', image.path)
  assert.equal(await outOf(context, ...named('part=docker-image://part:1')), 'from the image')
  context.put('Dockerfile', `FROM busybox AS other\nRUN echo other >/out\n${stages.Dockerfile}`)
  assert.equal(await outOf(context, ...named('part=target:other')), 'other\n')
  context.put('Dockerfile', 'FROM scratch\nCOPY --from=base /out /out\nFROM busybox AS real\nRUN echo real >/out\n')
  assert.equal(await outOf(context, '--target', '0', ...named('base=target:real')), 'real\n')
  assert.match(await fails('--target', '0', ...named('base=target:base'), context.path), /base/)
})

test('an image of an OCI layout is found by tag and by digest', async () => {
  using source = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo layout >/out\nENV FROM_LAYOUT=yes\n' })
  const layout = source.beside('layout')
  const meta = source.beside('meta')
  const output = `type=oci,tar=false,dest=${layout},compression=zstd`
  await build('-o', output, '-t', 'app:1', '--provenance', 'false', '--metadata-file', meta, source.path)
  using context = new TestContext({
    Dockerfile: 'FROM app AS part\nRUN echo "$FROM_LAYOUT" >>/out\nFROM scratch\nCOPY --from=part /out /out\n',
  })
  const { 'containerimage.digest': digest } = JSON.parse(readFileSync(meta, 'utf8'))
  for (const end of [':1', `@${digest}`]) {
    assert.equal(await outOf(context, ...named(`app=oci-layout://${layout}${end}`)), 'layout\nyes\n', end)
  }
  assert.match(await fails(...named(`app=oci-layout://${layout}`), context.path), /no latest in the OCI layout/)
  assert.match(await fails(...named('app=oci-layout:///nonexistent/x:1'), context.path), /"\/nonexistent\/x" not found/)
})

test('the step that mounts ssh reaches an agent with keys from files', { skip: noKeys }, async () => {
  using context = new TestContext({
    Dockerfile:
      'FROM busybox AS ask\nCOPY root /\nRUN --mount=type=ssh,id=k ssh-add -L >/out\nFROM scratch\nCOPY --from=ask /out /out\n',
  })
  const program = '/usr/bin/ssh-add'
  const libraries = (await runOrThrow('ldd', [program])).match(/\/\S+/g) ?? []
  const root = join(context.path, 'root')
  mkdirSync(root)
  for (const path of [program, ...libraries]) {
    const place = join(root, path.replace(/^\/(?=lib)/, '/usr/'))
    mkdirSync(dirname(place), { recursive: true })
    copyFileSync(path, place)
  }
  symlinkSync('usr/lib', join(root, 'lib'))
  symlinkSync('usr/lib64', join(root, 'lib64'))
  const key = context.beside('key')
  await runOrThrow('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-C', '', '-f', key])
  assert.equal((await outOf(context, '--ssh', `k=${key}`)).trim(), readFileSync(`${key}.pub`, 'utf8').trim())
})
