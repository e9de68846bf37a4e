/** Images from archives: loads and imports. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { ProgressMessage } from '../../../src/api/index.ts'
import { importEmbedded } from '../../../src/images/index.ts'
import { digestOf, mediaTypes, parseManifestDocument } from '../../../src/oci/index.ts'
import {
  dockerArchive,
  linkedArchive,
  makeImage,
  ociLayout,
  streamOf,
  tarOf,
  twoImages,
  v1Archive,
} from '../../helpers/images/archives.ts'
import { until } from '../../helpers/wait.ts'
import { blobs, ImageWorkspace, load, skip, snapshots } from './workspace.ts'

/** Larger than what is kept in memory, so the load uses files and workers. */
const large = randomBytes(1_500_000)

test('Images.load() loads a docker-archive, with layers in memory and in files', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ 'etc/one': '1' }, { big: large }, { 'etc/.wh.one': '', 'etc/two': '2' }])
  const messages = await load(ws, await dockerArchive(image, ['one:1', 'quay.io/two:2']))
  assert.deepEqual(messages, [{ stream: 'Loaded image: one:1\n' }, { stream: 'Loaded image: quay.io/two:2\n' }])
  const found = ws.images.store.resolve('one:1')
  assert.equal(found.id, image.id)
  assert.deepEqual(found.references, ['one:1', 'quay.io/two:2'])
  assert.equal(found.sizeBytes, 2 + large.length)
  assert.equal(found.layers.length, 3)
  const top = ws.snapshots.directory(String(found.chainId))
  assert.equal(readFileSync(join(top, 'etc/two'), 'utf8'), '2')
  // The load made a manifest, and every blob that it names exists.
  const document = parseManifestDocument(await ws.content.read(found.manifest.digest))
  assert.ok(document.type === 'manifest')
  for (const { digest, size } of [document.manifest.config, ...document.manifest.layers]) {
    assert.equal((await ws.content.find(digest))?.sizeBytes, size)
  }
  const events = ws.events.since(0n).map(({ Action }) => Action)
  assert.deepEqual(events, ['load'])
})

for (const [name, compress, mediaType] of [
  ['plain', (layer: Buffer) => layer, mediaTypes.ociLayer],
  ['gzip', (layer: Buffer) => gzipSync(layer), mediaTypes.ociLayerGzip],
  ['zstd', (layer: Buffer) => zstdCompressSync(layer), mediaTypes.ociLayerZstd],
] as const) {
  test(`Images.load() loads an OCI layout with ${name} layers and keeps its manifest`, { skip }, async () => {
    await using ws = await ImageWorkspace.open()
    const image = await makeImage([{ big: large }, { small: 'x' }])
    const archive = await ociLayout(image, 'docker.io/library/oci:1', compress, mediaType)
    await load(ws, gzipSync(archive, { level: 1 }))
    const found = ws.images.store.resolve('oci:1')
    assert.equal(found.id, image.id)
    const document = parseManifestDocument(await ws.content.read(found.manifest.digest))
    assert.ok(document.type === 'manifest')
    assert.deepEqual(
      document.manifest.layers.map((layer) => layer.mediaType),
      [mediaType, mediaType],
    )
    assert.ok(readFileSync(join(ws.snapshots.directory(String(found.layers[0]?.chainId)), 'big')).equals(large))
  })
}

test('Images.load() names an image without tags by its id, and moves a name that is already used', {
  skip,
}, async () => {
  await using ws = await ImageWorkspace.open()
  const first = await makeImage([{ a: '1' }])
  const second = await makeImage([{ a: '2' }])
  assert.deepEqual(await load(ws, await dockerArchive(first, [])), [{ stream: `Loaded image ID: ${first.id}\n` }])
  await load(ws, await dockerArchive(first, ['x:1']))
  assert.deepEqual(await load(ws, await dockerArchive(second, ['x:1'])), [
    { stream: `The image x:1 already exists, renaming the old one with ID ${first.id} to empty string\n` },
    { stream: 'Loaded image: x:1\n' },
  ])
  assert.equal(ws.images.store.resolve('x:1').id, second.id)
  assert.deepEqual(ws.images.store.resolve(first.id).references, [])
  const dangling = await ws.images.catalog.list({ all: false, filters: { dangling: ['true'] } })
  assert.deepEqual(
    dangling.map(({ Id }) => Id),
    [first.id],
  )
  const pruned = await ws.images.removals.prune({})
  assert.deepEqual(pruned.ImagesDeleted?.[0], { Deleted: first.id })
})

test('Images.load() refuses broken archives and leaves nothing of them', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ big: large }])
  const [layer = Buffer.alloc(0)] = image.layers
  const broken = Buffer.from(layer)
  broken.writeUInt8(broken.readUInt8(2000) ^ 1, 2000)
  const archives: [Buffer, RegExp][] = [
    [Buffer.from('no archive at all'.repeat(100)), /./],
    [await tarOf({ readme: 'x' }), /unrecognized image format/],
    [
      await dockerArchive({ ...image, layers: [broken] }, ['x:1']),
      /l0\/layer.tar|invalid diffID for layer 0: expected "sha256:/,
    ],
    [(await dockerArchive(image, ['x:1'])).subarray(0, 1_000_000), /./],
    [await dockerArchive({ ...image, layers: [] }, ['x:1']), /layers length mismatch/],
    [await tarOf({ 'manifest.json': '[{"Config":"nope","Layers":[]}]' }), /no file nope/],
    [await dockerArchive({ ...image, config: Buffer.from('{}') }, ['x:1']), /no RootFS key/],
    [await dockerArchive(image, ['NOT:valid name']), /invalid reference format/],
    [
      await dockerArchive(await makeImage([{ a: '1' }], {}, 'windows'), ['x:1']),
      /^BerthError: cannot load windows image/,
    ],
    // The second image is broken: the first must not stay either.
    [await twoImages(image, { ...image, layers: [broken] }), /invalid diffID/],
    [await layoutWithWrongLayer(), /blobs\/sha256\/[0-9a-f]{64}: its digest is/],
  ]
  for (const [archive, message] of archives) {
    await assert.rejects(load(ws, archive), message)
    assert.deepEqual([await blobs(ws), await snapshots(ws)], [[], []], String(message))
  }
  assert.deepEqual(readdirSync(join(ws.root, 'content/ingests')), [])
})

/** The manifest promises other bytes than those of the blob. */
async function layoutWithWrongLayer(): Promise<Buffer> {
  const image = await makeImage([{ a: '1' }])
  const archive = await ociLayout(image, 'docker.io/library/x:1')
  const at = archive.indexOf(image.layers[0] ?? '')
  archive.write('2', at + 512)
  return archive
}

test('Images.load() reads archives of Docker 1.9 and 1.10', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  await load(ws, await v1Archive([{ a: '1' }, { big: large }], 'old', '1'))
  const old = ws.images.store.resolve('old:1')
  assert.equal(old.layers.length, 2)
  const history = await ws.images.catalog.history('old:1')
  assert.deepEqual(
    history.map(({ CreatedBy }) => CreatedBy),
    ['/bin/sh -c step 1 > x', '/bin/sh -c step 0 > x'],
  )
  for (const content of ['small', large]) {
    const tree = { file: content }
    await load(ws, await linkedArchive(await makeImage([tree, tree]), 'linked:1'))
    const linked = ws.images.store.resolve('linked:1')
    assert.equal(linked.layers.length, 2)
    assert.equal(linked.layers[0]?.blob.digest, linked.layers[1]?.blob.digest)
  }
})

test('Images.load() unpacks xz and bzip2', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ big: large }])
  const archive = await dockerArchive(image, ['x:1'])
  for (const program of ['xz', 'bzip2']) {
    const packed = spawnSync(program, ['-1', '-c'], { input: archive, maxBuffer: 1 << 26 }).stdout
    await load(ws, packed)
    assert.deepEqual(await ws.images.removals.remove('x:1', { force: false, prune: true }).then((items) => items[1]), {
      Deleted: image.id,
    })
    await assert.rejects(load(ws, packed.subarray(0, packed.length / 2)), { kind: 'invalidArgument' })
  }
  assert.deepEqual(await blobs(ws), [])
})

test('Images.load() loads the images of one platform only on request', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ a: '1' }])
  const { architecture } = JSON.parse(image.config.toString()) as { architecture: string }
  const archive = await dockerArchive(image, ['x:1'])
  const from = (platform: string) => ws.images.load(streamOf(archive), { platform })
  await assert.rejects(from('linux/s390x'), { message: 'the archive holds no image for linux/s390x' })
  await from(`linux/${architecture}`)
  assert.equal(ws.images.store.resolve('x:1').id, image.id)
})

test('Images.load() keeps an existing image, because its manifest may be known elsewhere', {
  skip,
}, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ big: large }])
  await load(ws, await ociLayout(image, 'docker.io/library/x:1', gzipSync, mediaTypes.ociLayerGzip))
  const before = ws.images.store.resolve('x:1')
  const stored = await blobs(ws)
  await load(ws, await dockerArchive(image, ['y:1']))
  const after = ws.images.store.resolve('y:1')
  assert.deepEqual(after.manifest, before.manifest)
  assert.deepEqual(after.references, ['x:1', 'y:1'])
  assert.deepEqual(await blobs(ws), stored)
})

test('Images.load() can be canceled in the middle', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const archive = await dockerArchive(await makeImage([{ big: large }]), ['x:1'])
  const abort = new AbortController()
  const source = streamOf(archive).on('data', () => {})
  source.pause()
  let chunks = 0
  const slow = (async function* () {
    for await (const chunk of source) {
      yield chunk
      chunks += 1
      if (chunks === 3) abort.abort()
    }
  })()
  const { Readable } = await import('node:stream')
  await assert.rejects(ws.images.load(Readable.from(slow), { signal: abort.signal }), { kind: 'cancelled' })
  assert.ok(chunks >= 3, `${chunks}`)
  assert.deepEqual(await snapshots(ws), [])
})

test('Images.open() removes what an interrupted load left', { skip }, async (t) => {
  const root = mkdtempSync('/tmp/b-load-')
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const archive = await dockerArchive(await makeImage([{ big: large }, { big: randomBytes(3_000_000) }]), ['x:1'])
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load-child.ts'), root])
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.stdin.on('error', () => {}) // The process dies while we write.
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  try {
    await until(async () => output.includes('ready'), { what: 'the child' })
    child.stdin.write(archive.subarray(0, 3_000_000))
    const files = async () => readdirSync(join(root, 'content/ingests')).length
    await until(async () => (await files()) === 2, { what: 'the second layer' })
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  await using ws = await ImageWorkspace.open({ root })
  assert.deepEqual(await snapshots(ws), [])
  assert.deepEqual(readdirSync(join(root, 'content/ingests')), [])
  // A complete layer may have become a blob, which no image refers to.
  await ws.images.garbage.sweep({ unfinished: true })
  assert.deepEqual(await blobs(ws), [])
  await load(ws, archive)
  assert.equal(ws.images.store.resolve('x:1').layers.length, 2)
})

test('Images.import() makes an image of a tar archive, with changes and a message', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const tar = await tarOf({ 'bin/sh': 'x' })
  for (const [name, source] of [
    ['plain', tar],
    ['packed', gzipSync(tar)],
  ] as const) {
    // biome-ignore format: one line
    const messages: ProgressMessage[] = []
    await ws.images.import(
      {
        source: streamOf(source),
        reference: `${name}:1`,
        message: 'hello',
        changes: ['CMD ["sh", "-l"]', 'ENV A=1 B="two words"', 'EXPOSE 80', 'LABEL k=v', 'WORKDIR /srv'],
        platform: 'linux/arm64',
      },
      { onProgress: (message) => messages.push(message) },
    )
    const found = ws.images.store.resolve(name === 'plain' ? 'plain:1' : 'packed:1')
    assert.deepEqual(messages, [{ status: found.id }])
    const inspected = await ws.images.catalog.inspect(found.id)
    assert.deepEqual(inspected.Config?.Env, ['A=1', 'B=two words'])
    assert.deepEqual(inspected.Config?.Cmd, ['sh', '-l'])
    assert.deepEqual(inspected.Config?.ExposedPorts, { '80/tcp': {} })
    assert.equal(inspected.Config?.WorkingDir, '/srv')
    assert.equal(inspected.Architecture, 'arm64')
    assert.equal(inspected.Comment, 'hello')
    assert.deepEqual(inspected.RootFS.Layers, [digestOf(tar)])
    assert.equal(readFileSync(join(ws.snapshots.directory(String(found.chainId)), 'bin/sh'), 'utf8'), 'x')
  }
  const bad = { source: streamOf(tar), reference: '', message: '', changes: ['FROM x'] }
  await assert.rejects(ws.images.import(bad), { message: 'FROM is not a valid change command' })
})

test('importEmbedded() adds an image without starting a worker', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const tar = await tarOf({ hello: 'program' })
  const config = { created: '2024-01-01T00:00:00Z', defaults: { Cmd: ['/hello'] } }
  const id = await importEmbedded(ws.images.parts, 'hello', config, tar)
  assert.equal(ws.images.store.resolve('hello:latest').id, id)
  assert.equal(await importEmbedded(ws.images.parts, 'hello', config, tar), id)
})
