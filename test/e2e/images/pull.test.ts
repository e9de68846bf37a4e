/** `docker pull` in all its forms from a stock registry, and the messages for its progress bars. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { dockerArchive, type MadeImage, makeImage } from '../../helpers/images/archives.ts'
import { CuttingProxy } from '../../helpers/registries/cutting-proxy.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { SlowProxy } from '../../helpers/registries/slow-proxy.ts'
import { until } from '../../helpers/wait.ts'

interface Message {
  readonly id?: string
  readonly status?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  readonly progress?: string
  readonly error?: string
}

let directory: string
let daemon: TestDaemon
let registry: TestRegistry
let first: MadeImage
let second: MadeImage
/** The digests of both images' manifests. */
let digests: string[]

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  registry = await TestRegistry.start()
  daemon = await TestDaemon.start()
  await setLimit(2)
  const trees = [{ a: noise(600_000, 1) }, { b: noise(500_000, 2) }, { c: noise(400_000, 3) }, { d: 'small' }]
  first = await makeImage(trees)
  second = await makeImage([...trees, { e: noise(300_000, 4) }])
  await push(first, 'app:1')
  await push(second, 'app:2')
  digests = await Promise.all(['1', '2'].map(digestOfTag))
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Bytes that gzip cannot compress, the same each time. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

async function push(image: MadeImage, name: string): Promise<void> {
  const archive = join(directory, 'image.tar')
  writeFileSync(archive, await dockerArchive(image, ['x:1']))
  await registry.push(archive, name)
}

async function digestOfTag(tag: string): Promise<string> {
  const headers = { Accept: 'application/vnd.docker.distribution.manifest.v2+json' }
  const answer = await fetch(`http://${registry.name}/v2/app/manifests/${tag}`, { method: 'HEAD', headers })
  return String(answer.headers.get('docker-content-digest'))
}

async function messagesOf(query: string): Promise<Message[]> {
  const { status, text } = await daemon.api('POST', `/images/create?${query}`)
  assert.equal(status, 200, text)
  return text
    .trimEnd()
    .split('\r\n')
    .map((line) => JSON.parse(line))
}

function images(): Promise<string> {
  return daemon.ok(['images', '--digests', '--no-trunc', '--format', '{{.Tag}} {{.Digest}} {{.ID}}'])
}

async function removeAll(): Promise<void> {
  const ids = [...new Set((await daemon.ok(['images', '-aq'])).split('\n'))].filter((id) => id !== '')
  if (ids.length > 0) await daemon.ok(['rmi', '-f', ...ids])
  await daemon.ok(['image', 'prune', '-f'])
}

test('pulls by tag, by digest, by both, and all tags', async () => {
  const name = `${registry.name}/app`
  assert.equal(await daemon.ok(['pull', '-q', name.concat(':1')]), `${name}:1`)
  assert.equal(await images(), `1 ${digests[0]} ${first.id}`)
  await removeAll()
  const byDigest = await daemon.ok(['pull', `${name}@${digests[1]}`])
  assert.ok(byDigest.includes(`${name}@${digests[1]}: Pulling from app\n`), byDigest)
  assert.equal(await images(), `<none> ${digests[1]} ${second.id}`)
  await daemon.ok(['pull', '-q', `${name}:1@${digests[1]}`])
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', `${name}@${digests[1]}`]), second.id)
  await removeAll()
  const all = await daemon.ok(['pull', '-a', name])
  assert.equal(all.match(/: Pulling from app$/gm)?.length, 2)
  assert.equal(all.match(/^Digest: /gm)?.length, 2)
  assert.ok(all.includes(`Status: Downloaded newer image for ${name}\n${name}`), all)
  assert.deepEqual((await images()).split('\n').sort(), [`1 ${digests[0]} ${first.id}`, `2 ${digests[1]} ${second.id}`])
  assert.match(await daemon.ok(['pull', '-a', name]), /Status: Image is up to date for/)
  const none = await daemon.docker(['pull', '-a', `${registry.name}/nothing`])
  assert.equal(
    none.stderr,
    `Error response from daemon: repository ${registry.name}/nothing not found: name unknown: repository name not known to registry\n`,
  )
})

test("the messages of a pull are Docker's", async () => {
  await removeAll()
  const layers = await layerIds('1')
  const messages = await messagesOf(`fromImage=${registry.name}/app&tag=1`)
  const begin = messages.slice(0, 5)
  assert.deepEqual(begin, [
    { status: 'Pulling from app', id: '1' },
    ...layers.map((id) => ({ status: 'Pulling fs layer', progressDetail: {}, id })),
  ])
  assert.deepEqual(messages.slice(-2), [
    { status: `Digest: ${digests[0]}` },
    { status: `Status: Downloaded newer image for ${registry.name}/app:1` },
  ])
  const order = ['Pulling fs layer', 'Waiting', 'Downloading', 'Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete'] // biome-ignore format: one line
  for (const id of layers) {
    const steps = messages.filter((one) => one.id === id).map(({ status = '' }) => status)
    const known = steps.map((step) => order.indexOf(step))
    assert.deepEqual(
      known,
      [...known].sort((a, b) => a - b),
      `${id}: ${steps.join(', ')}`,
    )
    for (const step of ['Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete']) {
      assert.ok(steps.includes(step), `${id}: ${steps.join(', ')}`)
    }
  }
  const complete = messages.filter(({ status }) => status === 'Pull complete').map(({ id }) => id)
  assert.deepEqual(complete, layers, 'from the lowest up')
  for (const { status, progressDetail, progress } of messages) {
    if (status !== 'Downloading' && status !== 'Extracting') assert.equal(progress, undefined)
    else assert.match(`${progress} ${progressDetail?.current}`, /^\[=*> *\] +[\d.]+k?B\/[\d.]+k?B \d+$/)
  }
  const more = await messagesOf(`fromImage=${registry.name}/app&tag=2`)
  assert.deepEqual(
    more.slice(1, 5),
    layers.map((id) => ({ status: 'Already exists', progressDetail: {}, id })),
  )
  assert.equal(more[5]?.status, 'Pulling fs layer')
  assert.deepEqual(await messagesOf(`fromImage=${registry.name}/app&tag=2`), [
    { status: 'Pulling from app', id: '2' },
    { status: `Digest: ${digests[1]}` },
    { status: `Status: Image is up to date for ${registry.name}/app:2` },
  ])
})

async function layerIds(tag: string): Promise<string[]> {
  const headers = { Accept: 'application/vnd.docker.distribution.manifest.v2+json' }
  const answer = await fetch(`http://${registry.name}/v2/app/manifests/${tag}`, { headers })
  const { layers } = (await answer.json()) as { layers: { digest: string }[] }
  return layers.map(({ digest }) => digest.slice(7, 19))
}

test('--max-concurrent-downloads limits the layers at once, and can change', async () => {
  for (const limit of [2, 1]) {
    await removeAll()
    if (limit === 1) await setLimit(limit)
    await using proxy = await SlowProxy.start(registry.name)
    let most = 0
    proxy.pauseMs = 30
    const watch = setInterval(() => {
      most = Math.max(most, proxy.active)
    }, 5)
    await daemon.ok(['pull', '-q', `${proxy.name}/app:2`])
    clearInterval(watch)
    assert.ok(most <= limit, `${most} at once`)
  }
})

/** Sets the limit by daemon.json and SIGHUP. */
async function setLimit(limit: number): Promise<void> {
  const reloads = () => daemon.log.split('configuration reloaded').length
  const before = reloads()
  writeFileSync(join(daemon.root, 'daemon.json'), JSON.stringify({ 'max-concurrent-downloads': limit }))
  process.kill(daemon.pid, 'SIGHUP')
  await until(() => reloads() > before, { what: 'the reload' })
}

test('an interrupted pull ends its downloads, and the next one continues from there', async () => {
  await removeAll()
  await using proxy = await CuttingProxy.start(registry.name)
  const held = Promise.withResolvers<void>()
  proxy.nextCut = () => ({ afterBytes: 200_000, cut: () => held.resolve() })
  const pull = daemon.spawnDocker(['pull', `${proxy.name}/app:2`])
  await held.promise
  pull.kill('SIGINT')
  await pull.ended
  await until(() => proxy.open === 0, { what: 'the connections to end' })
  const before = proxy.passed.length
  proxy.nextCut = () => undefined
  await daemon.ok(['pull', '-q', `${proxy.name}/app:2`])
  const later = proxy.passed.slice(before)
  assert.ok(
    later.some(({ start }) => start > 0),
    JSON.stringify(later),
  )
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', `${proxy.name}/app:2`]), second.id)
})

test('wrong references are refused in Docker’s words', async () => {
  const texts: Readonly<Record<string, string>> = {
    'fromImage=library/X': 'invalid reference format: repository name (library/X) must be lowercase',
    'fromImage=127.0.0.1:5000/Up/x': 'invalid reference format: repository name (Up/x) must be lowercase',
    'fromImage=a//b': 'invalid reference format',
    'fromImage=a:b:c': 'invalid reference format',
    'fromImage=-a': 'invalid reference format',
    'fromImage=https://x/y': 'invalid reference format',
    'fromImage=a@sha256:12': 'invalid reference format',
    'fromImage=a&tag=!': 'invalid tag format',
    'fromImage=a&tag=sha256:12': 'invalid tag format',
    'fromImage=a&tag=b:c': 'invalid tag format',
    [`fromImage=${'a'.repeat(300)}`]: 'repository name must not be more than 255 characters',
    [`fromImage=${'a'.repeat(64)}`]: `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    'fromImage=a:1&platform=foo': '"foo": unknown operating system or architecture: invalid argument',
  }
  for (const [query, message] of Object.entries(texts)) {
    const { status, body } = await daemon.api('POST', `/images/create?${query}`)
    assert.deepEqual([status, body], [400, { message }], query)
  }
  const reserved = await daemon.api('POST', '/images/create?fromImage=scratch')
  assert.deepEqual([reserved.status, reserved.body], [403, { message: "'scratch' is a reserved name" }])
})
