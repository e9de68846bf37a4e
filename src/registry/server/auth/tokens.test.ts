import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import type { AccessDecision, AccessScope } from '../model/authorizer.ts'
import { AccessRules } from './access-rules.ts'
import { BasicAuthorizer } from './basic-authorizer.ts'
import { BearerAuthorizer } from './bearer-authorizer.ts'
import { parseScopes } from './scope-text.ts'
import { keyId, type SigningKey } from './token-keys.ts'
import { type TokenAnswer, TokenService } from './token-service.ts'
import { TokenVerifier } from './token-verifier.ts'
import type { UserDirectory } from './user-directory.ts'

const nobody = { users: [], groups: [], anonymous: false, repositories: [], actions: [], catalog: false }
const rules = new AccessRules({
  rules: [
    { ...nobody, anonymous: true, repositories: ['public/*'], actions: ['pull'] },
    { ...nobody, users: ['alice'], repositories: ['team/*'], actions: ['pull', 'push'], catalog: true },
  ],
})
const passwords = new Map([['alice', 'secret'], ['bob', 'secret']]) // biome-ignore format: one line
const users: UserDirectory = {
  verify: async (name, password) => passwords.get(name) === password,
  fingerprint: async (name) => passwords.get(name) && `print of ${passwords.get(name)}`,
}

function makeKey(): SigningKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...pair, id: keyId(pair.publicKey) }
}

const key = makeKey()
const base = { service: 'reg', issuer: 'iss', key, users, rules, expiresMs: 60_000, refreshExpiresMs: 600_000 }
const service = new TokenService(base)
const bearer = new BearerAuthorizer({
  verifier: service.verifier,
  service: 'reg',
  rules,
  basic: new BasicAuthorizer({ realm: 'r', users, rules }),
})

const basicOf = (name: string, password = 'secret'): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

const get = (query: string, authorization?: string): Promise<TokenAnswer> =>
  service.answer({ method: 'GET', query: new URLSearchParams(query), authorization })
const post = (form: string): Promise<TokenAnswer> =>
  service.answer({
    method: 'POST',
    query: new URLSearchParams(),
    authorization: undefined,
    form: new URLSearchParams(form),
  })

function authorize(authorization: string | undefined, wanted: readonly AccessScope[]): Promise<AccessDecision> {
  const headers = { host: 'reg.test:5000', ...(authorization === undefined ? {} : { authorization }) }
  return bearer.authorize({ method: 'GET', path: '/v2/', headers, remoteAddress: '', isTls: true, wanted })
}

const repository = (name: string, ...actions: AccessScope['actions']): AccessScope => ({
  type: 'repository',
  name,
  actions,
})

test('TokenService.answer() grants each user what the rules allow', async () => {
  const scope =
    'service=reg&scope=repository:team/a:pull,push,delete&scope=repository:public/b:pull,push registry:catalog:*'
  const access = async (answer: Promise<TokenAnswer>): Promise<unknown> => {
    const { status, body } = await answer
    assert.equal(status, 200)
    assert.equal(body.token, body.access_token)
    assert.equal(body.expires_in, 60)
    assert.equal(body.refresh_token, undefined)
    return decodeJwt(String(body.token)).access
  }
  const team = repository('team/a', 'pull', 'push')
  const open = repository('public/b', 'pull')
  assert.deepEqual(await access(get(scope, basicOf('alice'))), [
    team,
    open,
    { type: 'registry', name: 'catalog', actions: ['*'] },
  ])
  assert.deepEqual(await access(get(scope, basicOf('bob'))), [open])
  assert.deepEqual(await access(get(scope)), [open])
  assert.deepEqual(await access(get('')), [])
  assert.deepEqual(await access(get(scope, basicOf('', ''))), [open])
  const password =
    'grant_type=password&service=reg&client_id=x&username=alice&password=secret&scope=repository:team/a:pull'
  assert.deepEqual(await access(post(password)), [repository('team/a', 'pull')])
})

for (const [what, answer, status, code] of [
  ['a wrong password', () => get('', basicOf('alice', 'x')), 401, 'invalid_grant'],
  ['another scheme', () => get('', 'Negotiate x'), 401, 'invalid_grant'],
  ['another service', () => get('service=other', basicOf('alice')), 400, 'invalid_request'],
  ['too many scopes', () => get(`scope=${'repository:a:pull+'.repeat(101)}`), 400, 'invalid_scope'],
  ['an unknown grant', () => post('grant_type=client_credentials'), 400, 'unsupported_grant_type'],
  ['a wrong password in a form', () => post('grant_type=password&username=alice&password=x'), 401, 'invalid_grant'],
  ['no refresh token', () => post('grant_type=refresh_token'), 401, 'invalid_grant'],
] as const) {
  test(`TokenService.answer() refuses ${what}`, async () => {
    const result = await answer()
    assert.equal(result.status, status)
    assert.equal(result.body.error, code)
    assert.ok(Array.isArray(result.body.errors))
  })
}

test('TokenService.answer() issues refresh tokens that end with the password', async () => {
  const { body } = await get('offline_token=true&scope=repository:team/a:pull', basicOf('alice'))
  const refresh = String(body.refresh_token)
  const form = `grant_type=refresh_token&service=reg&scope=repository:team/a:push&refresh_token=${refresh}`
  const renewed = await post(form)
  assert.equal(renewed.status, 200)
  assert.equal(renewed.body.refresh_token, refresh)
  assert.deepEqual(decodeJwt(String(renewed.body.access_token)).access, [repository('team/a', 'push')])
  assert.equal((await authorize(`Bearer ${refresh}`, [])).kind, 'challenge', 'no access by a refresh token')
  assert.equal(
    (await post(`grant_type=refresh_token&refresh_token=${body.token}`)).status,
    401,
    'no refresh by an access token',
  )
  passwords.set('alice', 'changed')
  assert.equal((await post(form)).status, 401)
  passwords.delete('alice')
  assert.equal((await post(form)).status, 401)
  passwords.set('alice', 'secret')
  assert.equal((await get('offline_token=true')).body.refresh_token, undefined)
})

test('BearerAuthorizer names the token service in its challenge', async () => {
  assert.deepEqual(await authorize(undefined, [repository('team/a', 'pull', 'push'), repository('b', 'pull')]), {
    kind: 'challenge',
    challenge:
      'Bearer realm="https://reg.test:5000/token",service="reg",scope="repository:team/a:pull,push repository:b:pull"',
    user: undefined,
  })
  assert.deepEqual(await authorize('Bearer rubbish', []), {
    kind: 'challenge',
    challenge: 'Bearer realm="https://reg.test:5000/token",service="reg",error="invalid_token"',
    user: undefined,
  })
})

test('BearerAuthorizer decides by the scopes of the token', async () => {
  const { body } = await get('scope=repository:team/a:pull', basicOf('alice'))
  const token = `Bearer ${body.token}`
  const allowed = await authorize(token, [repository('team/a', 'pull')])
  assert.equal(allowed.kind === 'allow' && allowed.user, 'alice')
  assert.equal(allowed.kind === 'allow' && allowed.canSee?.('team/b'), true)
  assert.equal(allowed.kind === 'allow' && allowed.canSee?.('else/b'), false)
  const more = await authorize(token, [repository('team/a', 'pull', 'push')])
  assert.equal(more.kind === 'challenge' && /error="insufficient_scope"/.test(more.challenge), true)
  assert.equal((await authorize(token, [repository('team/a', 'delete')])).kind, 'deny')
  const { body: open } = await get('scope=repository:team/a:pull')
  assert.equal((await authorize(`Bearer ${open.token}`, [repository('team/a', 'pull')])).kind, 'challenge')
  assert.equal((await authorize(`Bearer ${open.token}`, [])).kind, 'allow')
})

test('BearerAuthorizer decides on search by name and password', async () => {
  const search = (authorization?: string): Promise<AccessDecision> =>
    bearer.authorize({
      method: 'GET',
      path: '/v1/search',
      headers: { authorization },
      remoteAddress: '',
      isTls: false,
      wanted: [],
    })
  const open = await search()
  assert.deepEqual(open.kind === 'allow' && ['public/a', 'team/a'].map((name) => open.canSee?.(name)), [true, false])
  const own = await search(basicOf('alice'))
  assert.deepEqual(own.kind === 'allow' && ['public/a', 'team/a'].map((name) => own.canSee?.(name)), [true, true])
  assert.equal((await search(basicOf('alice', 'x'))).kind, 'challenge')
  assert.deepEqual(
    await search(basicOf('', 'x')).then((decision) => decision.kind === 'allow' && decision.user),
    undefined,
  )
  const closed = new BasicAuthorizer({ realm: 'r', users, rules: new AccessRules() })
  const request = { method: 'GET', headers: {}, remoteAddress: '', isTls: false, wanted: [] }
  assert.equal((await closed.authorize({ ...request, path: '/v1/search' })).kind, 'challenge')
})

test('BearerAuthorizer also accepts names and passwords', async () => {
  assert.equal((await authorize(basicOf('alice'), [repository('team/a', 'push')])).kind, 'allow')
  assert.equal((await authorize(basicOf('bob'), [repository('team/a', 'push')])).kind, 'deny')
  const wrong = await authorize(basicOf('alice', 'x'), [])
  assert.equal(wrong.kind === 'challenge' && wrong.challenge.startsWith('Bearer '), true)
})

const now = Math.floor(Date.now() / 1000)
const good = { iss: 'iss', aud: 'reg', sub: 'alice', exp: now + 60, nbf: now, access: [] }
for (const [what, claims, signer] of [
  ['a token of another issuer', { ...good, iss: 'x' }, key],
  ['a token for another service', { ...good, aud: 'x' }, key],
  ['an expired token', { ...good, exp: now - 70 }, key],
  ['a token without an expiry', { ...good, exp: undefined }, key],
  ['a token that is not valid yet', { ...good, nbf: now + 70 }, key],
  ['a token from another key', good, makeKey()],
] as const) {
  test(`TokenVerifier.findAccess() refuses ${what}`, async () => {
    const sign = (content: object) =>
      new SignJWT({ ...content }).setProtectedHeader({ alg: 'ES256' }).sign(signer.privateKey)
    assert.equal(await service.verifier.findAccess(await sign(claims)), undefined)
  })
}

test('TokenVerifier.findAccess() accepts valid tokens, and no unsigned ones', async () => {
  const token = await new SignJWT({ ...good, aud: ['other', 'reg'] })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(key.privateKey)
  assert.deepEqual(await service.verifier.findAccess(token), { user: 'alice', access: [] })
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`
  assert.equal(await service.verifier.findAccess(none), undefined)
  assert.equal(
    await new TokenVerifier({ issuer: 'iss', service: 'reg', keys: [], roots: [] }).findAccess(token),
    undefined,
  )
})

test('parseScopes() leaves out unknown types and actions and malformed names', () => {
  assert.deepEqual(
    parseScopes(['repository:a/b:push,pull,fly registry:catalog:*', 'plugin:a:pull repository:../a:pull x a:b']),
    [repository('a/b', 'pull', 'push'), { type: 'registry', name: 'catalog', actions: ['*'] }],
  )
})
