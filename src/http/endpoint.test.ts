import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatEndpoint } from './endpoint.ts'

test('formatEndpoint() writes the form of -H', () => {
  assert.equal(formatEndpoint({ kind: 'unix', path: '/a' }), 'unix:///a')
  assert.equal(formatEndpoint({ kind: 'tcp', host: '127.0.0.1', port: 80 }), 'tcp://127.0.0.1:80')
  assert.equal(formatEndpoint({ kind: 'tcp', host: '::1', port: 5 }), 'tcp://[::1]:5')
  assert.equal(formatEndpoint({ kind: 'inherited', descriptor: 3 }), 'fd://3')
})
