import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRegistryAuth, decodeRegistryConfig } from './registry-auth.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('decodeRegistryAuth() ignores a header that it can not decode', () => {
  assert.deepEqual(decodeRegistryAuth(encode({ username: 'u', password: 'p' })), { username: 'u', password: 'p' })
  for (const nothing of [undefined, '', '%%%', encode(null), encode({}), encode('text')]) {
    assert.equal(decodeRegistryAuth(nothing), undefined)
  }
})

test('decodeRegistryConfig() gives credentials by registry', () => {
  const auths = { 'https://index.docker.io/v1/': { username: 'u', password: 'p' }, 'reg:5000': { identitytoken: 't' } }
  assert.deepEqual(decodeRegistryConfig(encode(auths)), auths)
  assert.deepEqual(decodeRegistryConfig(encode({ ...auths, odd: 'text', list: [] })), auths)
  assert.deepEqual(decodeRegistryConfig('%%%'), {})
  assert.deepEqual(decodeRegistryConfig(undefined), {})
})
