/** `--cache-to` and `--cache-from`: a daemon does not repeat steps that another daemon has built. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

let first: TestDaemon
let second: TestDaemon
let registry: TestRegistry
before(async () => {
  ;[first, second, registry] = await Promise.all([TestDaemon.start(), TestDaemon.start(), TestRegistry.start()])
  await Promise.all([first.loadBusybox(), second.loadBusybox()])
})
after(async () => {
  for (const one of [first, second, registry]) await one[Symbol.asyncDispose]()
})

/** The results of the steps (`CACHED` or `DONE`), by their names. */
async function build(daemon: TestDaemon, ...args: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { stderr } = await berthBuild(daemon, ['--progress', 'plain', '--network', 'none', ...args])
  const names = new Map([...stderr.matchAll(/^#(\d+) (\[.*)$/gm)].map((match) => [match[1], match[2] ?? '']))
  const ends: Record<string, string> = {}
  for (const [, number = '', end = ''] of stderr.matchAll(/^#(\d+) (CACHED|DONE)/gm)) {
    const name = names.get(number) ?? ''
    if (/RUN|COPY/.test(name)) ends[name.replace(/^\[[^\]]*\] /, '')] = end
  }
  return ends
}

const files = (unique: string) => ({
  Dockerfile: `FROM busybox AS tools\nRUN echo ${unique} > /tool\nFROM busybox\nCOPY a /a\nRUN echo ${unique} > /built\nCOPY --from=tools /tool /tool\n`,
  a: unique,
})

const steps = (unique: string, end: string, tool = end) => ({
  [`RUN echo ${unique} > /tool`]: tool,
  'COPY a /a': end,
  [`RUN echo ${unique} > /built`]: end,
  'COPY --from=tools /tool /tool': end,
})

test('a cache in a registry has every stage', async () => {
  using context = new TestContext(files('registry'))
  const reference = `${registry.name}/cache:max`
  assert.deepEqual(
    await build(first, '--cache-to', `type=registry,ref=${reference},mode=max`, context.path),
    steps('registry', 'DONE'),
  )
  assert.deepEqual(
    await build(second, '--cache-from', reference, '-t', 'got:1', context.path),
    steps('registry', 'CACHED'),
  )
  assert.equal(
    await second.ok(['run', '--rm', '--network', 'none', 'got:1', 'cat', '/tool', '/built']),
    'registry\nregistry',
  )
  const { config } = JSON.parse(
    await runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]),
  )
  assert.equal(config.mediaType, 'application/vnd.buildkit.cacheconfig.v0')
  assert.deepEqual(await build(second, context.path), steps('registry', 'CACHED'), "it is the daemon's own by now")
})

test('a cache in a directory of the client', async () => {
  using context = new TestContext(files('directory'))
  const directory = context.beside('cache')
  await build(first, '--cache-to', `type=local,dest=${directory},mode=max`, context.path)
  assert.deepEqual(readdirSync(directory).sort(), ['blobs', 'index.json', 'oci-layout'])
  assert.deepEqual(
    await build(second, '--cache-from', `type=local,src=${directory}`, context.path),
    steps('directory', 'CACHED'),
  )
})

test('an inline cache has the layers that the image consists of', async () => {
  using context = new TestContext(files('inline'))
  const reference = `${registry.name}/inline:1`
  await build(first, '--push', '-t', reference, '--cache-to', 'type=inline', '--provenance', 'true', context.path)
  assert.deepEqual(await build(second, '--cache-from', reference, context.path), steps('inline', 'CACHED', 'DONE'))
})

test('mode=min leaves out layers that are not part of the result', async () => {
  using context = new TestContext(files('least'))
  const directory = context.beside('cache')
  await build(first, '--cache-to', `type=local,dest=${directory}`, context.path)
  assert.deepEqual(
    await build(second, '--cache-from', `type=local,src=${directory}`, context.path),
    steps('least', 'CACHED', 'DONE'),
  )
})

test('a damaged or missing cache only costs time', async () => {
  using context = new TestContext(files('damaged'))
  const directory = context.beside('cache')
  await build(first, '--cache-to', `type=local,dest=${directory},mode=max`, context.path)
  const blobs = join(directory, 'blobs/sha256')
  for (const name of readdirSync(blobs)) {
    const bytes = readFileSync(join(blobs, name))
    if (bytes[0] === 0x1f) writeFileSync(join(blobs, name), Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]))
  }
  const missing = `${registry.name}/nosuch:1`
  const ends = await build(
    second,
    '--cache-from',
    `type=local,src=${directory}`,
    '--cache-from',
    missing,
    '-t',
    'whole:1',
    context.path,
  )
  assert.deepEqual(ends, steps('damaged', 'DONE'))
  assert.equal(await second.ok(['run', '--rm', '--network', 'none', 'whole:1', 'cat', '/built']), 'damaged')
  assert.equal((await second.berth(['system', 'check'])).code, 0)
})

test('cache options that are not supported are refused by name', async () => {
  using context = new TestContext(files('refused'))
  const refusal = async (...args: readonly string[]) => {
    const { code, stderr } = await first.berth(['build', ...args, context.path])
    assert.equal(code, 1)
    return stderr
  }
  assert.match(await refusal('--cache-to', 'type=gha'), /cache of type gha/)
  assert.match(await refusal('--cache-from', 'type=tape'), /unknown cache type "tape"/)
  assert.match(await refusal('--cache-to', 'type=local,dest=x,mode=medium'), /invalid mode "medium" for cache/)
})
