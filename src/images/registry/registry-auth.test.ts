import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registryAuthOf } from './registry-auth.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('registryAuthOf() takes user and password from their fields or from auth', () => {
  assert.deepEqual(registryAuthOf(undefined), {})
  assert.deepEqual(registryAuthOf({ username: 'a', password: 'b', serveraddress: 'x' }), {
    username: 'a',
    password: 'b',
  })
  assert.deepEqual(registryAuthOf({ auth: base64('joe:pass:word') }), { username: 'joe', password: 'pass:word' })
  assert.deepEqual(registryAuthOf({ auth: base64('joe:old'), password: 'new' }), { username: 'joe', password: 'new' })
})

test('registryAuthOf() passes tokens on, and omits empty fields', () => {
  assert.deepEqual(registryAuthOf({ username: '', identitytoken: 'i', registrytoken: 'r' }), {
    identityToken: 'i',
    registryToken: 'r',
  })
})
