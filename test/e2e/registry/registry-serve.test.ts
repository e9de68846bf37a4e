/** `berth registry serve`, `gc` and `check` as users see them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { berthProgram } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { freePort } from '../../helpers/ports.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'

const work = mkdtempSync('/tmp/b-rs-')
const archive = join(work, 'image.tar')
before(() => writeBusyboxArchive({ path: archive }))
after(() => rmSync(work, { recursive: true, force: true }))

const skopeo = ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', '--src-tls-verify=false']

async function push(registry: { readonly name: string }, reference: string): Promise<void> {
  await runOrThrow('skopeo', [...skopeo, `docker-archive:${archive}`, `docker://${registry.name}/${reference}`])
}

test('without a configuration file it serves a folder', async () => {
  const port = await freePort()
  const server = new RunningCommand(berthProgram, ['registry', 'serve', '--listen', `127.0.0.1:${port}`], { cwd: work })
  try {
    await server.sees(`the registry is ready addresses=http://127.0.0.1:${port}\n`)
    await push({ name: `127.0.0.1:${port}` }, 'app:1')
    assert.ok(existsSync(join(work, 'registry-data')))
    const second = ['registry', 'serve', '--listen', `127.0.0.1:${port}`, '--storage', join(work, 'other')]
    const refused = await runCommand(berthProgram, second)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /could not listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
  } finally {
    server.kill('SIGTERM')
  }
  const { code, stderr } = await server.ended
  assert.equal(code, 0)
  assert.match(stderr, /INFO {2}the registry ends signal=SIGTERM\n$/)
})

test('SIGTERM lets a running push end and refuses new clients; a second SIGTERM ends at once', async () => {
  await using registry = await BerthRegistry.start()
  const bytes = randomBytes(100_000)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const agent = new Agent({ keepAlive: true })
  const upload = request(`${registry.url}/v2/app/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    agent,
    headers: { 'Content-Length': bytes.length, 'Content-Type': 'application/octet-stream' },
  })
  const answered = answerOf(upload)
  upload.write(bytes.subarray(0, 50_000))
  await registry.seesUploads(1)
  registry.kill('SIGTERM')
  await registry.sees('the registry ends')
  await assert.rejects(fetch(`${registry.url}/v2/`))
  upload.end(bytes.subarray(50_000))
  assert.equal((await answered).statusCode, 201)
  assert.equal((await registry.ended).code, 0)
  await registry.start()
  assert.equal((await fetch(`${registry.url}/v2/app/blobs/${digest}`)).status, 200)
  const stuck = request(`${registry.url}/v2/app/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers: { 'Content-Length': 10 },
  })
  stuck.on('error', () => {}) // the connection is cut
  stuck.write('x')
  await registry.seesUploads(1)
  registry.kill('SIGTERM')
  await registry.sees('the registry ends')
  registry.kill('SIGTERM')
  assert.equal((await registry.ended).signal, 'SIGTERM')
})

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('response', (response) => resolve(response.resume()))
    sent.on('error', reject)
  })
}

test('a read-only registry accepts no changes; one without deletion keeps everything', async () => {
  await using registry = await BerthRegistry.start({ config: 'storage: {folder: storage, delete: false}\n' })
  await push(registry, 'team/app:1')
  const url = (path: string): string => `${registry.url}/v2/team/app/${path}`
  const kept = await fetch(url('manifests/1'), { method: 'DELETE' })
  assert.deepEqual([kept.status, codesOf(await kept.json())], [405, ['UNSUPPORTED']])
  await registry.stop()
  registry.configure('readonly: true\n')
  await registry.start()
  for (const [method, path] of [
    ['POST', 'blobs/uploads/'],
    ['PUT', 'manifests/2'],
    ['DELETE', 'manifests/1'],
  ] as const) {
    const refused = await fetch(url(path), { method })
    assert.deepEqual([refused.status, codesOf(await refused.json())], [405, ['UNSUPPORTED']], method)
  }
  assert.equal((await fetch(url('manifests/1'))).status, 200)
})

function codesOf(body: unknown): readonly string[] {
  return (body as { errors: { code: string }[] }).errors.map(({ code }) => code)
}

test('limits, headers, pages and metrics follow the configuration', async () => {
  const config = `
limits: {manifestSize: 1KiB, headerSize: 8KiB}
http: {headers: {X-Served-By: berth}}
catalog: {pageSize: 1}
log: {format: json}
`
  await using registry = await BerthRegistry.start({ config })
  await push(registry, 'one:1')
  await push(registry, 'two:1')
  const catalog = await fetch(`${registry.url}/v2/_catalog`)
  assert.deepEqual(await catalog.json(), { repositories: ['one'] })
  assert.match(catalog.headers.get('link') ?? '', /last=one.*rel="next"/)
  assert.equal(catalog.headers.get('x-served-by'), 'berth')
  const large = { method: 'PUT', body: ' '.repeat(1025) }
  assert.equal((await fetch(`${registry.url}/v2/one/manifests/2`, large)).status, 413)
  const many = await fetch(`${registry.url}/v2/`, { headers: { 'X-Long': 'x'.repeat(9000) } })
  assert.equal(many.status, 431)
  const metrics = await (await fetch(`${registry.url}/metrics`)).text()
  assert.match(metrics, /^berth_registry_requests_total\{method="PUT",route="manifest",status="201"\} 2$/m)
  assert.match(metrics, /^berth_registry_manifests_total\{action="push"\} 2$/m)
  assert.match(metrics, /^berth_registry_storage_up 1$/m)
  const found = (await (await fetch(`${registry.url}/v1/search?q=tw`)).json()) as { results: unknown[] }
  assert.equal(found.results.length, 1)
  await registry.stop()
  const lines = registry.log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path?: string; status?: number })
  assert.ok(lines.some(({ path, status }) => path === '/v1/search' && status === 200))
})

test('locations are relative, or start as configured', async () => {
  await using registry = await BerthRegistry.start()
  const location = async (): Promise<string> => {
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'front.example.com' }
    const started = await fetch(`${registry.url}/v2/one/blobs/uploads/`, { method: 'POST', headers })
    return (started.headers.get('location') ?? '').replace(/[^/]*$/, '')
  }
  assert.equal(await location(), '/v2/one/blobs/uploads/')
  for (const [http, begin] of [
    ['relativeUrls: false', 'https://front.example.com'],
    ['publicUrl: https://registry.example.com/', 'https://registry.example.com'],
  ] as const) {
    await registry.stop()
    registry.configure(`http: {${http}}\n`)
    await registry.start()
    assert.equal(await location(), `${begin}/v2/one/blobs/uploads/`)
  }
})

test('gc removes unused data while the registry serves; a dry run removes nothing', async () => {
  await using registry = await BerthRegistry.start({ config: 'gc: {grace: 0}\n' })
  await push(registry, 'app:1')
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/1`, { method: 'HEAD' })).status, 200)
  const digest = (await fetch(`${registry.url}/v2/app/manifests/1`)).headers.get('docker-content-digest')
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/${digest}`, { method: 'DELETE' })).status, 202)
  const dry = await registry.command(['gc', '--dry-run'])
  assert.match(dry.stdout, /^Blobs would be deleted: 2$/m)
  assert.match(dry.stdout, /^Space that would be freed: \d/m)
  const blobs = (): number => readdirSync(registry.path('storage'), { recursive: true }).filter((path) => /blobs\/.*\/[0-9a-f]{64}$/.test(String(path))).length // biome-ignore format: one line
  assert.equal(blobs(), 2)
  assert.match((await registry.command(['gc'])).stdout, /^Blobs deleted: 2$/m)
  assert.equal(blobs(), 0)
  await push(registry, 'app:2')
  assert.match((await registry.command(['gc'])).stdout, /^Blobs kept: 2\nBlobs deleted: 0$/m)
  const none = await runCommand(berthProgram, ['registry', 'gc', '--storage', join(work, 'nowhere')])
  assert.deepEqual([none.code, none.stderr], [1, `there is no registry in ${join(work, 'nowhere')}\n`])
})

test('gc runs at the configured interval', async () => {
  await using registry = await BerthRegistry.start()
  await push(registry, 'app:1')
  const digest = (await fetch(`${registry.url}/v2/app/manifests/1`)).headers.get('docker-content-digest')
  await fetch(`${registry.url}/v2/app/manifests/${digest}`, { method: 'DELETE' })
  await registry.stop()
  registry.configure('gc: {interval: 100ms, grace: 0}\n')
  await registry.start()
  await registry.sees(/garbage collected .*blobsDeleted=[12] /)
})

test('check reports problems and changes nothing', async () => {
  const file = join(work, 'checked.yml')
  const check = async (text: string): Promise<readonly [number | null, string]> => {
    writeFileSync(file, text)
    const { code, stdout, stderr } = await runCommand(berthProgram, ['registry', 'check', '--config', file])
    return [code, stdout + stderr]
  }
  writeFileSync(join(work, 'users'), 'alice:$2y$05$0000000000000000000000000000000000000000000000000000u\n')
  assert.deepEqual(await check('auth: {htpasswd: users, tokens: {}}\nstorage: {folder: not-made}'), [
    0,
    'configuration OK\n',
  ])
  assert.ok(!existsSync(join(work, 'not-made')))
  assert.deepEqual(await check('log: {level: loud}'), [1, `${file}:1: log.level: must be debug, info, warn or error\n`])
  const missing = await check('tls: {certificate: no.crt, key: no.key}')
  assert.equal(missing[0], 1)
  assert.match(missing[1], /^tls\.certificate: ENOENT: no such file or directory, open '.*no\.crt'\n$/)
  assert.match((await check('auth: {htpasswd: nobody}'))[1], /^users: ENOENT/)
  assert.match((await check('auth: {htpasswd: users, tokens: {key: users}}'))[1], /users: not a private key in PEM/)
  const none = await runCommand(berthProgram, ['registry', 'check', '--config', join(work, 'none.yml')])
  assert.deepEqual([none.code, none.stderr], [1, `${join(work, 'none.yml')}: no such file\n`])
})

test('htpasswd prints lines that the registry accepts', async () => {
  const line = await runCommand(berthProgram, ['registry', 'htpasswd', 'alice'], { input: 'a secret\n' })
  assert.match(line.stdout, /^alice:\$2[aby]\$10\$[./A-Za-z0-9]{53}\n$/)
  await using registry = await BerthRegistry.start({
    config: 'auth: {htpasswd: users}\n',
    files: { users: line.stdout },
  })
  const status = async (credentials: string): Promise<number> => {
    const headers = { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    return (await fetch(`${registry.url}/v2/`, { headers })).status
  }
  assert.deepEqual(
    [await status('alice:a secret'), await status('alice:a secre'), await status('bob:x')],
    [200, 401, 401],
  )
  for (const [user, input, message] of [
    ['a:b', 'x', 'invalid user name "a:b"\n'],
    ['alice', '\n', 'the password is empty\n'],
    ['alice', 'x'.repeat(73), 'the password is longer than 72 bytes\n'],
  ] as const) {
    const refused = await runCommand(berthProgram, ['registry', 'htpasswd', user], { input })
    assert.deepEqual([refused.code, refused.stderr], [1, message])
  }
})
