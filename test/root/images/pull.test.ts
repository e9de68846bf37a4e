import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ProgressMessage } from '../../../src/api/index.ts'
import { parseManifestDocument } from '../../../src/oci/index.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { dockerArchive, makeImage, ociLayout, type Tree } from '../../helpers/images/archives.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'
import { SlowProxy } from './proxy.ts'
import { ImageWorkspace, skip } from './workspace.ts'

/** bcrypt of `secret`. */
const secretHash = '$2b$05$fEAdC1iUfDoTOeEFr8nGXukf9prnh7ycpifAoxRUaIqtIiwqFRWaa'

function temporary(t: TestContext): string {
  const directory = mkdtempSync('/tmp/b-pull-')
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A registry with an image of these layers as `team/app:1`. */
async function registryWith(
  t: TestContext,
  trees: readonly Tree[],
  flags: readonly string[] = [],
): Promise<TestRegistry> {
  const registry = await TestRegistry.start()
  t.after(() => registry[Symbol.asyncDispose]())
  const archive = join(temporary(t), 'a.tar')
  writeFileSync(archive, await dockerArchive(await makeImage(trees), ['app:1']))
  await registry.push(archive, 'team/app:1', flags)
  return registry
}

async function pull(ws: ImageWorkspace, reference: string): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = []
  await ws.images.pull(reference, { onProgress: (message) => messages.push(message) })
  return messages
}

test("Images.pull() gets busybox from a registry with Docker's messages, and is up to date the second time", {
  skip,
}, async (t) => {
  await using registry = await TestRegistry.start()
  const archive = join(temporary(t), 'busybox.tar')
  const id = await writeBusyboxArchive({ path: archive })
  const name = await registry.push(archive, 'library/busybox:1.36')
  await using ws = await ImageWorkspace.open()
  const messages = await pull(ws, name)
  const image = ws.images.store.resolve(name)
  const digest = ws.images.store.names.of(image.id).find(({ reference }) => reference.tag === undefined)?.target.digest
  const layer = image.layers[0]?.blob.digest.slice(7, 19)
  assert.deepEqual(messages[0], { status: 'Pulling from library/busybox', id: '1.36' })
  assert.deepEqual(messages[1], { status: 'Pulling fs layer', progressDetail: {}, id: layer })
  const statuses = messages.map(({ status }) => status)
  const wanted = ['Downloading', 'Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete']
  const order = wanted.map((status) => statuses.indexOf(status))
  assert.ok(!order.includes(-1), JSON.stringify(statuses))
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.deepEqual(messages.at(-2), { status: `Digest: ${digest}` })
  assert.deepEqual(messages.at(-1), { status: `Status: Downloaded newer image for ${name}` })
  assert.equal(image.id, id)
  assert.deepEqual(image.references, [name])
  assert.deepEqual(image.digests, [`${registry.name}/library/busybox@${digest}`])
  assert.match(readlinkSync(join(ws.snapshots.directory(String(image.chainId)), 'bin/ls')), /busybox/)

  const again = await pull(ws, `${registry.name}/library/busybox@${digest}`)
  assert.equal(again.length, 3)
  assert.match(String(again[2]?.status), /^Status: Image is up to date for .*@sha256:/)
  assert.deepEqual(
    ws.events.since(0n).map(({ Action, Actor }) => [Action, Actor.ID]),
    [
      ['pull', name],
      ['pull', `${registry.name}/library/busybox@${digest}`],
    ],
  )
})

test('Images.pull() pulls OCI images, shares layers and refuses with Docker’s texts', { skip }, async (t) => {
  await using registry = await TestRegistry.start()
  const root = temporary(t)
  const trees: Tree[] = [{ big: randomBytes(2_000_000) }, {}, { b: '1' }, {}]
  const first = await makeImage(trees)
  const second = await makeImage([...trees, { c: '2' }])
  for (const [tag, image] of [
    ['1', first],
    ['2', second],
  ] as const) {
    // biome-ignore format: one line
    const path = join(root, `${tag}.tar`)
    writeFileSync(path, await ociLayout(image, `x/app:${tag}`))
    const target = `docker://${registry.name}/team/app:${tag}`
    await runOrThrow('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      '--dest-tls-verify=false',
      `oci-archive:${path}`,
      target,
    ])
  }
  await using ws = await ImageWorkspace.open()
  await pull(ws, `${registry.name}/team/app:1`)
  assert.equal(ws.images.store.resolve(`${registry.name}/team/app:1`).id, first.id)
  const messages = await pull(ws, `${registry.name}/team/app:2`)
  assert.equal(messages.filter(({ status }) => status === 'Already exists').length, 4)
  assert.equal(messages.filter(({ status }) => status === 'Pull complete').length, 1)
  const missing = `${registry.name}/team/app:nope`
  await assert.rejects(pull(ws, missing), {
    kind: 'notFound',
    message: `manifest for ${missing} not found: manifest unknown: manifest unknown`,
  })
  await assert.rejects(pull(ws, `${registry.name}/nobody/nothing:1`), { kind: 'notFound' })
  await assert.rejects(pull(ws, '127.0.0.1:1/x:1'), { kind: 'unavailable', message: /connect: connection refused$/ })
  // Without a tag: all of them.
  await ws.images.removals.remove(`${registry.name}/team/app:2`, { force: true, prune: true })
  await pull(ws, `${registry.name}/team/app`)
  assert.equal(ws.images.store.resolve(`${registry.name}/team/app:2`).id, second.id)
})

test('Images.pull() chooses the platform from an index', { skip }, async (t) => {
  const registry = await registryWith(t, [{ a: '1' }])
  const base = `http://${registry.name}/v2/team/app/manifests`
  const type = 'application/vnd.docker.distribution.manifest.v2+json'
  const answer = await fetch(`${base}/1`, { headers: { Accept: type } })
  const digest = String(answer.headers.get('docker-content-digest'))
  const size = (await answer.arrayBuffer()).byteLength
  const entry = (architecture: string, variant?: string) => ({
    mediaType: type,
    digest,
    size,
    platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
  })
  const list = 'application/vnd.docker.distribution.manifest.list.v2+json'
  const host = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const index = { schemaVersion: 2, mediaType: list, manifests: [entry('s390x'), entry(host), entry('arm', 'v6')] }
  const put = await fetch(`${base}/multi`, {
    method: 'PUT',
    headers: { 'Content-Type': list },
    body: JSON.stringify(index),
  })
  assert.equal(put.status, 201)
  await using ws = await ImageWorkspace.open()
  const name = `${registry.name}/team/app:multi`
  const messages = await pull(ws, name)
  const image = ws.images.store.resolve(name)
  const indexDigest = String(put.headers.get('docker-content-digest'))
  assert.deepEqual(messages.at(-2), { status: `Digest: ${indexDigest}` })
  assert.deepEqual(image.digests, [`${registry.name}/team/app@${indexDigest}`])
  assert.equal(image.manifest.digest, digest)
  await assert.rejects(ws.images.pull(name, { platform: 'linux/ppc64le' }), {
    kind: 'notFound',
    message: 'no matching manifest for linux/ppc64le in the manifest list entries',
  })
  await ws.images.pull(name, { platform: 'linux/arm/v7' })
})

test('Images.pull() logs in with the caller’s credentials', { skip }, async (t) => {
  await using registry = await TestRegistry.start({ htpasswd: `joe:${secretHash}\n` })
  const archive = join(temporary(t), 'a.tar')
  writeFileSync(archive, await dockerArchive(await makeImage([{ a: '1' }]), ['app:1']))
  const name = await registry.push(archive, 'team/app:1', ['--dest-creds', 'joe:secret'])
  await using ws = await ImageWorkspace.open()
  await ws.images.pull(name, { auth: { username: 'joe', password: 'secret', serveraddress: registry.name } })
  await assert.rejects(ws.images.pull(name), {
    kind: 'forbidden',
    message: `Head "http://${registry.name}/v2/team/app/manifests/1": no basic auth credentials`,
  })
  await assert.rejects(ws.images.pull(name, { auth: { username: 'joe', password: 'wrong' } }), {
    kind: 'forbidden',
    message: 'unauthorized: authentication required',
  })
})

test('two concurrent Images.pull() of one image download each layer once', { skip }, async (t) => {
  const registry = await registryWith(t, [{ big: randomBytes(3_000_000) }, { other: randomBytes(2_000_000) }])
  await using proxy = await SlowProxy.start(registry.name)
  proxy.delayMs = 2
  await using ws = await ImageWorkspace.open()
  const name = `${proxy.name}/team/app:1`
  const [one, two] = await Promise.all([pull(ws, name), pull(ws, name)])
  assert.ok(one.some(({ status }) => status === 'Pull complete'))
  assert.ok(two.some(({ status }) => status === 'Pull complete'))
  const layers = ws.images.store.resolve(name).layers.map(({ blob }) => blob.digest)
  for (const digest of layers) assert.equal(proxy.blobs.filter(({ path }) => path.endsWith(digest)).length, 1)
})

test('Images.pull() continues where the connection broke', { skip }, async (t) => {
  const big = randomBytes(3_000_000)
  const registry = await registryWith(t, [{ big }])
  await using proxy = await SlowProxy.start(registry.name)
  proxy.breakAfter = 1_200_000
  await using ws = await ImageWorkspace.open()
  await pull(ws, `${proxy.name}/team/app:1`)
  const image = ws.images.store.resolve(`${proxy.name}/team/app:1`)
  const seen = proxy.blobs.filter(({ path }) => path.endsWith(String(image.layers[0]?.blob.digest)))
  assert.ok(seen.length >= 2)
  assert.match(String(seen[1]?.range), /^bytes=\d{6,}-$/)
  assert.ok(readFileSync(join(ws.snapshots.directory(String(image.chainId)), 'big')).equals(big))
})

test('Images.pull() refuses corrupt blobs, keeps nothing of them, and succeeds once they are right', {
  skip,
}, async (t) => {
  const registry = await registryWith(t, [{ big: randomBytes(1_000_000) }])
  await using proxy = await SlowProxy.start(registry.name)
  proxy.corrupt = true
  await using ws = await ImageWorkspace.open()
  const name = `${proxy.name}/team/app:1`
  await assert.rejects(pull(ws, name))
  assert.throws(() => ws.images.store.resolve(name), { kind: 'notFound' })
  proxy.corrupt = false
  await pull(ws, name)
  assert.equal(ws.images.store.resolve(name).layers.length, 1)
})

test('Images.pull() ends when its signal fires and resumes later', { skip }, async (t) => {
  const registry = await registryWith(t, [{ big: randomBytes(6_000_000) }])
  await using proxy = await SlowProxy.start(registry.name)
  proxy.delayMs = 10
  await using ws = await ImageWorkspace.open()
  const name = `${proxy.name}/team/app:1`
  const abort = new AbortController()
  const onProgress = ({ progressDetail }: ProgressMessage) => {
    if ((progressDetail?.current ?? 0) > 500_000) abort.abort()
  }
  await assert.rejects(ws.images.pull(name, { signal: abort.signal, onProgress }), { kind: 'cancelled' })
  proxy.delayMs = 0
  proxy.blobs.length = 0
  await pull(ws, name)
  assert.ok(proxy.blobs.some(({ range }) => /^bytes=\d{6,}-$/.test(String(range))))
})

test('Images.pull() continues where a killed process stopped', { skip }, async (t) => {
  const big = randomBytes(8_000_000)
  const registry = await registryWith(t, [{ big }, { small: 'x' }])
  await using proxy = await SlowProxy.start(registry.name)
  proxy.delayMs = 15
  const root = temporary(t)
  const name = `${proxy.name}/team/app:1`
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'pull-child.ts'), root, name])
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    await until(async () => proxy.blobs.some(({ bytes }) => bytes > 2_000_000), { what: 'half of the layer' })
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  proxy.delayMs = 0
  const before = proxy.blobs.length
  await using ws = await ImageWorkspace.open({ root })
  for await (const { kind } of ws.snapshots.walk()) assert.equal(kind, 'committed', 'half-unpacked layers are gone')
  await ws.images.garbage.sweep()
  await pull(ws, name)
  const image = ws.images.store.resolve(name)
  const digest = String(image.layers[0]?.blob.digest)
  const resumed = proxy.blobs.slice(before).filter(({ path }) => path.endsWith(digest))
  assert.equal(resumed.length, 1)
  assert.match(String(resumed[0]?.range), /^bytes=\d{7,}-$/)
  assert.ok((resumed[0]?.bytes ?? 0) < 7_000_000)
  assert.ok(readFileSync(join(ws.snapshots.directory(String(image.layers[0]?.chainId)), 'big')).equals(big))
  const document = parseManifestDocument(await ws.content.read(image.manifest.digest))
  assert.ok(document.type === 'manifest')
  for (const layer of document.manifest.layers) {
    assert.equal(statSync(ws.content.pathOf(layer.digest)).size, layer.size)
  }
})
