import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatEndpoint, parseEndpoint } from './endpoint.ts'

test('parseEndpoint() reads what -H takes', () => {
  assert.deepEqual(parseEndpoint('unix:///run/b.sock'), { kind: 'unix', path: '/run/b.sock' })
  assert.deepEqual(parseEndpoint('/run/b.sock'), { kind: 'unix', path: '/run/b.sock' })
  assert.deepEqual(parseEndpoint('tcp://127.0.0.1:80'), { kind: 'tcp', host: '127.0.0.1', port: 80 })
  assert.deepEqual(parseEndpoint('tcp://127.0.0.1'), { kind: 'tcp', host: '127.0.0.1', port: 2375 })
  assert.deepEqual(parseEndpoint('tcp://:0'), { kind: 'tcp', host: '', port: 0 })
  assert.deepEqual(parseEndpoint('tcp://[::1]:5'), { kind: 'tcp', host: '::1', port: 5 })
  assert.equal(formatEndpoint({ kind: 'tcp', host: '::1', port: 5 }), 'tcp://[::1]:5')
  assert.equal(formatEndpoint({ kind: 'unix', path: '/a' }), 'unix:///a')
  const tls = { verify: true }
  assert.deepEqual(parseEndpoint('tcp://h', tls), { kind: 'tcp', host: 'h', port: 2376, tls })
})

test('parseEndpoint() refuses the rest', () => {
  for (const text of ['', 'unix://', 'npipe:////./pipe/x', 'tcp://a:b', 'tcp://a:70000', 'tcp://a:1/x/y']) {
    assert.throws(() => parseEndpoint(text), { kind: 'invalidArgument' }, text)
  }
  assert.throws(() => parseEndpoint('fd://'), { kind: 'notImplemented' })
})
