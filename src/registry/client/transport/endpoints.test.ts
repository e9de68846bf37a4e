import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointsOf, isInsecureRegistry, parseRegistryAuth } from '../index.ts'
import { parseChallenges } from './auth-challenge.ts'

test('endpointsOf() puts mirrors before Docker Hub and HTTP after HTTPS', async () => {
  const urls = async (registry: string, options = {}) =>
    (await endpointsOf(registry, options)).map(({ baseUrl }) => baseUrl)
  assert.deepEqual(await urls('docker.io', { mirrors: ['http://127.0.0.1:1/'] }), [
    'http://127.0.0.1:1',
    'https://registry-1.docker.io',
  ])
  assert.deepEqual(await urls('quay.io', { mirrors: ['http://127.0.0.1:1/'] }), ['https://quay.io'])
  assert.deepEqual(await urls('127.0.0.1:5000'), ['https://127.0.0.1:5000', 'http://127.0.0.1:5000'])
  assert.deepEqual(await urls('reg:5000', { insecureRegistries: ['reg:5000'] }), [
    'https://reg:5000',
    'http://reg:5000',
  ])
})

test('isInsecureRegistry() recognizes loopback, names and networks', async () => {
  for (const yes of ['127.0.0.1', '127.9.9.9:80', 'localhost:1', '[::1]:5000'])
    assert.ok(await isInsecureRegistry(yes, []))
  assert.ok(await isInsecureRegistry('10.1.2.3:5000', ['10.0.0.0/8']))
  assert.ok(!(await isInsecureRegistry('11.1.2.3:5000', ['10.0.0.0/8'])))
  assert.ok(!(await isInsecureRegistry('quay.io', ['reg'])))
  assert.ok(!(await isInsecureRegistry('reg:5000', ['reg'])))
  const resolve = async (host: string) => (host === 'reg' ? ['10.1.2.3'] : [])
  assert.ok(await isInsecureRegistry('reg:5000', ['10.0.0.0/8'], resolve))
  assert.ok(!(await isInsecureRegistry('other:5000', ['10.0.0.0/8'], resolve)))
})

test('parseChallenges() reads Bearer and Basic in one header', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a/t?x=1",service="s, t",scope="repository:a/b:pull"'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t?x=1', service: 's, t', scope: 'repository:a/b:pull' } },
  ])
  assert.deepEqual(
    parseChallenges('Negotiate, Basic realm=x, Bearer realm="y"').map(({ scheme }) => scheme),
    ['basic', 'bearer'],
  )
})

test('parseRegistryAuth() decodes what clients send', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  assert.deepEqual(parseRegistryAuth(undefined), {})
  assert.deepEqual(parseRegistryAuth(encode({})), {})
  assert.deepEqual(parseRegistryAuth(encode({ username: 'a', password: 'b' })), { username: 'a', password: 'b' })
  const auth = Buffer.from('a:b:c').toString('base64')
  assert.deepEqual(parseRegistryAuth(encode({ auth })), { username: 'a', password: 'b:c' })
  assert.deepEqual(parseRegistryAuth(encode({ identitytoken: 't' })), { identityToken: 't' })
  assert.throws(() => parseRegistryAuth('!!'), { kind: 'invalidArgument' })
})
