/** Berth's registry with real clients, and after crashes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, globSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

const work = mkdtempSync('/tmp/b-rs-')
const archive = join(work, 'app.tar')
let imageId: string

before(async () => {
  imageId = await writeBusyboxArchive({ path: archive, reference: 'app:1' })
})
after(() => rmSync(work, { recursive: true, force: true }))

const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']

async function copy(...args: readonly string[]): Promise<void> {
  await runOrThrow('skopeo', ['--insecure-policy', 'copy', '--quiet', ...args])
}

/** The manifest's bytes as a registry returns them. */
async function rawManifest(reference: string): Promise<string> {
  return await runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`])
}

async function configDigest(reference: string): Promise<string> {
  const flags = ['inspect', '--config', '--raw', '--tls-verify=false']
  return `sha256:${sha256(await runOrThrow('skopeo', [...flags, `docker://${reference}`]))}`
}

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Checks that every blob on the disk matches its digest, and that no blob is incomplete. */
async function assertBlobsVerify(registry: BerthRegistry): Promise<void> {
  for (const path of globSync(`${registry.root}/storage/v1/objects/blobs/*/*/*`)) {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    assert.equal(hash.digest('hex'), basename(path))
  }
}

test('skopeo copies in every format, to another registry and back, and no digest changes', async () => {
  await using registry = await BerthRegistry.start()
  await using debian = await TestRegistry.start()
  for (const format of ['v2s2', 'oci']) {
    const name = `team/app:${format}`
    await copy('--format', format, ...insecure, `docker-archive:${archive}`, `docker://${registry.name}/${name}`)
    if (format === 'v2s2') assert.equal(await configDigest(`${registry.name}/${name}`), imageId)
    const manifest = await rawManifest(`${registry.name}/${name}`)
    await copy(...insecure, `docker://${registry.name}/${name}`, `docker://${debian.name}/${name}`)
    assert.equal(await rawManifest(`${debian.name}/${name}`), manifest)
    await copy(...insecure, `docker://${debian.name}/${name}`, `docker://${registry.name}/back/${name}`)
    assert.equal(await rawManifest(`${registry.name}/back/${name}`), manifest)
    const layout = join(work, `layout-${format}`)
    if (format === 'oci') {
      await copy(...insecure, `docker://${registry.name}/${name}`, `oci:${layout}:app`)
      await copy(...insecure, `oci:${layout}:app`, `docker://${registry.name}/layout:1`)
      assert.equal(await rawManifest(`${registry.name}/layout:1`), manifest)
    }
  }
  const tags = await runOrThrow('skopeo', ['list-tags', '--tls-verify=false', `docker://${registry.name}/team/app`])
  assert.deepEqual(JSON.parse(tags).Tags, ['oci', 'v2s2'])
  await runOrThrow('skopeo', ['delete', '--tls-verify=false', `docker://${registry.name}/team/app:oci`])
  const gone = await runCommand('skopeo', ['inspect', '--tls-verify=false', `docker://${registry.name}/team/app:oci`])
  assert.match(gone.stderr, /manifest unknown/)
  // The same bytes in three repositories are one file.
  const layers = globSync(`${registry.root}/storage/v1/objects/blobs/*/*/*`).map((path) => readFileSync(path).length)
  assert.equal(new Set(layers.filter((size) => size > 500_000)).size, layers.filter((size) => size > 500_000).length)
})

test('podman pushes and pulls', async () => {
  await using registry = await BerthRegistry.start()
  const storage = ['--root', join(work, 'podman'), '--runroot', join(work, 'podman-run'), '--storage-driver', 'vfs']
  const env = { REGISTRY_AUTH_FILE: join(work, 'auth.json') }
  writeFileSync(env.REGISTRY_AUTH_FILE, '{}')
  const podman = (args: readonly string[]) => runOrThrow('podman', [...storage, ...args], { env })
  const name = `${registry.name}/podman/app:1`
  await podman(['load', '-q', '-i', archive])
  await podman(['push', '-q', '--tls-verify=false', 'app:1', name])
  await podman(['rmi', '-af'])
  await podman(['pull', '-q', '--tls-verify=false', name])
  assert.equal(`sha256:${(await podman(['image', 'inspect', '-f', '{{.Id}}', name])).trim()}`, imageId)
  await podman(['rmi', '-af'])
})

test('docker pushes, pushes again, mounts and pulls through an engine', async () => {
  await using registry = await BerthRegistry.start()
  await using daemon = await TestDaemon.start()
  const docker = (...args: readonly string[]) => runOrThrow('docker', ['-H', daemon.host, ...args])
  await docker('load', '-q', '-i', archive)
  const name = `${registry.name}/docker/app`
  await docker('tag', 'app:1', `${name}:1`)
  await docker('tag', 'app:1', `${name}:2`)
  await docker('tag', 'app:1', `${registry.name}/docker/other:1`)
  const first = await docker('push', `${name}:1`)
  assert.match(first, /: Pushed\n/)
  const digest = /digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(first)?.[1]
  assert.match(await docker('push', `${name}:2`), /: Layer already exists\n/)
  assert.match(await docker('push', `${registry.name}/docker/other:1`), /: Mounted from docker\/app\n/)
  await docker('rmi', '-f', imageId)
  assert.match(await docker('pull', '-a', name), new RegExp(`Digest: ${digest}`))
  assert.equal((await docker('image', 'inspect', '-f', '{{.Id}}', `${name}:2`)).trim(), imageId)
  const pulled = await docker('pull', '-q', `${registry.name}/docker/other@${digest}`)
  assert.equal(pulled.trim(), `${registry.name}/docker/other@${digest}`)
})

/** Sends a request whose body is written piece by piece; returns the status and headers. */
async function send(registry: BerthRegistry, method: string, path: string, body: Iterable<Buffer> = []) {
  const agent = new Agent()
  try {
    return await new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
      (resolve, reject) => {
        const request = httpRequest(`${registry.url}${path}`, { method, agent }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          )
        })
        request.on('error', reject)
        const pieces = body[Symbol.iterator]()
        const next = (): void => {
          for (;;) {
            const { value, done } = pieces.next()
            if (done === true) {
              request.end()
              return
            }
            if (!request.write(value)) {
              request.once('drain', next)
              return
            }
          }
        }
        next()
      },
    )
  } finally {
    agent.destroy()
  }
}

test('an upload that is interrupted by kill -9 many times ends as the right blob', async () => {
  await using registry = await BerthRegistry.start()
  const size = 24 * 1024 * 1024
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) % 4_294_967_296, at)
  const begun = await send(registry, 'POST', '/v2/app/blobs/uploads/')
  const location = String(begun.headers.location)
  let offset = 0
  for (const portion of [0.2, 0.45, 0.7]) {
    const end = Math.floor(size * portion)
    // Announces all remaining bytes, so that the kill comes in the middle of a request.
    const pieces = piecesOf(bytes.subarray(offset))
    const killer = (function* () {
      let sent = offset
      for (const piece of pieces) {
        yield piece
        sent += piece.length
        if (sent >= end) registry.kill('SIGKILL')
      }
    })()
    await assert.rejects(send(registry, 'PATCH', location, killer))
    await registry.ended
    await registry.start()
    const status = await send(registry, 'GET', location)
    assert.equal(status.status, 204)
    const range = String(status.headers.range)
    offset = range === '0-0' ? 0 : Number(range.split('-')[1]) + 1
    assert.ok(offset <= size)
    await assertBlobsVerify(registry)
  }
  const patched = await send(registry, 'PATCH', location, piecesOf(bytes.subarray(offset)))
  assert.equal(patched.status, 202)
  const digest = `sha256:${sha256(bytes)}`
  assert.equal((await send(registry, 'PUT', `${location}?digest=${digest}`)).status, 201)
  const pulled = await send(registry, 'GET', `/v2/app/blobs/${digest}`)
  assert.ok(pulled.body.equals(bytes))
  await assertBlobsVerify(registry)
})

test('pushes that are interrupted by kill -9 leave no damage, and succeed the next time', async () => {
  await using registry = await BerthRegistry.start()
  const source = join(work, 'several.tar')
  await writeBusyboxArchive({ path: source, reference: 'several:1' })
  for (const afterMs of [5, 40, 90]) {
    const push = copy('--format', 'v2s2', ...insecure, `docker-archive:${source}`, `docker://${registry.name}/cut:1`)
    const outcome = push.then(
      () => true,
      () => false,
    )
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    registry.kill('SIGKILL')
    await registry.ended
    const done = await outcome
    await registry.start()
    await assertBlobsVerify(registry)
    const seen = await send(registry, 'GET', '/v2/cut/manifests/1')
    // Everything that was acknowledged exists, and everything that exists is complete.
    if (done) assert.equal(seen.status, 200)
    if (seen.status === 200) assert.equal(await configDigest(`${registry.name}/cut:1`), imageId)
  }
  await copy('--format', 'v2s2', ...insecure, `docker-archive:${source}`, `docker://${registry.name}/cut:1`)
  assert.equal(await configDigest(`${registry.name}/cut:1`), imageId)
  assert.equal((await registry.command(['gc'])).code, 0)
})

test('garbage collections that are interrupted by kill -9 lose nothing, and the next one finishes the work', async () => {
  await using registry = await BerthRegistry.start()
  const put = async (text: string) => {
    const bytes = Buffer.from(text)
    const digest = `sha256:${sha256(bytes)}`
    const answer = await send(registry, 'POST', `/v2/gc/blobs/uploads/?digest=${digest}`, [bytes])
    assert.equal(answer.status, 201)
    return { digest, size: bytes.length }
  }
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await put('{}')) }
  const kept: string[] = [config.digest]
  for (let index = 0; index < 10; index++) {
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await put(`kept ${index}`)) }
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })
    const answer = await send(registry, 'PUT', `/v2/gc/manifests/v${index}`, [Buffer.from(manifest)])
    assert.equal(answer.status, 201)
    kept.push(layer.digest)
  }
  const garbage: string[] = []
  for (let index = 0; index < 100; index++) garbage.push((await put(`garbage ${index}`)).digest)
  const long = new Date(Date.now() - 7_200_000)
  /** Makes everything old, including what a killed collection left. */
  const age = () => {
    for (const path of globSync(`${registry.root}/storage/v1/objects/{blobs,links,gc}/**`)) utimesSync(path, long, long)
  }
  const statusOf = async (digest: string) => (await send(registry, 'GET', `/v2/gc/blobs/${digest}`)).status
  for (const blobsLeft of [95, 60, 30]) {
    age()
    const gc = new RunningCommand(berthProgram, ['registry', 'gc', '--config', registry.path('registry.yml')])
    const count = () => globSync(`${registry.root}/storage/v1/objects/blobs/*/*/*`).length - kept.length
    await until(() => count() <= blobsLeft, {
      intervalMs: 1,
      timeoutMs: 30_000,
      what: () => `some garbage to go: ${gc.stdout}${gc.stderr}`,
    })
    gc.kill('SIGKILL')
    await gc.ended
    for (const digest of kept) assert.equal(await statusOf(digest), 200)
  }
  // A push of an object that the killed collection was about to delete is not delayed for long.
  assert.equal(await statusOf((await put('garbage 99')).digest), 200)
  age()
  const last = await registry.command(['gc'])
  assert.equal(last.code, 0, last.stderr)
  for (const digest of garbage) assert.equal(await statusOf(digest), 404)
  for (const digest of kept) assert.equal(await statusOf(digest), 200)
  assert.deepEqual(globSync(`${registry.root}/storage/v1/objects/{condemned,gc}/**/*`), [])
})

test('large layers need little memory', async () => {
  await using registry = await BerthRegistry.start()
  const piece = Buffer.alloc(1024 * 1024, 'x')
  const count = 400
  const hash = createHash('sha256')
  for (let index = 0; index < count; index++) hash.update(piece)
  const digest = `sha256:${hash.digest('hex')}`
  const pieces = (function* () {
    for (let index = 0; index < count; index++) yield piece
  })()
  const location = String((await send(registry, 'POST', '/v2/big/blobs/uploads/')).headers.location)
  assert.equal((await send(registry, 'PATCH', location, pieces)).status, 202)
  assert.equal((await send(registry, 'PUT', `${location}?digest=${digest}`)).status, 201)
  const pulled = await new Promise<number>((resolve, reject) => {
    httpRequest(`${registry.url}/v2/big/blobs/${digest}`, (response) => {
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      response.on('end', () => resolve(length))
    })
      .on('error', reject)
      .end()
  })
  assert.equal(pulled, count * piece.length)
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${registry.pid}/status`, 'utf8'))?.[1]
  assert.ok(Number(peak) < 200_000, `${peak} kB`)
})

function* piecesOf(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
