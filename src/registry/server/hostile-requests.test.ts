import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { until } from '../../../test/helpers/wait.ts'
import { blobDigestOf } from './model/blob-digest.ts'
import type { RequestRecord } from './model/registry-observer.ts'
import { ociManifestType, RegistryUnderTest } from './testing/registry-under-test.ts'

let registry: RegistryUnderTest
const records: RequestRecord[] = []
const digest = blobDigestOf(Buffer.from('x'))

before(async () => {
  registry = await RegistryUnderTest.start({
    limits: { idleMs: 300, headersMs: 300, headerBytes: 8192, concurrentUploads: 2 },
    observer: { requestFinished: (record) => records.push(record) },
  })
})
after(() => registry[Symbol.asyncDispose]())

test('malformed names and paths with `..` are refused', async () => {
  const before = await registry.files()
  for (const name of [
    '..',
    '../..',
    '../../etc',
    'a/../b',
    'a/./b',
    'a//b',
    '/a',
    'a/',
    'A',
    'App',
    '_a',
    'a_',
    '-a',
    'a..b',
    'a___b',
    '.a',
    'a%2fb',
    '%2e%2e/%2e%2e/etc',
    '%2e%2e%2fx',
    'a%00',
    'a+b',
    'a:b',
    'ä',
    'a b'.replace(' ', '%20'),
    `${'a'.repeat(256)}`,
    `${'a/'.repeat(128)}a`,
  ]) {
    for (const [method, path] of [
      ['GET', `/v2/${name}/tags/list`],
      ['GET', `/v2/${name}/manifests/latest`],
      ['PUT', `/v2/${name}/manifests/latest`],
      ['GET', `/v2/${name}/blobs/${digest}`],
      ['DELETE', `/v2/${name}/blobs/${digest}`],
      ['POST', `/v2/${name}/blobs/uploads/`],
      ['GET', `/v2/${name}/referrers/${digest}`],
    ] as const) {
      const answer = await registry.request(method, encodeURI(path).replaceAll('%25', '%'))
      assert.equal(answer.status, 400, `${method} ${path}`)
      assert.deepEqual(answer.codes(), ['NAME_INVALID'], `${method} ${path}`)
    }
  }
  assert.deepEqual(await registry.files(), before)
  const longest = `${'a'.repeat(254)}/`.slice(0, 253)
  assert.equal((await registry.request('POST', `/v2/${longest}/b/blobs/uploads/`)).status, 202)
  await registry.pushImage('a'.repeat(255), 'latest')
})

test('malformed references are refused', async () => {
  await registry.pushImage('app', 'latest')
  const before = await registry.files()
  for (const reference of ['..', '..%2f..%2fx', '%2e%2e', 'a%00b', '.hidden', 'a%20b']) {
    assert.equal((await registry.request('GET', `/v2/app/manifests/${reference}`)).status, 404, reference)
    assert.equal((await registry.request('DELETE', `/v2/app/manifests/${reference}`)).status, 404, reference)
    assert.equal((await registry.pushManifest('app', reference, '{}', ociManifestType)).status, 400, reference)
    assert.equal((await registry.request('GET', `/v2/app/blobs/${reference}`)).status, 400, reference)
  }
  assert.deepEqual(await registry.files(), before)
})

/** Sends raw bytes, and gives all that the server answers until it closes the connection. */
async function raw(head: string, { then = async () => {} }: { then?: () => Promise<void> } = {}): Promise<string> {
  const socket = connect(registry.port, '127.0.0.1')
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk
  })
  socket.write(head)
  await then()
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

test('huge headers and malformed requests are refused', async () => {
  const huge = await raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Huge: ${'x'.repeat(10_000)}\r\n\r\n`)
  assert.match(huge, /^HTTP\/1\.1 431 /)
  assert.match(await raw('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 /)
  assert.match(await raw('GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test("a client that doesn't finish its headers is cut off", async () => {
  assert.match(await raw('GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: '), /^HTTP\/1\.1 408 /)
})

test('a client that stops in the middle of a body gets 408, and the upload stays', async () => {
  const location = String((await registry.request('POST', '/v2/app/blobs/uploads/')).headers.location)
  const answer = await raw(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`)
  assert.match(answer, /^HTTP\/1\.1 408 /)
  assert.match(answer, /BLOB_UPLOAD_INVALID/)
  assert.equal((await registry.request('GET', location)).headers.range, '0-2')
  const rest = await registry.request('PATCH', location, { body: 'def', headers: { 'content-range': '3-5' } })
  assert.equal(rest.status, 202)
})

test('a client that takes nothing of a blob is cut off', async () => {
  const big = await registry.pushBlob('app', Buffer.alloc(40_000_000))
  const socket = connect(registry.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(`GET /v2/app/blobs/${big} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const isCut = () => records.some(({ method, path }) => method === 'GET' && path.endsWith(big))
  await until(isCut, { what: 'the end of the request' })
  socket.destroy()
})

test('a large refused body is not read: the client gets the answer, and the connection ends', async () => {
  const answer = await raw(`PUT /v2/app/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /connection: close/i)
})

test('a client with `Expect: 100-continue` is refused before it sends the body', async () => {
  const head = `Host: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n`
  const refused = await raw(`PUT /v2/A/manifests/x HTTP/1.1\r\n${head}\r\n`)
  assert.match(refused, /^HTTP\/1\.1 400 /)
  const xyz = blobDigestOf(Buffer.from('xyz'))
  const socket = connect(registry.port, '127.0.0.1')
  socket.write(`POST /v2/app/blobs/uploads/?digest=${xyz} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    if (text === '') socket.write('xyz')
    text += chunk
  })
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
})

test('too many concurrent uploads get 429', async () => {
  let activeUploads = 0
  await using patient = await RegistryUnderTest.start({
    limits: { concurrentUploads: 2 },
    observer: {
      uploadsChanged: (active) => {
        activeUploads = active
      },
    },
  })
  const begin = async () => String((await patient.request('POST', '/v2/app/blobs/uploads/')).headers.location)
  const locations = [await begin(), await begin(), await begin()]
  const [first = '', second = '', third = ''] = locations
  const sockets = [first, second].map((location) => {
    const socket = connect(patient.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`)
    return socket
  })
  await until(() => activeUploads === 2, { what: () => `two uploads, ${activeUploads} are under way` })
  const answer = await patient.request('PATCH', third, { body: '' })
  assert.equal(answer.status, 429)
  assert.deepEqual(answer.codes(), ['TOOMANYREQUESTS'])
  assert.equal(answer.headers['retry-after'], '1')
  for (const socket of sockets) socket.destroy()
})

test('a missing right gets a challenge or a refusal that names the wanted scope', async () => {
  const asked: string[] = []
  await using guarded = await RegistryUnderTest.start({
    authorizer: {
      authorize: async ({ wanted, method }) => {
        asked.push(`${method} ${wanted.map(({ type, name, actions }) => `${type}:${name}:${actions}`).join(' ')}`)
        return method === 'GET'
          ? { kind: 'challenge', challenge: 'Basic realm="x"', user: 'anna' }
          : { kind: 'deny', message: 'no' }
      },
    },
  })
  const base = await guarded.request('GET', '/v2/')
  assert.equal(base.status, 401)
  assert.equal(base.headers['www-authenticate'], 'Basic realm="x"')
  assert.deepEqual(base.codes(), ['UNAUTHORIZED'])
  const pull = await guarded.request('GET', '/v2/app/manifests/x')
  assert.deepEqual(pull.json().errors[0].detail, [{ Type: 'repository', Class: '', Name: 'app', Action: 'pull' }])
  const before = await guarded.files()
  for (const [method, path] of [
    ['PUT', '/v2/app/manifests/x'],
    ['POST', '/v2/app/blobs/uploads/'],
    ['DELETE', '/v2/app/manifests/x'],
    ['HEAD', '/v2/_catalog'],
  ] as const) {
    const answer = await guarded.request(method, path)
    assert.equal(answer.status, 403, `${method} ${path}`)
    if (method !== 'HEAD') assert.deepEqual(answer.codes(), ['DENIED'])
  }
  assert.deepEqual(await guarded.files(), before)
  assert.deepEqual(asked, [
    'GET ',
    'GET repository:app:pull',
    'PUT repository:app:pull,push',
    'POST repository:app:pull,push',
    'DELETE repository:app:delete',
    'HEAD registry:catalog:*',
  ])
})
