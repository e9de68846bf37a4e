/** Login, logout and search with the official CLI and with berth, against Debian's docker-registry: with a password
 *  file, with a token service and with TLS, and followed by pull and push. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { TestAuthority } from '../../helpers/certificates.ts'
import { type CommandResult, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { TokenService } from '../../helpers/registries/token-service.ts'

/** bcrypt of `secret`. */
const secretHash = '$2b$05$fEAdC1iUfDoTOeEFr8nGXukf9prnh7ycpifAoxRUaIqtIiwqFRWaa'
const clients = ['docker', 'berth'] as const
type Client = (typeof clients)[number]

let work: string
let config: string
let daemon: TestDaemon
let plain: TestRegistry
let tokens: TokenService
let tokenRegistry: TestRegistry

before(async () => {
  work = mkdtempSync('/tmp/b-login-')
  daemon = await TestDaemon.start({ flags: ['--registry-certs-dir', join(work, 'certs.d')] })
  plain = await TestRegistry.start({ htpasswd: `joe:${secretHash}\n` })
  tokens = await TokenService.start({
    users: { joe: 'secret', eve: 'secret2' },
    allows: (user, repository, action) =>
      user === 'joe' || (user === 'eve' && (action === 'pull' || repository.startsWith('eve/'))),
  })
  tokenRegistry = await TestRegistry.start({ tokens: tokens.registryTokens })
  const archive = join(work, 'box.tar')
  await writeBusyboxArchive({ path: archive, reference: 'box:1' })
  await daemon.ok(['load', '-q', '-i', archive])
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await plain?.[Symbol.asyncDispose]()
  await tokenRegistry?.[Symbol.asyncDispose]()
  await tokens?.[Symbol.asyncDispose]()
  rmSync(work, { recursive: true, force: true })
})
beforeEach(() => {
  config = mkdtempSync(join(work, 'config-'))
})

function run(client: Client, args: readonly string[], { input = '', path = '' } = {}): Promise<CommandResult> {
  const PATH = path === '' ? process.env.PATH : `${path}:${process.env.PATH}`
  return daemon[client](args, { input, env: { DOCKER_CONFIG: config, PATH } })
}

function login(client: Client, server: string, user: string, password: string): Promise<CommandResult> {
  return run(client, ['login', '-u', user, '--password-stdin', server], { input: `${password}\n` })
}

async function succeeds(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result
  assert.equal(code, 0, stderr)
  return stdout
}

async function fails(result: Promise<CommandResult>): Promise<string> {
  const { code, stderr } = await result
  assert.equal(code, 1)
  return stderr.trim()
}

const configFile = (): Record<string, unknown> => JSON.parse(readFileSync(join(config, 'config.json'), 'utf8'))
const refused = 'Error response from daemon: '

for (const client of clients) {
  describe(`${client} login`, () => {
    test('works with a password file', async () => {
      const name = `${plain.name}/${client}/app:1`
      await daemon.ok(['tag', 'box:1', name])
      assert.equal(await fails(run(client, ['push', name])), 'no basic auth credentials')
      const wrong = `login attempt to http://${plain.name}/v2/ failed with status: 401 Unauthorized`
      assert.equal(await fails(login(client, plain.name, 'joe', 'wrong')), refused + wrong)
      assert.ok(!existsSync(join(config, 'config.json')))

      assert.equal(await succeeds(login(client, plain.name, 'joe', 'secret')), 'Login Succeeded\n')
      const auth = Buffer.from('joe:secret').toString('base64')
      assert.deepEqual(configFile(), { auths: { [plain.name]: { auth } } })
      assert.equal(statSync(join(config, 'config.json')).mode & 0o777, 0o600)
      await succeeds(run(client, ['push', name]))
      await daemon.ok(['rmi', name])
      // `run` pulls with the same credentials.
      assert.equal(await succeeds(run(client, ['run', '--rm', '-q', name, 'echo', 'here'])), 'here\n')
      const authFile = ['--authfile', join(config, 'config.json'), '--tls-verify=false']
      await runOrThrow('skopeo', ['inspect', ...authFile, `docker://${name}`])

      const out = await succeeds(run(client, ['logout', plain.name]))
      assert.equal(out, `Removing login credentials for ${plain.name}\n`)
      assert.deepEqual(configFile(), { auths: {} })
      assert.equal(await fails(run(client, ['push', name])), 'no basic auth credentials')
      assert.ok(!daemon.log.includes(auth))
    })

    test('a token service: the client stores an identity token in place of the password', async () => {
      const name = `${tokenRegistry.name}/${client}/app:1`
      await daemon.ok(['tag', 'box:1', name])
      const wrong = `Get "http://${tokenRegistry.name}/v2/": unauthorized: incorrect username or password`
      assert.equal(await fails(login(client, tokenRegistry.name, 'joe', 'wrong')), refused + wrong)
      await succeeds(login(client, tokenRegistry.name, 'joe', 'secret'))
      const { auths } = configFile() as { auths: Record<string, { auth: string; identitytoken: string }> }
      const kept = auths[tokenRegistry.name]
      assert.equal(Buffer.from(kept?.auth ?? '', 'base64').toString(), 'joe:')
      assert.match(kept?.identitytoken ?? '', /^[0-9a-f-]{36}$/)
      tokens.requests.length = 0
      await succeeds(run(client, ['push', name]))
      assert.deepEqual([...new Set(tokens.requests.map(({ grant }) => grant))], ['refresh_token'])
      const wanted = `repository:${client}/app:pull,push`
      assert.ok(tokens.requests.some(({ scopes }) => scopes.includes(wanted)))
      await daemon.ok(['rmi', name])
      await succeeds(run(client, ['pull', '-q', name]))
      assert.ok(!daemon.log.includes(kept?.identitytoken ?? ''))

      await succeeds(login(client, tokenRegistry.name, 'eve', 'secret2'))
      assert.equal(await fails(run(client, ['push', name])), 'denied: requested access to the resource is denied')
    })

    test('a mount from a repository requests the right to read it', async () => {
      const [first, second] = [`${tokenRegistry.name}/eve/one${client}:1`, `${tokenRegistry.name}/eve/two${client}:1`]
      await succeeds(login(client, tokenRegistry.name, 'eve', 'secret2'))
      for (const name of [first, second]) await daemon.ok(['tag', 'box:1', name])
      await succeeds(run(client, ['push', first]))
      tokens.requests.length = 0
      assert.match(await succeeds(run(client, ['push', second])), /Mounted from /)
      assert.ok(tokens.requests.some(({ scopes }) => scopes.some((scope) => /^repository:.*:pull$/.test(scope))))
    })

    test('TLS with an authority in certs.d', async () => {
      const authority = await TestAuthority.create()
      const { certificate, key } = await authority.issue('registry')
      await using registry = await TestRegistry.start({ tls: { certificate, key }, htpasswd: `joe:${secretHash}\n` })
      const name = `${registry.name}/tls/app:1`
      mkdirSync(join(work, 'certs.d', registry.name), { recursive: true })
      writeFileSync(join(work, 'certs.d', registry.name, 'ca.crt'), authority.certificate)
      assert.equal(await succeeds(login(client, registry.name, 'joe', 'secret')), 'Login Succeeded\n')
      await daemon.ok(['tag', 'box:1', name])
      await succeeds(run(client, ['push', name]))
      const inspect = ['inspect', '--format', '{{.Digest}}', '--authfile', join(config, 'config.json')]
      const digest = await runOrThrow('skopeo', [
        ...inspect,
        '--cert-dir',
        join(work, 'certs.d', registry.name),
        `docker://${name}`,
      ])
      assert.match(await daemon.ok(['image', 'inspect', '-f', '{{json .RepoDigests}}', name]), new RegExp(digest))
    })

    test('credential helpers store the secrets', async () => {
      const bin = join(work, `bin-${client}`)
      mkdirSync(bin)
      const helper = join(bin, 'docker-credential-test')
      writeFileSync(
        helper,
        `#!/bin/sh\nstore=${bin}/store\necho "$1" >>${bin}/calls\ncase $1 in\nstore) cat >$store ;;\nget) if [ -e $store ]; then cat $store; else echo "credentials not found in native keychain"; exit 1; fi ;;\nerase) rm -f $store ;;\nesac\n`,
      )
      chmodSync(helper, 0o755)
      writeFileSync(join(config, 'config.json'), JSON.stringify({ credHelpers: { [plain.name]: 'test' } }))
      const args = ['login', '-u', 'joe', '--password-stdin', plain.name]
      await succeeds(run(client, args, { input: 'secret', path: bin }))
      assert.deepEqual(configFile(), { auths: { [plain.name]: {} }, credHelpers: { [plain.name]: 'test' } })
      const stored = JSON.parse(readFileSync(join(bin, 'store'), 'utf8'))
      assert.deepEqual(stored, { ServerURL: plain.name, Username: 'joe', Secret: 'secret' })
      const name = `${plain.name}/helped/${client}:1`
      await daemon.ok(['tag', 'box:1', name])
      await succeeds(run(client, ['push', '-q', name], { path: bin }))
      await succeeds(run(client, ['logout', plain.name], { path: bin }))
      assert.ok(!existsSync(join(bin, 'store')))
      // Without its helper, a push has no credentials, and a login cannot save them.
      assert.equal(await fails(run(client, ['push', name])), 'no basic auth credentials')
      const missing = await fails(login(client, plain.name, 'joe', 'secret'))
      assert.match(missing, /^Error saving credentials: .*docker-credential-test.*executable file not found/)
    })

    test('login asks on a terminal and does not show the password', async () => {
      const env = { DOCKER_CONFIG: config }
      const program = client === 'berth' ? [berthProgram] : []
      const terminal = daemon.terminal(['login', plain.name], { rows: 24, columns: 80, env } as never, ...program)
      await terminal.sees('Username: ')
      terminal.write('joe\r')
      await terminal.sees('Password: ')
      terminal.write('secret\r')
      const { code, stdout } = await terminal.ended
      assert.equal(code, 0, stdout)
      assert.match(stdout, /Login Succeeded/)
      assert.match(stdout, /WARNING! Your credentials are stored unencrypted/)
      assert.doesNotMatch(stdout, /secret/)
      assert.deepEqual(Object.keys(configFile().auths as object), [plain.name])
      // With stored credentials, login does not ask.
      assert.equal(await succeeds(run(client, ['login', plain.name])), 'Login Succeeded\n')
    })
  })
}

test("berth login keeps other programs' entries in the file", async () => {
  const path = join(config, 'config.json')
  const others = { psFormat: 'table {{.ID}}', plugins: { x: { y: 'z' } }, auths: { 'other:1': { auth: 'YTpi' } } }
  writeFileSync(path, JSON.stringify(others), { mode: 0o640 })
  await succeeds(login('berth', plain.name, 'joe', 'secret'))
  assert.deepEqual(Object.keys(configFile()), ['psFormat', 'plugins', 'auths'])
  assert.deepEqual(configFile().plugins, others.plugins)
  assert.deepEqual(Object.keys(configFile().auths as object), ['other:1', plain.name])
  assert.match(readFileSync(path, 'utf8'), /^\{\n\t"psFormat"/)
  assert.equal(statSync(path).mode & 0o777, 0o640)
  writeFileSync(path, '{ broken')
  assert.match(await fails(login('berth', plain.name, 'joe', 'secret')), /config\.json/)
  assert.equal(readFileSync(path, 'utf8'), '{ broken')
})

test('a failing login gives an error', async () => {
  for (const client of clients) {
    const closed = await fails(login(client, '127.0.0.1:1', 'joe', 'secret'))
    assert.equal(closed, `${refused}Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`)
    assert.match(await fails(login(client, 'no-such-host.test', 'joe', 'secret')), /no such host$/)
  }
  const bad = await daemon.api<{ message: string }>('POST', '/auth', { username: 1 })
  assert.equal(bad.status, 400)
})

test('search and inspect show what a registry has', async () => {
  await using registry = await BerthRegistry.start()
  const name = `${registry.name}/tools/finder:1`
  await daemon.ok(['tag', 'box:1', name])
  await daemon.ok(['push', '-q', name])
  for (const client of clients) {
    const found = await succeeds(
      run(client, ['search', '--format', '{{.Name}} {{.StarCount}}', `${registry.name}/find`]),
    )
    assert.match(found, /tools\/finder 0\n$/)
    assert.equal(
      await succeeds(run(client, ['search', '-f', 'stars=3', '--format', '{{.Name}}', `${registry.name}/find`])),
      '',
    )
    assert.equal(
      await succeeds(
        run(client, ['search', '-f', 'is-official=true', '--format', '{{.Name}}', `${registry.name}/find`]),
      ),
      '',
    )
    assert.equal(
      await fails(run(client, ['search', '--limit', '101', `${registry.name}/x`])),
      `${refused}limit 101 is outside the range of [1, 100]`,
    )
    assert.equal(
      await fails(run(client, ['search', '-f', 'foo=1', `${registry.name}/x`])),
      `${refused}invalid filter 'foo'`,
    )
    assert.match(
      await fails(run(client, ['search', '-f', 'stars=a', `${registry.name}/x`])),
      /invalid filter 'stars=a'/,
    )
    assert.equal(
      await fails(run(client, ['search', `${tokenRegistry.name}/x`])),
      `${refused}Unexpected status code 404`,
    )
  }
  const { status, body } = await daemon.api<{ Descriptor: { digest: string }; Platforms: { os: string }[] }>(
    'GET',
    `/distribution/${name}/json`,
  )
  assert.equal(status, 200)
  const digest = await runOrThrow('skopeo', [
    'inspect',
    '--tls-verify=false',
    '--format',
    '{{.Digest}}',
    `docker://${name}`,
  ])
  assert.equal(body.Descriptor.digest, digest)
  assert.deepEqual(
    body.Platforms.map(({ os }) => os),
    ['linux'],
  )
  assert.equal((await daemon.api('GET', `/distribution/${registry.name}/tools/none:1/json`)).status, 404)
})
