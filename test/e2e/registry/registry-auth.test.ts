/** Logins to Berth's registry and rights in it, as skopeo, podman and docker see them. */
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { hashSync } from 'bcryptjs'
import { type IssuedCertificate, TestAuthority } from '../../helpers/certificates.ts'
import { type CommandResult, runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

const work = mkdtempSync('/tmp/b-ra-')
const archive = join(work, 'image.tar')
let authority: TestAuthority
let imageId: string

before(async () => {
  imageId = await writeBusyboxArchive({ path: archive })
  authority = await TestAuthority.create()
})
after(() => rmSync(work, { recursive: true, force: true }))

const htpasswd = ['alice', 'bob', 'root'].map((name) => `${name}:${hashSync(`${name}-secret`, 5)}\n`).join('')

const rules = `
  groups: {developers: [alice, root]}
  rules:
    - {anonymous: true, repositories: ['public/**'], actions: [pull]}
    - {groups: [developers], repositories: ['team/*', '\${user}/**'], actions: [pull, push]}
    - {users: [bob], repositories: ['team/*'], actions: [pull]}
    - {users: [root], repositories: ['**'], actions: ['*'], catalog: true}
`
const basic = `auth:\n  htpasswd: htpasswd${rules}`
const tokens = `auth:\n  htpasswd: htpasswd\n  tokens: {service: test-registry}${rules}`

const secretOf = (user: string): string => `${user}:${user}-secret`

/** Arguments that make skopeo trust the test authority. */
const anyTls = ['--src-tls-verify=false', '--dest-tls-verify=false']

function copy(source: string, target: string, flags: readonly string[] = []): Promise<CommandResult> {
  return runCommand('skopeo', ['--insecure-policy', 'copy', '--quiet', ...anyTls, ...flags, source, target])
}

function push(registry: { readonly name: string }, repository: string, user?: string): Promise<CommandResult> {
  const credentials = user === undefined ? ['--dest-no-creds'] : ['--dest-creds', secretOf(user)]
  return copy(`docker-archive:${archive}`, `docker://${registry.name}/${repository}`, credentials)
}

function pull(registry: { readonly name: string }, repository: string, user?: string): Promise<CommandResult> {
  return pullAs(registry, repository, user === undefined ? ['--src-no-creds'] : ['--src-creds', secretOf(user)])
}

function pullAs(
  registry: { readonly name: string },
  repository: string,
  credentials: readonly string[],
): Promise<CommandResult> {
  const target = mkdtempSync(join(work, 'pulled-'))
  return copy(`docker://${registry.name}/${repository}`, `dir:${target}`, credentials)
}

function assertDone({ code, stderr }: CommandResult): void {
  assert.equal(code, 0, stderr)
}

function assertRefused({ code, stderr }: CommandResult): void {
  assert.notEqual(code, 0)
  assert.match(stderr, /denied|forbidden|unauthorized|authentication required/i)
}

/** Checks that every right allows its operation, and that its absence refuses it. */
async function checkRights(registry: BerthRegistry): Promise<void> {
  assertDone(await push(registry, 'team/app:1', 'alice'))
  assertDone(await push(registry, 'public/tools/app:1', 'root'))
  assertDone(await push(registry, 'alice/own/app:1', 'alice'))
  const refused = await Promise.all([
    push(registry, 'team/app:2'),
    push(registry, 'team/app:2', 'bob'),
    push(registry, 'public/app:1', 'alice'),
    push(registry, 'root/app:1', 'alice'),
    pull(registry, 'team/app:1'),
    pull(registry, 'alice/own/app:1', 'bob'),
    pullAs(registry, 'team/app:1', ['--src-creds', 'alice:wrong']),
    pullAs(registry, 'team/app:1', ['--src-creds', 'mallory:alice-secret']),
  ])
  for (const result of refused) assertRefused(result)
  const allowed = await Promise.all([
    pull(registry, 'public/tools/app:1'),
    pull(registry, 'public/tools/app:1', 'bob'),
    pull(registry, 'team/app:1', 'bob'),
    pull(registry, 'alice/own/app:1', 'root'),
  ])
  for (const result of allowed) assertDone(result)
  const remove = (user: string): Promise<CommandResult> => {
    const flags = ['--tls-verify=false', '--creds', secretOf(user)]
    return runCommand('skopeo', ['delete', ...flags, `docker://${registry.name}/team/app:1`])
  }
  assertRefused(await remove('alice'))
  assertDone(await remove('root'))
  assert.notEqual((await pull(registry, 'team/app:1', 'root')).code, 0)
}

function ask(registry: BerthRegistry, path: string, user?: string): Promise<Response> {
  const headers = user === undefined ? {} : { Authorization: `Basic ${Buffer.from(secretOf(user)).toString('base64')}` }
  return fetch(registry.url + path, { headers })
}

for (const [what, config] of [
  ['passwords', basic],
  ['tokens', tokens],
] as const) {
  test(`rights of users with ${what}: skopeo pushes, pulls and deletes what the rules allow`, async () => {
    await using registry = await BerthRegistry.start({ config, files: { htpasswd } })
    await checkRights(registry)
    const searchOf = async (user?: string): Promise<unknown> => {
      const { results } = (await (await ask(registry, '/v1/search?q=app', user)).json()) as {
        results: { name: string }[]
      }
      return results.map(({ name }) => name)
    }
    assert.deepEqual(await searchOf(), ['public/tools/app'])
    assert.deepEqual(await searchOf('alice'), ['alice/own/app', 'public/tools/app'])
    assert.equal((await ask(registry, '/v2/_catalog', 'alice')).status, 403)
    assert.deepEqual(await (await ask(registry, '/v2/_catalog', 'root')).json(), {
      repositories: ['alice/own/app', 'public/tools/app'],
    })
    await registry.stop()
    assert.match(registry.log, / alice \[[^\]]+\] "PUT \/v2\/alice\/own\/app\/manifests\/1 HTTP\/1\.1" 201 /)
    for (const secret of ['-secret', Buffer.from(secretOf('alice')).toString('base64'), 'eyJ']) {
      assert.ok(!registry.log.includes(secret), `${secret} is in the log`)
    }
  })
}

/** podman with its own storage. */
function podman(args: readonly string[], input?: string): Promise<CommandResult> {
  const storage = ['--root', join(work, 'podman'), '--runroot', join(work, 'podman-run'), '--storage-driver', 'vfs']
  return runCommand('podman', [...storage, ...args], input === undefined ? {} : { input })
}

test('podman and skopeo log in, and users change while the registry runs', async () => {
  await using registry = await BerthRegistry.start({ config: tokens, files: { htpasswd } })
  const authfile = join(work, 'auth.json')
  const login = (program: 'podman' | 'skopeo', user: string, password: string): Promise<CommandResult> => {
    const args = ['login', '--tls-verify=false', '--authfile', authfile, '-u', user, '--password-stdin', registry.name]
    return program === 'podman' ? podman(args, password) : runCommand('skopeo', args, { input: password })
  }
  const wrong = await login('podman', 'alice', 'x')
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.stderr, /invalid username\/password/)
  assertDone(await login('podman', 'alice', 'alice-secret'))
  assertDone(await login('skopeo', 'alice', 'alice-secret'))
  const loaded = await podman(['load', '-q', '-i', archive])
  assertDone(loaded)
  const reference = `${registry.name}/team/podman:1`
  const flags = ['--tls-verify=false', '--authfile', authfile, '-q']
  assertDone(await podman(['push', ...flags, loaded.stdout.replace('Loaded image: ', '').trim(), reference]))
  assertDone(await podman(['rmi', '-af']))
  assertDone(await podman(['pull', ...flags, reference]))
  const inspected = await podman(['image', 'inspect', '--format', '{{.Id}}', reference])
  assert.equal(`sha256:${inspected.stdout.trim()}`, imageId)
  writeFileSync(registry.path('htpasswd'), htpasswd.replace(/^alice:.*\n/, '').replace('bob:', 'carol:'))
  assert.notEqual((await login('skopeo', 'alice', 'alice-secret')).code, 0)
  assertDone(await login('skopeo', 'carol', 'bob-secret'))
})

/** The lines of `registry.yml` for certificates in the same directory. */
const tls = 'tls: {certificate: server.crt, key: server.key}\n'

function tlsFiles({ certificate, key }: IssuedCertificate): Record<string, string> {
  return { 'server.crt': certificate, 'server.key': key, htpasswd }
}

/** A directory for skopeo's `--cert-dir`. */
function trust(client?: IssuedCertificate, ca = authority): string {
  const directory = mkdtempSync(join(work, 'certs-'))
  writeFileSync(join(directory, 'ca.crt'), ca.certificate)
  if (client !== undefined) {
    writeFileSync(join(directory, 'client.cert'), client.certificate)
    writeFileSync(join(directory, 'client.key'), client.key)
  }
  return directory
}

function pushByTls(registry: BerthRegistry, certificates: string, user = 'alice'): Promise<CommandResult> {
  const flags = ['--dest-cert-dir', certificates, '--dest-creds', secretOf(user)]
  const target = `docker://${registry.name}/team/app:1`
  return runCommand('skopeo', ['--insecure-policy', 'copy', '-q', ...flags, `docker-archive:${archive}`, target])
}

test('TLS: clients that trust the authority push with tokens; a reload switches the certificate', async () => {
  const files = tlsFiles(await authority.issue('registry'))
  await using registry = await BerthRegistry.start({ config: tls + tokens, files })
  assert.match(registry.url, /^https:/)
  assertDone(await pushByTls(registry, trust()))
  assert.match(
    (await pushByTls(registry, mkdtempSync(join(work, 'none-')))).stderr,
    /certificate signed by unknown authority/,
  )
  const other = await TestAuthority.create('Other authority')
  const { certificate, key } = await other.issue('registry')
  writeFileSync(registry.path('server.crt'), certificate)
  registry.kill('SIGHUP')
  await registry.sees(/configuration not reloaded.*server\.key can't be used/)
  assertDone(await pushByTls(registry, trust()))
  writeFileSync(registry.path('server.key'), key)
  registry.configure(`readonly: true\n${tls}${tokens}`)
  registry.kill('SIGHUP')
  await registry.sees(/these settings change with a restart only settings=readonly\n/)
  await registry.sees('configuration reloaded')
  assert.match((await pushByTls(registry, trust())).stderr, /unknown authority/)
  assertDone(await pushByTls(registry, trust(undefined, other)))
})

test('TLS with client certificates: only clients with a certificate get in', async () => {
  const files = { ...tlsFiles(await authority.issue('registry')), 'clients.crt': authority.certificate }
  await using registry = await BerthRegistry.start({
    config: tls.replace('}', ', clientCa: clients.crt}') + basic,
    files,
  })
  const stranger = await TestAuthority.create('Stranger')
  const [holder, other] = await Promise.all([
    authority.issue('client', 'clientAuth'),
    stranger.issue('client', 'clientAuth'),
  ])
  assertDone(await pushByTls(registry, trust(holder)))
  assertRefused(await pushByTls(registry, trust(holder), 'bob'))
  assert.match((await pushByTls(registry, trust())).stderr, /certificate required/)
  assert.notEqual((await pushByTls(registry, trust(other))).code, 0)
})

test("tokens of one registry are valid for others: Debian's docker-registry, and Berth", async () => {
  // One key pair: the service signs with it, the others have its certificate.
  const { certificate, key } = await authority.issue('tokens')
  const config = tokens.replace('service: test-registry', 'service: shared, issuer: test, key: token.key')
  await using service = await BerthRegistry.start({ config, files: { htpasswd, 'token.key': key } })
  const realm = `${service.url}/token`
  await using debian = await TestRegistry.start({ tokens: { realm, service: 'shared', issuer: 'test', certificate } })
  const external = `auth: {external: {realm: '${realm}', service: shared, issuer: test, certificates: token.crt}}\n`
  await using berth = await BerthRegistry.start({ config: external, files: { 'token.crt': certificate } })
  for (const registry of [debian, berth]) {
    assertDone(await push(registry, 'team/app:1', 'alice'))
    assertDone(await pull(registry, 'team/app:1', 'bob'))
    for (const refused of [
      push(registry, 'team/app:2', 'bob'),
      pull(registry, 'team/app:1'),
      push(registry, 'other/app:1', 'alice'),
    ]) {
      assertRefused(await refused)
    }
  }
})

test('docker logs in, pushes, searches, pulls and logs out through an engine with a client certificate', async () => {
  const files = { ...tlsFiles(await authority.issue('registry')), 'clients.crt': authority.certificate }
  const withClients = tls.replace('}', ', clientCa: clients.crt}')
  await using registry = await BerthRegistry.start({ config: withClients + tokens, files })
  const certificates = mkdtempSync(join(work, 'certs.d-'))
  renameSync(trust(await authority.issue('client', 'clientAuth')), join(certificates, registry.name))
  await using daemon = await TestDaemon.start({ flags: ['--registry-certs-dir', certificates] })
  const env = { DOCKER_CONFIG: mkdtempSync(join(work, 'docker-')) }
  const docker = (...args: readonly string[]): Promise<CommandResult> => daemon.docker(args, { env })
  const login = (user: string, input: string): Promise<CommandResult> =>
    daemon.docker(['login', '-u', user, '--password-stdin', registry.name], { env, input })
  assertDone(await docker('load', '-i', archive))
  const wrong = await login('alice', 'x')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /unauthorized: incorrect username or password/)
  assert.match((await login('alice', 'alice-secret')).stdout, /Login Succeeded/)
  const reference = `${registry.name}/team/docker:1`
  assertDone(await docker('tag', 'busybox', reference))
  assertDone(await docker('push', reference))
  assertDone(await docker('tag', 'busybox', `${registry.name}/public/docker:1`))
  const refused = await docker('push', `${registry.name}/public/docker:1`)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /denied: requested access to the resource is denied/)
  const found = await docker('search', '--format', '{{.Name}} {{.StarCount}}', `${registry.name}/dock`)
  assert.match(found.stdout, /team\/docker 0\n$/)
  assertDone(await docker('rmi', '-f', reference))
  assertDone(await docker('pull', '-q', reference))
  assert.equal(await daemon.ok(['image', 'inspect', '-f', '{{.Id}}', reference]), imageId)
  assertDone(await docker('logout', registry.name))
  assertRefused(await docker('pull', reference))
})
