import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Demultiplexer } from './demultiplexer.ts'
import { parseEndpoint } from './endpoint.ts'
import { formatQuery } from './transport.ts'

test('parseEndpoint() accepts every form', () => {
  assert.deepEqual(parseEndpoint('unix:///run/x.sock'), {
    kind: 'unix',
    url: 'unix:///run/x.sock',
    path: '/run/x.sock',
  })
  assert.deepEqual(parseEndpoint('/run/x.sock'), { kind: 'unix', url: 'unix:///run/x.sock', path: '/run/x.sock' })
  const tcp = { kind: 'tcp', url: 'tcp://h:2375', host: 'h', port: 2375, basePath: '' }
  assert.deepEqual(parseEndpoint('tcp://h:2375'), tcp)
  assert.deepEqual(parseEndpoint('http://h'), tcp)
  assert.deepEqual(parseEndpoint('h:2375'), tcp)
  assert.deepEqual(parseEndpoint('tcp://h', { tls: true }), { ...tcp, url: 'tcp://h:2376', port: 2376 })
  assert.deepEqual(parseEndpoint('tcp://[::1]:1/base/'), {
    kind: 'tcp',
    url: 'tcp://[::1]:1/base',
    host: '::1',
    port: 1,
    basePath: '/base',
  })
  assert.throws(() => parseEndpoint('bogus://h'), { message: 'invalid bind address format: bogus://h' })
  for (const wrong of ['tcp://h:99999', 'unix://', 'tcp://a b']) {
    assert.throws(() => parseEndpoint(wrong), /unable to parse docker host/)
  }
})

test('formatQuery() leaves unset members out', () => {
  assert.equal(
    formatQuery({ a: 1, b: undefined, c: false, d: true, e: 'x y&', f: ['1', '2'] }),
    '?a=1&d=1&e=x%20y%26&f=1&f=2',
  )
  assert.equal(formatQuery({ a: undefined }), '')
})

function frame(kind: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = kind
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

test('Demultiplexer joins frames that arrive in any pieces', () => {
  const bytes = Buffer.concat([frame(1, 'one'), frame(1, ''), frame(1, 'two'), frame(2, 'err'), frame(0, 'three')])
  for (let size = 1; size <= bytes.length; size++) {
    const seen = { stdout: '', stderr: '' }
    const frames = new Demultiplexer((stream, chunk) => {
      seen[stream] += chunk.toString()
    })
    for (let offset = 0; offset < bytes.length; offset += size) frames.push(bytes.subarray(offset, offset + size))
    assert.deepEqual(seen, { stdout: 'onetwothree', stderr: 'err' })
  }
})

test('Demultiplexer joins neighboring frames of one stream', () => {
  const writes: string[] = []
  const frames = new Demultiplexer((stream, chunk) => void writes.push(`${stream} ${chunk}`))
  frames.push(Buffer.concat([frame(1, 'a'), frame(1, 'b'), frame(2, 'c')]))
  assert.deepEqual(writes, ['stdout ab', 'stderr c'])
})

test('Demultiplexer throws the daemon’s own error', () => {
  const frames = new Demultiplexer(() => undefined)
  assert.throws(() => frames.push(frame(3, 'lost it')), { message: 'error from daemon in stream: lost it' })
  assert.throws(() => new Demultiplexer(() => undefined).push(frame(9, 'x')), {
    message: 'Unrecognized input header: 9',
  })
})

test('parseEndpoint() accepts ssh:// addresses as docker does', () => {
  const plain = { kind: 'ssh', user: undefined, port: undefined, socketPath: undefined }
  const of = (text: string) => {
    const { url, ...endpoint } = parseEndpoint(text)
    assert.equal(url, text)
    return endpoint
  }
  assert.deepEqual(of('ssh://h'), { ...plain, host: 'h' })
  assert.deepEqual(of('ssh://me@h:2222'), { ...plain, user: 'me', host: 'h', port: '2222' })
  assert.deepEqual(of('ssh://m%40e@[::1]:22/run/a%20b.sock'), {
    ...{ kind: 'ssh', user: 'm@e', host: '::1', port: '22', socketPath: '/run/a b.sock' },
  })
  const prefix = 'ssh host connection is not valid: invalid SSH URL: '
  for (const [text, why] of [
    ['ssh://', 'hostname is empty'],
    ['ssh://u@', 'hostname is empty'],
    ['ssh://u:p@h', 'plain-text password is not supported'],
    ['ssh://h?x=1', 'query parameters are not allowed: "x=1"'],
    ['ssh://h#f', 'fragments are not allowed: "f"'],
  ] as const) {
    assert.throws(() => parseEndpoint(text), { message: prefix + why })
  }
  assert.throws(() => parseEndpoint('ssh://h x'), /invalid character " " in host name/)
})
