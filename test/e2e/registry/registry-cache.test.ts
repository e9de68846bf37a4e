/** Berth's registry as a cache of Debian's docker-registry, used by skopeo and by an engine with mirrors. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { hashSync } from 'bcryptjs'
import { FaultyProxy } from '../../../src/registry/server/testing/faulty-proxy.ts'
import { type CommandResult, runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

const work = mkdtempSync('/tmp/b-rc-')
const archive = join(work, 'image.tar')
const secret = 'upstream-secret-word'
let imageId: string

before(async () => {
  imageId = await writeBusyboxArchive({ path: archive })
})
after(() => rmSync(work, { recursive: true, force: true }))

/** An upstream registry that requires a password, a proxy in front of it, and a cache of it. */
async function place(more = '') {
  const upstream = await TestRegistry.start({ htpasswd: `mirror:${hashSync(secret, 5)}\n` })
  await upstream.push(archive, 'library/busybox:1', ['--dest-creds', `mirror:${secret}`])
  const proxy = await FaultyProxy.start(upstream.name)
  const settings = `{remote: "http://${proxy.name}", username: mirror, password: ${secret}${more}}`
  const cache = await BerthRegistry.start({ config: `log: {level: debug}\nproxy: ${settings}\n` })
  return {
    upstream,
    proxy,
    cache,
    reference: `docker://${cache.name}/library/busybox:1`,
    async [Symbol.asyncDispose]() {
      for (const each of [cache, proxy, upstream]) await each[Symbol.asyncDispose]()
    },
  }
}

const anyTls = ['--src-tls-verify=false', '--dest-tls-verify=false']

function copy(source: string, target: string, flags: readonly string[] = []): Promise<CommandResult> {
  return runCommand('skopeo', ['--insecure-policy', 'copy', '--quiet', ...anyTls, ...flags, source, target])
}

function pull(reference: string): Promise<CommandResult> {
  return copy(reference, `dir:${mkdtempSync(join(work, 'pulled-'))}`)
}

function inspect(reference: string, flags: readonly string[] = []): Promise<string> {
  return runOrThrow('skopeo', ['inspect', '--tls-verify=false', ...flags, reference])
}

function assertDone({ code, stderr }: CommandResult): void {
  assert.equal(code, 0, stderr)
}

test('skopeo pulls through the cache, and again when the other registry is down', async () => {
  await using at = await place()
  assertDone(await pull(at.reference))
  const raw = await inspect(at.reference, ['--raw'])
  assert.equal(raw, await inspect(`docker://${at.upstream.name}/library/busybox:1`, ['--raw', '--creds', `mirror:${secret}`])) // biome-ignore format: one line
  assert.equal(at.proxy.count(/^GET .*\/blobs\//), 2)
  const pushed = await copy(`docker-archive:${archive}`, `docker://${at.cache.name}/library/busybox:2`)
  assert.match(pushed.stderr, /unsupported|takes no pushes|405/i)
  await at.upstream[Symbol.asyncDispose]()
  await at.proxy[Symbol.asyncDispose]()
  assertDone(await pull(at.reference))
  assert.equal(await inspect(at.reference, ['--raw']), raw)
  assert.deepEqual(JSON.parse(await inspect(at.reference)).RepoTags, ['1'])
  // A new process has everything as well.
  await at.cache.stop()
  await at.cache.start()
  assertDone(await pull(at.reference))
  assert.ok(!at.cache.log.includes(secret) && !at.cache.log.includes(btoa(`mirror:${secret}`)), at.cache.log)
})

test('an engine with the cache as its mirror pulls Docker Hub’s images from it', async () => {
  await using at = await place()
  await using daemon = await TestDaemon.start({ flags: ['--registry-mirror', `http://${at.cache.name}`] })
  for (const round of ['from upstream', 'from the cache']) {
    await daemon.ok(['pull', '-q', 'busybox:1'])
    assert.equal(await daemon.ok(['image', 'inspect', '--format', '{{.Id}}', 'busybox:1']), imageId, round)
    await daemon.ok(['rmi', 'busybox:1'])
    at.proxy.fault = () => 'reset'
  }
})

test('wrong bytes of the other registry are not cached', async () => {
  await using at = await place()
  at.proxy.fault = (method, path) => (method === 'GET' && path.includes('/blobs/') ? 'corrupt' : undefined)
  assert.notEqual((await pull(at.reference)).code, 0)
  const blobs = () => readdirSync(at.cache.path('storage'), { recursive: true }).filter((path) => /[0-9a-f]{64}/.test(String(path)) && String(path).includes('blobs')) // biome-ignore format: one line
  assert.deepEqual(blobs(), [])
  at.proxy.fault = () => undefined
  assertDone(await pull(at.reference))
  assert.equal(blobs().length, 2)
})

test('an index of several platforms comes through whole, and so does a single image of it', async () => {
  await using at = await place()
  const layout = join(work, 'layout')
  const creds = ['--dest-creds', `mirror:${secret}`]
  assertDone(await copy(`docker-archive:${archive}`, `oci:${layout}:one`))
  const [descriptor] = JSON.parse(await runOrThrow('cat', [join(layout, 'index.json')])).manifests
  const platforms = ['amd64', 'arm64'].map((architecture) => ({
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    platform: { os: 'linux', architecture },
  }))
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: platforms,
  })
  assertDone(await copy(`oci:${layout}:one`, `docker://${at.upstream.name}/library/multi:one`, creds))
  const put = await fetch(`http://${at.upstream.name}/v2/library/multi/manifests/all`, {
    method: 'PUT',
    headers: {
      'Content-Type': 'application/vnd.oci.image.index.v1+json',
      Authorization: `Basic ${btoa(`mirror:${secret}`)}`,
    },
    body: index,
  })
  assert.equal(put.status, 201)
  const reference = `docker://${at.cache.name}/library/multi:all`
  writeFileSync(join(work, 'index.json'), index)
  assert.equal(await inspect(reference, ['--raw']), index)
  assertDone(await copy(reference, `oci:${join(work, 'arm')}:x`, ['--override-arch', 'arm64']))
  assertDone(await copy(reference, `dir:${join(work, 'all')}`, ['--all']))
})
