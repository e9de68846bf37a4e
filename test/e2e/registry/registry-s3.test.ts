/** Several processes of Berth's registry share one bucket. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { S3Server } from '../../helpers/registries/s3/index.ts'

const MiB = 1 << 20
const work = mkdtempSync('/tmp/b-s3t-')
const archive = join(work, 'image.tar')

before(async () => {
  await writeBusyboxArchive({ path: archive })
})
after(() => rmSync(work, { recursive: true, force: true }))

/** A bucket and two registries on it. */
async function twoRegistries(more = '') {
  const s3 = await S3Server.start()
  const { accessKeyId, secretAccessKey } = s3.credentials
  const keys = `accessKeyId: "${accessKeyId}", secretAccessKey: "${secretAccessKey}"`
  const config = `storage: {s3: {bucket: images, endpoint: "${s3.endpoint}", prefix: reg, ${keys}}}\n${more}`
  const [one, two] = [await BerthRegistry.start({ config }), await BerthRegistry.start({ config })]
  return {
    s3,
    one,
    two,
    async [Symbol.asyncDispose]() {
      for (const each of [one, two, s3]) await each[Symbol.asyncDispose]()
    },
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function startUpload(registry: BerthRegistry): Promise<string> {
  const answer = await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST' })
  assert.equal(answer.status, 202)
  return answer.headers.get('location') ?? ''
}

function sendChunk(registry: BerthRegistry, location: string, bytes: Buffer, offset: number): Promise<Response> {
  return fetch(registry.url + location, {
    method: 'PATCH',
    headers: { 'Content-Range': `${offset}-${offset + bytes.length - 1}` },
    body: new Uint8Array(bytes),
  })
}

async function sizeSoFar(registry: BerthRegistry, location: string): Promise<number> {
  const answer = await fetch(registry.url + location)
  assert.equal(answer.status, 204)
  return Number(/-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1] ?? -1) + 1
}

function finish(registry: BerthRegistry, location: string, digest: string): Promise<Response> {
  return fetch(`${registry.url}${location}?digest=${digest}`, { method: 'PUT' })
}

const anyTls = ['--src-tls-verify=false', '--dest-tls-verify=false']

function copy(source: string, target: string): Promise<string> {
  return runOrThrow('skopeo', ['--insecure-policy', 'copy', '--quiet', ...anyTls, source, target])
}

test('an image that is pushed to one registry is pulled from another one on the same bucket', async () => {
  await using at = await twoRegistries()
  await copy(`docker-archive:${archive}`, `docker://${at.one.name}/team/app:1`)
  const inspect = (registry: BerthRegistry) =>
    runOrThrow('skopeo', ['inspect', '--tls-verify=false', '--raw', `docker://${registry.name}/team/app:1`])
  assert.equal(await inspect(at.two), await inspect(at.one))
  await copy(`docker://${at.two.name}/team/app:1`, `dir:${work}/pulled`)
  await copy(`docker://${at.two.name}/team/app:1`, `docker://${at.two.name}/team/again:1`)
  const catalog: unknown = await (await fetch(`${at.one.url}/v2/_catalog`)).json()
  assert.deepEqual(catalog, { repositories: ['team/again', 'team/app'] })
  assert.ok([...at.s3.bucket.objects.keys()].every((key) => key.startsWith('reg/')))
})

test('chunks of one upload can go through any registry, even if one of them is killed', async () => {
  await using at = await twoRegistries()
  const bytes = randomBytes(26 * MiB + 123)
  const location = await startUpload(at.one)
  // Chunks below and above the size of S3's parts.
  let offset = 0
  for (const [index, size] of [1, 3 * MiB, 9 * MiB + 5, 2 * MiB].entries()) {
    const registry = index % 2 === 0 ? at.one : at.two
    const chunk = bytes.subarray(offset, offset + size)
    assert.equal((await sendChunk(registry, location, chunk, offset)).status, 202)
    offset += size
  }
  // A process dies while it receives a chunk. The client sends what was not stored again through the other one.
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  at.s3.fault = (operation) => void (operation === 'UploadPart' && arrive())
  const half = bytes.subarray(offset, offset + 9 * MiB)
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(half)) })
  const cut = assert.rejects(fetch(at.one.url + location, { method: 'PATCH', body, duplex: 'half' } as RequestInit))
  await arrived
  await at.one.stop('SIGKILL')
  await cut
  at.s3.age(60_000) // the kill was some time ago
  const kept = await sizeSoFar(at.two, location)
  assert.ok(kept >= offset && kept <= offset + half.length, `${kept}`)
  assert.equal((await sendChunk(at.two, location, bytes.subarray(kept), kept)).status, 202)
  await at.one.start()
  assert.equal((await finish(at.one, location, digestOf(bytes))).status, 201)
  const blob = await fetch(`${at.two.url}/v2/app/blobs/${digestOf(bytes)}`)
  assert.ok(Buffer.from(await blob.arrayBuffer()).equals(bytes))
  const part = await fetch(blob.url, { headers: { Range: 'bytes=9000000-9000009' } })
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(9_000_000, 9_000_010))
  assert.equal(at.s3.bucket.uploads.size, 0)
})

test('bytes with a wrong digest become no blob', async () => {
  await using at = await twoRegistries()
  const bytes = randomBytes(9 * MiB)
  const location = await startUpload(at.one)
  assert.equal((await sendChunk(at.one, location, bytes, 0)).status, 202)
  const wrong = digestOf(Buffer.from('else'))
  assert.equal((await finish(at.two, location, wrong)).status, 400)
  assert.equal((await fetch(`${at.one.url}/v2/app/blobs/${wrong}`)).status, 404)
  assert.deepEqual([...at.s3.bucket.objects.keys()], ['reg/check'])
  assert.equal(at.s3.bucket.uploads.size, 0)
})

test('two caches share their fetched blobs', async () => {
  await using upstream = await TestRegistry.start()
  await upstream.push(archive, 'team/app:1')
  await using at = await twoRegistries(`proxy: {remote: "http://${upstream.name}"}\n`)
  await copy(`docker://${at.one.name}/team/app:1`, `dir:${work}/first`)
  await upstream[Symbol.asyncDispose]()
  await copy(`docker://${at.two.name}/team/app:1`, `dir:${work}/second`)
})

test('a big layer needs little memory', async () => {
  await using at = await twoRegistries()
  const block = randomBytes(MiB)
  const hash = createHash('sha256')
  const count = 200
  for (let index = 0; index < count; index += 1) hash.update(block)
  const digest = `sha256:${hash.digest('hex')}`
  async function* blocks() {
    for (let index = 0; index < count; index += 1) yield block
  }
  const location = await startUpload(at.one)
  const sent = await fetch(at.one.url + location, { method: 'PATCH', body: blocks(), duplex: 'half' } as RequestInit)
  assert.equal(sent.status, 202)
  assert.equal((await finish(at.one, location, digest)).status, 201)
  const received = createHash('sha256')
  const answer = await fetch(`${at.one.url}/v2/app/blobs/${digest}`)
  for await (const chunk of answer.body ?? []) received.update(chunk)
  assert.equal(`sha256:${received.digest('hex')}`, digest)
  const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${at.one.pid}/status`, 'utf8'))?.[1]) / 1024
  assert.ok(peakMiB < 200, `${peakMiB} MiB`)
})

test('one registry collects the garbage of all, and nothing else', async () => {
  await using at = await twoRegistries('gc: {grace: 1s}\n')
  await copy(`docker-archive:${archive}`, `docker://${at.one.name}/team/app:1`)
  await copy(`docker-archive:${archive}`, `docker://${at.two.name}/team/keep:1`)
  const location = await startUpload(at.two)
  const garbage = randomBytes(9 * MiB)
  await sendChunk(at.one, location, garbage, 0)
  await finish(at.two, location, digestOf(garbage))
  at.s3.age(60_000)
  const digest = await runOrThrow('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${at.one.name}/team/app:1`]) // biome-ignore format: one line
  assert.equal((await fetch(`${at.one.url}/v2/team/app/manifests/${digest}`, { method: 'DELETE' })).status, 202)
  const { code, stdout, stderr } = await at.one.command(['gc'])
  assert.equal(code, 0, stdout + stderr)
  assert.equal((await fetch(`${at.two.url}/v2/app/blobs/${digestOf(garbage)}`)).status, 404)
  await copy(`docker://${at.two.name}/team/keep:1`, `dir:${work}/kept`)
})
