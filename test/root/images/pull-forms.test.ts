/** Pulls of every form of image, from registries that behave well and badly. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { ProgressMessage } from '../../../src/api/index.ts'
import { hostPlatform, mediaTypes } from '../../../src/oci/index.ts'
import { makeImage, type Tree } from '../../helpers/images/archives.ts'
import { until } from '../../helpers/wait.ts'
import { FakeRegistry, type SendOptions, sendBlob } from './fake-registry.ts'
import { ImageWorkspace, skip } from './workspace.ts'

const host = hostPlatform()

async function pull(ws: ImageWorkspace, name: string, platform?: string): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = []
  await ws.images.pull(name, { platform, onProgress: (message) => messages.push(message) })
  return messages
}

/** The files of an image's highest layer. */
function fileOf(ws: ImageWorkspace, name: string, path: string): Buffer {
  return readFileSync(join(ws.snapshots.directory(String(ws.images.store.resolve(name).chainId)), path))
}

/** After a prune: nothing unfinished, no layer, and no blob that is not JSON. A failed pull ends its downloads shortly
 *  after its error; until then, the data of its other layers may remain, to be resumed. */
async function assertNoLayers(ws: ImageWorkspace): Promise<void> {
  const left: string[] = []
  const look = async () => {
    await ws.images.removals.prune({})
    left.length = 0
    for await (const { key } of ws.content.unfinished.walk()) left.push(`ingest ${key}`)
    for await (const { key } of ws.snapshots.walk()) left.push(`snapshot ${key}`)
    for await (const { digest } of ws.content.walk()) {
      if ((await ws.content.read(digest))[0] !== '{'.charCodeAt(0)) left.push(`blob ${digest}`)
    }
    return left.length === 0
  }
  await until(look, { what: () => `nothing to be left: ${left.join(', ')}` })
}

const forms: Readonly<Record<string, SendOptions>> = {
  plain: {},
  gzip: { compress: (layer) => gzipSync(layer), layerType: mediaTypes.ociLayerGzip },
  zstd: { compress: (layer) => zstdCompressSync(layer), layerType: mediaTypes.ociLayerZstd },
  'docker gzip': { compress: (layer) => gzipSync(layer), layerType: mediaTypes.dockerLayerGzip },
  'gzip that says it is plain': { compress: (layer) => gzipSync(layer) },
  'not distributable': {
    compress: (layer) => gzipSync(layer),
    layerType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  },
  sha512: { algorithm: 'sha512', compress: (layer) => gzipSync(layer), layerType: mediaTypes.ociLayerGzip },
}
for (const [form, options] of Object.entries(forms)) {
  test(`Images.pull() pulls layers: ${form}`, { skip }, async () => {
    await using registry = await FakeRegistry.start()
    const big = randomBytes(600_000)
    const { manifest, layers } = registry.image(await makeImage([{ a: 'small' }, { big }]), '1', options)
    await using ws = await ImageWorkspace.open()
    const name = options.algorithm === undefined ? `${registry.name}/x:1` : `${registry.name}/x@${manifest.digest}`
    await pull(ws, name)
    assert.ok(fileOf(ws, name, 'big').equals(big))
    for (const { digest, size } of layers) assert.equal((await ws.content.find(digest))?.sizeBytes, size)
    const again = await pull(ws, name)
    assert.match(String(again.at(-1)?.status), /^Status: Image is up to date for /)
    // No byte of it is requested again.
    const requests = registry.requests.filter((one) => one.startsWith('GET'))
    assert.equal(requests.length, new Set(requests).size)
    await ws.images.removals.remove(name, { force: true, prune: true })
    await assertNoLayers(ws)
  })
}

test('Images.pull() fetches foreign layers from their own URLs', { skip }, async () => {
  await using elsewhere = await FakeRegistry.start()
  await using registry = await FakeRegistry.start()
  const big = randomBytes(600_000)
  const image = await makeImage([{ big }])
  elsewhere.image(image)
  const layerUrls = (digest: string) => ['ftp://nowhere/', `http://${elsewhere.name}/v2/x/blobs/${digest}`]
  registry.image(image, '1', { layerType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', layerUrls })
  await using ws = await ImageWorkspace.open()
  await pull(ws, `${registry.name}/x:1`)
  assert.ok(fileOf(ws, `${registry.name}/x:1`, 'big').equals(big))
})

test('Images.pull() finds the platform in nested indexes with attestations', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const image = await makeImage([{ a: 'right' }])
  const other = await makeImage([{ a: 'other' }])
  const right = registry.image(image).manifest
  const wrong = registry.image(other).manifest
  const index = (manifests: readonly object[], tag?: string) =>
    registry.manifest({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex, tag)
  const attestation = {
    ...wrong,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }
  const s390x = { ...wrong, platform: { os: 'linux', architecture: 's390x' } }
  const inner = index([attestation, s390x, { ...right, platform: host }])
  const middle = index([inner])
  index([attestation, middle, s390x], 'nested')
  // A platform that only the config names.
  index([s390x, right], 'silent')
  index([attestation], 'attested')
  // An index that contains itself indirectly can't be made; one that is nested too deep can.
  let deep = index([{ ...right, platform: host }])
  for (let depth = 0; depth < 10; depth += 1) deep = index([deep])
  index([deep], 'deep')
  await using ws = await ImageWorkspace.open()
  for (const tag of ['nested', 'silent']) {
    const name = `${registry.name}/x:${tag}`
    await pull(ws, name)
    assert.equal(ws.images.store.resolve(name).id, image.id, tag)
  }
  const message = `no matching manifest for ${host.os}/${host.architecture} in the manifest list entries`
  for (const tag of ['attested', 'deep']) {
    await assert.rejects(pull(ws, `${registry.name}/x:${tag}`), { kind: 'notFound', message })
  }
})

test('Images.pull() refuses what it cannot run, and says why', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  registry.manifest({ schemaVersion: 1, name: 'x', fsLayers: [] }, mediaTypes.dockerSchema1Signed, 'schema1')
  const config = registry.blob(Buffer.from('{}'), 'application/vnd.example.chart')
  const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }
  registry.manifest(artifact, mediaTypes.ociManifest, 'chart')
  registry.manifest({ schemaVersion: 2, manifests: [], layers: [] }, mediaTypes.ociIndex, 'both')
  await using ws = await ImageWorkspace.open()
  await assert.rejects(pull(ws, `${registry.name}/x:schema1`), {
    kind: 'invalidArgument',
    message: new RegExp(`^${registry.name}/x:schema1 is stored in .* schema 1 .*: push it again with a current tool`),
  })
  await assert.rejects(pull(ws, `${registry.name}/x:chart`), {
    message: /vnd\.example\.chart: this is not a container image/,
  })
  await assert.rejects(pull(ws, `${registry.name}/x:both`), { message: /ambiguous/ })
  await assert.rejects(pull(ws, 'scratch'), { kind: 'forbidden', message: "'scratch' is a reserved name" })
})

test('Images.pull() reports it when only another platform than the requested one exists', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  registry.image(await makeImage([{ a: '1' }]), '1')
  await using ws = await ImageWorkspace.open()
  const name = `${registry.name}/x:1`
  const messages = await pull(ws, name, 'linux/s390x')
  assert.deepEqual(messages.slice(-2), [
    { status: `Status: Downloaded newer image for ${name}` },
    {
      status: `WARNING: image with reference ${name} was found but its platform (${host.os}/${host.architecture}) does not match the specified platform (linux/s390x)`,
    },
  ])
})

test('Images.pull() waits as long as a busy registry asks, but not for hours', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const { layers } = registry.image(await makeImage([{ big: randomBytes(400_000) }]), '1')
  let refusals = 0
  registry.intercept = ({ url = '' }, response) => {
    if (!url.endsWith(String(layers[0]?.digest)) || refusals >= 2) return false
    refusals += 1
    response.writeHead(refusals === 1 ? 429 : 503, refusals === 1 ? { 'Retry-After': '1' } : {}).end()
    return true
  }
  await using ws = await ImageWorkspace.open()
  const messages = await pull(ws, `${registry.name}/x:1`)
  const waits = messages.filter(({ status = '' }) => status.startsWith('Retrying in '))
  assert.deepEqual(
    waits.map(({ status }) => status),
    ['Retrying in 1 second', 'Retrying in 1 second'],
  )
  registry.intercept = (_, response) => {
    const errors = [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit' }]
    response.writeHead(429, { 'Retry-After': '3600', 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ errors }))
    return true
  }
  await assert.rejects(pull(ws, `${registry.name}/x:2`), {
    kind: 'unavailable',
    message: 'toomanyrequests: You have reached your pull rate limit',
  })
})

test('Images.pull() continues after short reads, with and without ranges', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const big = randomBytes(900_000)
  const { layers } = registry.image(await makeImage([{ big }]), '1')
  for (const hasRanges of [true, false]) {
    let cuts = 0
    registry.requests.length = 0
    registry.intercept = (request, response, blob) => {
      if (blob === undefined || request.url?.endsWith(String(layers[0]?.digest)) !== true) return false
      if (!hasRanges) delete request.headers.range
      cuts += 1
      sendBlob(request, response, blob, cuts < 3 ? cuts * 300_000 : undefined)
      return true
    }
    await using ws = await ImageWorkspace.open()
    await pull(ws, `${registry.name}/x:1`)
    assert.ok(fileOf(ws, `${registry.name}/x:1`, 'big').equals(big))
    assert.equal(cuts, 3)
  }
})

test('Images.pull() gives up after five attempts without progress, and continues from there later', {
  skip,
}, async () => {
  await using registry = await FakeRegistry.start()
  const { layers } = registry.image(await makeImage([{ big: randomBytes(900_000) }]), '1')
  let isFirst = true
  registry.intercept = (request, response, blob) => {
    if (blob === undefined || request.url?.endsWith(String(layers[0]?.digest)) !== true) return false
    if (isFirst) sendBlob(request, response, blob, 500_000)
    else response.destroy()
    isFirst = false
    return true
  }
  await using ws = await ImageWorkspace.open()
  await assert.rejects(pull(ws, `${registry.name}/x:1`), { kind: 'unavailable' })
  const tries = registry.requests.filter((one) => one.includes(String(layers[0]?.digest)))
  assert.equal(tries.length, 6)
  registry.intercept = () => false
  registry.requests.length = 0
  await pull(ws, `${registry.name}/x:1`)
  assert.match(registry.requests.join('\n'), /bytes=\d{5,}-$/m)
})

test('Images.pull() names a layer with wrong bytes, and keeps nothing of it', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const trees: Tree[] = [{ big: randomBytes(700_000) }, { small: 'x' }]
  for (const compress of [(layer: Buffer) => layer, (layer: Buffer) => gzipSync(layer)]) {
    const { layers } = registry.image(await makeImage(trees), '1', { compress })
    for (const { digest, size } of layers) {
      for (const at of [0, Math.floor(size / 2), size - 1]) {
        registry.intercept = (request, response, blob) => {
          if (blob === undefined || request.url?.endsWith(digest) !== true) return false
          const changed = Buffer.from(blob)
          changed.writeUInt8((changed.readUInt8(at) ^ 0x41) & 0xff, at)
          response.end(changed)
          return true
        }
        await using ws = await ImageWorkspace.open()
        await assert.rejects(pull(ws, `${registry.name}/x:1`), {
          kind: 'dataLoss',
          message: `filesystem layer verification failed for digest ${digest}`,
        })
        await assertNoLayers(ws)
      }
    }
  }
})

test('Images.pull() refuses a layer that does not match the config', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const image = await makeImage([{ a: '1' }])
  const other = await makeImage([{ a: '2' }])
  registry.image({ ...image, layers: other.layers }, '1')
  registry.image({ ...image, layers: [...image.layers, ...other.layers] }, '2')
  await using ws = await ImageWorkspace.open()
  for (const tag of ['1', '2']) {
    const message = /^layers from manifest don't match image configuration/
    await assert.rejects(pull(ws, `${registry.name}/x:${tag}`), { message })
  }
})

test('Images.pull() starts again if an earlier attempt left damaged bytes', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const big = randomBytes(900_000)
  const { layers } = registry.image(await makeImage([{ big }]), '1')
  registry.intercept = (request, response, blob) => {
    if (blob === undefined || request.url?.endsWith(String(layers[0]?.digest)) !== true) return false
    if (request.headers.range === undefined) sendBlob(request, response, blob, 500_000)
    else response.writeHead(400).end()
    return true
  }
  await using ws = await ImageWorkspace.open()
  await assert.rejects(pull(ws, `${registry.name}/x:1`))
  registry.intercept = () => false
  const ingests = join(ws.root, 'content/ingests')
  const [left] = readdirSync(ingests).map((name) => join(ingests, name, 'data'))
  assert.ok(left !== undefined && existsSync(left) && statSync(left).size > 100_000)
  const bytes = readFileSync(left)
  writeFileSync(left, bytes.fill(0, 50_000, 60_000))
  await pull(ws, `${registry.name}/x:1`)
  const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex')
  assert.equal(digest(fileOf(ws, `${registry.name}/x:1`, 'big')), digest(big))
})

test('Images.pull() continues for one caller when another one cancels', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const trees: Tree[] = [{ a: randomBytes(700_000) }, { b: randomBytes(700_000) }, { c: randomBytes(700_000) }]
  registry.image(await makeImage(trees), '1')
  registry.image(await makeImage([...trees, { d: '1' }]), '2')
  let release = () => {}
  const isReleased = new Promise<void>((resolve) => {
    release = resolve
  })
  registry.intercept = (request, response, blob) => {
    if (blob === undefined || blob.length < 100_000) return false
    void isReleased.then(() => sendBlob(request, response, blob))
    return true
  }
  await using ws = await ImageWorkspace.open()
  const abort = new AbortController()
  const saw = Promise.withResolvers<void>()
  const first = ws.images.pull(`${registry.name}/x:1`, { signal: abort.signal })
  const second = ws.images.pull(`${registry.name}/x:2`, {
    onProgress: ({ status }) => status === 'Pulling fs layer' && saw.resolve(),
  })
  await saw.promise
  abort.abort()
  await assert.rejects(first, { kind: 'cancelled' })
  release()
  await second
  assert.equal(ws.images.store.resolve(`${registry.name}/x:2`).layers.length, 4)
  const blobs = registry.requests.filter((one) => one.startsWith('GET') && one.includes('/blobs/'))
  assert.equal(blobs.length, new Set(blobs).size, 'each once')
})

test('Images.pull() replaces damaged blobs on the disk', { skip }, async () => {
  await using registry = await FakeRegistry.start()
  const trees: Tree[] = [{ a: randomBytes(500_000) }, { b: 'small' }]
  const { manifest, config, layers } = registry.image(await makeImage(trees), '1', { compress: (one) => gzipSync(one) })
  const failing = await makeImage([...trees, { c: 'x' }])
  await using ws = await ImageWorkspace.open()
  const name = `${registry.name}/x:1`
  // This pull keeps all blobs but not the image, because its last layer does not match the config.
  registry.image({ ...failing, layers: [...failing.layers.slice(0, 2), Buffer.from('')] }, '2', {
    compress: (one) => gzipSync(one),
  })
  await assert.rejects(pull(ws, `${registry.name}/x:2`))
  for (const { digest } of [manifest, config, ...layers]) writeFileSync(ws.content.pathOf(digest), 'damaged')
  await pull(ws, name)
  for (const { digest, size } of [manifest, config, ...layers]) {
    assert.equal((await ws.content.find(digest))?.sizeBytes, size)
  }
  assert.equal(fileOf(ws, name, 'b').toString(), 'small')
})
