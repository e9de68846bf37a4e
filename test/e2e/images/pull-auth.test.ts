/** Pulls from registries that require a login: passwords, tokens, identity tokens. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { TokenService } from '../../helpers/registries/token-service.ts'

/** bcrypt of `secret`. */
const secretHash = '$2b$05$fEAdC1iUfDoTOeEFr8nGXukf9prnh7ycpifAoxRUaIqtIiwqFRWaa'
let directory: string
let archive: string
let id: string
let daemon: TestDaemon
/** An empty configuration of the CLI, because the one with logins belongs to other tests. */
let clientConfig: string

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  archive = join(directory, 'busybox.tar')
  id = await writeBusyboxArchive({ path: archive })
  daemon = await TestDaemon.start()
  clientConfig = join(directory, 'docker')
  mkdirSync(clientConfig)
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Stores credentials for a registry in the CLI's configuration, as `docker login` does. */
function knows(registry: string, login: { auth?: string; identitytoken?: string }): NodeJS.ProcessEnv {
  writeFileSync(join(clientConfig, 'config.json'), JSON.stringify({ auths: { [registry]: login } }))
  return { DOCKER_CONFIG: clientConfig }
}

function basic(user: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') }
}

async function pullError(reference: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stderr } = await daemon.docker(['pull', reference], { env })
  assert.equal(code, 1, reference)
  return stderr.replace(/^Error response from daemon: /, '').trimEnd()
}

async function pulls(reference: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  await daemon.ok(['pull', '-q', reference], { env })
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', reference]), id)
  await daemon.ok(['rmi', reference])
}

/** Checks that secrets are not in the log. */
function assertNotLogged(...secrets: readonly string[]): void {
  for (const secret of secrets) assert.ok(!daemon.log.includes(secret), 'the log has no credentials')
}

test('htpasswd: the right password works, a wrong one or none does not', async () => {
  await using registry = await TestRegistry.start({ htpasswd: `joe:${secretHash}\n` })
  const name = await registry.push(archive, 'team/app:1', ['--dest-creds', 'joe:secret'])
  await pulls(name, knows(registry.name, basic('joe', 'secret')))
  const wrong = await pullError(name, knows(registry.name, basic('joe', 'wrong-password')))
  assert.equal(wrong, 'unauthorized: authentication required')
  const none = `http://${registry.name}/v2/team/app/`
  assert.equal(await pullError(name, knows('elsewhere', {})), `Head "${none}manifests/1": no basic auth credentials`)
  const all = await daemon.docker(['pull', '-a', `${registry.name}/team/app`], { env: knows('elsewhere', {}) })
  assert.match(all.stderr, new RegExp(`Get "${none}tags/list": no basic auth credentials`))
  assertNotLogged('wrong-password', basic('joe', 'secret').auth)
})

describe('a token service', () => {
  let tokens: TokenService
  let registry: TestRegistry
  let secret: string
  let open: string
  before(async () => {
    tokens = await TokenService.start({
      users: { joe: 'secret', eve: 'secret2' },
      allows: (user, repository, action) => user === 'joe' || (action === 'pull' && repository.startsWith('open/')),
    })
    registry = await TestRegistry.start({ tokens: tokens.registryTokens })
    secret = await registry.push(archive, 'team/app:1', ['--dest-creds', 'joe:secret'])
    open = await registry.push(archive, 'open/app:1', ['--dest-creds', 'joe:secret'])
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await tokens?.[Symbol.asyncDispose]()
  })

  test('works anonymously, with a password, and with an identity token', async () => {
    tokens.requests.length = 0
    await pulls(open, knows('elsewhere', {}))
    assert.deepEqual(tokens.requests, [
      { method: 'GET', grant: 'basic', user: undefined, scopes: ['repository:open/app:pull'], account: undefined },
    ])
    tokens.requests.length = 0
    await pulls(secret, knows(registry.name, basic('joe', 'secret')))
    assert.deepEqual(tokens.requests, [
      { method: 'GET', grant: 'basic', user: 'joe', scopes: ['repository:team/app:pull'], account: 'joe' },
    ])
    tokens.requests.length = 0
    const identity = tokens.identityTokenOf('joe')
    await pulls(secret, knows(registry.name, { ...basic('<token>', ''), identitytoken: identity }))
    assert.deepEqual(
      tokens.requests.map(({ grant, user, scopes }) => [grant, user, scopes]),
      [['refresh_token', 'joe', ['repository:team/app:pull']]],
    )
    assertNotLogged(identity, basic('joe', 'secret').auth)
  })

  test('reports an error to a user without the right to pull', async () => {
    const denied = `pull access denied for ${registry.name}/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`
    assert.equal(await pullError(secret, knows('elsewhere', {})), denied)
    assert.equal(await pullError(secret, knows(registry.name, basic('eve', 'secret2'))), denied)
    const wrong = await pullError(secret, knows(registry.name, basic('joe', 'wrong-password')))
    assert.equal(wrong, 'unauthorized: incorrect username or password')
  })

  test('an expired token is replaced', async () => {
    tokens.lifetimeSeconds = 1
    tokens.saysLifetime = false
    try {
      const env = knows(registry.name, basic('joe', 'secret'))
      await pulls(secret, env)
      // The daemon still considers the token valid, the registry does not (it allows one minute of clock skew).
      tokens.lifetimeSeconds = -120
      tokens.requests.length = 0
      assert.equal((await daemon.docker(['pull', '-q', `${secret}-none`], { env })).code, 1)
      tokens.lifetimeSeconds = 300
      await pulls(secret, env)
    } finally {
      tokens.lifetimeSeconds = 300
      tokens.saysLifetime = true
    }
  })
})
