/** Bodies that a worker thread reads from their connection: large ones and chunked ones. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { until } from '../../../test/helpers/wait.ts'
import { blobDigestOf } from './model/blob-digest.ts'
import type { RequestRecord } from './model/registry-observer.ts'
import { RegistryUnderTest } from './testing/registry-under-test.ts'

let registry: RegistryUnderTest
const records: RequestRecord[] = []
let activeUploads = 0
const bytes = randomBytes(3_000_000)
const digest = blobDigestOf(bytes)

before(async () => {
  registry = await RegistryUnderTest.start({
    observer: {
      requestFinished: (record) => records.push(record),
      uploadsChanged: (active) => {
        activeUploads = active
      },
    },
  })
})
after(() => registry[Symbol.asyncDispose]())

async function begin(to: RegistryUnderTest = registry): Promise<string> {
  const { headers } = await to.request('POST', '/v2/app/blobs/uploads/')
  return headers.location ?? ''
}

async function sizeOf(location: string): Promise<number> {
  const { headers, status } = await registry.request('GET', location)
  assert.equal(status, 204)
  return headers.range === '0-0' ? 0 : Number(headers.range?.split('-')[1]) + 1
}

/** Waits until the upload has the given number of bytes. */
async function holds(location: string, atLeast: number): Promise<void> {
  await until(async () => (await sizeOf(location)) >= atLeast, { what: `${atLeast} bytes` })
}

/** The size of an upload after all requests that work on it have ended. */
async function finalSize(location: string): Promise<number> {
  await until(() => activeUploads === 0, { what: () => `the end of ${activeUploads} uploads` })
  return await sizeOf(location)
}

async function assertBlob(): Promise<void> {
  const answer = await registry.request('GET', `/v2/app/blobs/${digest}`)
  assert.equal(answer.status, 200)
  assert.ok(answer.body.equals(bytes))
}

function inChunks(body: Buffer, chunkBytes = 30_000): Buffer {
  const parts: Buffer[] = []
  for (let offset = 0; offset < body.length; offset += chunkBytes) {
    const part = body.subarray(offset, offset + chunkBytes)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** A client that sends raw bytes. */
class Client {
  readonly socket: Socket
  text = ''
  readonly closed: Promise<unknown>

  constructor(to: RegistryUnderTest = registry) {
    this.socket = connect(to.port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk
    })
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
  }

  send(head: string, body: Buffer | string = ''): this {
    this.socket.write(`${head}\r\n\r\n`)
    this.socket.write(body)
    return this
  }

  get statuses(): readonly number[] {
    return [...this.text.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status))
  }

  /** The statuses of the first `count` answers; fewer if the connection ends before. */
  async answers(count: number): Promise<readonly number[]> {
    while (this.statuses.length < count && !this.socket.closed)
      await Promise.race([new Promise((resolve) => this.socket.once('data', resolve)), this.closed])
    return this.statuses
  }
}

const chunked = 'Host: x\r\nTransfer-Encoding: chunked'
const sized = (size: number) => `Host: x\r\nContent-Length: ${size}`

test('a connection carries sized and chunked bodies, and pipelined requests', async () => {
  const location = await begin()
  const [first, second, third] = [
    bytes.subarray(0, 1_000_000),
    bytes.subarray(1_000_000, 1_700_000),
    bytes.subarray(1_700_000),
  ]
  const client = new Client()
  client.send(`PATCH ${location} HTTP/1.1\r\n${chunked}`, inChunks(first)).send(`GET ${location} HTTP/1.1\r\nHost: x`)
  assert.deepEqual(await client.answers(2), [202, 204])
  assert.match(client.text, /range: 0-999999\r\n.*range: 0-999999\r\n/is)
  client.send(`PATCH ${location} HTTP/1.1\r\n${sized(second.length)}`, second)
  assert.deepEqual(await client.answers(3), [202, 204, 202])
  client.send(`GET ${location} HTTP/1.1\r\nHost: x`)
  client.send(`PUT ${location}?digest=${digest} HTTP/1.1\r\n${chunked}`, inChunks(third, 1000))
  client.send('GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close')
  assert.deepEqual(await client.answers(6), [202, 204, 202, 204, 201, 200])
  await client.closed
  await assertBlob()
})

test('many bodies on one connection leave no listeners on it', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number | undefined>()
  const location = await begin()
  const step = 280_000
  for (let offset = 0; offset < bytes.length; offset += step) {
    const body = bytes.subarray(offset, offset + step)
    const sent = httpRequest({ agent, port: registry.port, host: '127.0.0.1', method: 'PATCH', path: location })
    if (offset % (2 * step) === 0) sent.setHeader('Content-Length', body.length)
    sent.end(body)
    const [response] = await once(sent, 'response')
    assert.equal(response.statusCode, 202)
    ports.add(sent.socket?.localPort)
    await once(response.resume(), 'end')
  }
  agent.destroy()
  assert.equal(ports.size, 1)
  assert.equal((await registry.request('PUT', `${location}?digest=${digest}`)).status, 201)
  await assertBlob()
  process.off('warning', onWarning)
  assert.deepEqual(warnings, [])
})

test('the connection of an HTTP/1.0 client, or of a request with `Connection: close`, ends after the answer', async () => {
  for (const head of [`HTTP/1.0\r\n${sized(bytes.length)}`, `HTTP/1.1\r\nConnection: close\r\n${chunked}`]) {
    const isChunked = head.endsWith('chunked')
    const client = new Client()
    client.send(`POST /v2/app/blobs/uploads/?digest=${digest} ${head}`, isChunked ? inChunks(bytes) : bytes)
    await client.closed
    assert.deepEqual(client.statuses, [201])
    await assertBlob()
    const { method, status, receivedBytes } = records.findLast(({ method }) => method === 'POST') ?? {}
    assert.deepEqual({ method, status, receivedBytes }, { method: 'POST', status: 201, receivedBytes: bytes.length })
  }
})

test('after a broken connection the bytes that arrived stay, and the upload can be resumed', async () => {
  const location = await begin()
  const client = new Client()
  client.send(`PATCH ${location} HTTP/1.1\r\n${chunked}`, inChunks(bytes).subarray(0, 1_500_000))
  await holds(location, 1_000_000)
  client.socket.resetAndDestroy()
  const kept = await finalSize(location)
  assert.ok(kept >= 1_000_000, `${kept}`)
  const rest = await registry.request('PATCH', location, {
    body: bytes.subarray(kept),
    headers: { 'content-range': `${kept}-${bytes.length - 1}` },
  })
  assert.equal(rest.status, 202, rest.text)
  assert.equal((await registry.request('PUT', `${location}?digest=${digest}`)).status, 201)
  await assertBlob()
})

test('a body that ends early is refused', async () => {
  const location = await begin()
  const client = new Client().send(`PATCH ${location} HTTP/1.1\r\n${sized(500_000)}`, bytes.subarray(0, 300_000))
  client.socket.end()
  await client.closed
  assert.equal(client.text, '')
  assert.equal(await finalSize(location), 300_000)
})

test('a client that sends nothing for too long gets 408', async () => {
  await using impatient = await RegistryUnderTest.start({ limits: { idleMs: 100 } }, registry.folder)
  const location = await begin(impatient)
  const client = new Client(impatient)
  client.send(`PATCH ${location} HTTP/1.1\r\n${sized(500_000)}`, bytes.subarray(0, 300_000))
  assert.deepEqual(await client.answers(1), [408])
  client.socket.end()
  await client.closed
  assert.match(client.text, /BLOB_UPLOAD_INVALID/)
  assert.ok((await sizeOf(location)) <= 300_000)
})

test('malformed chunks get 400, and earlier bytes stay', async () => {
  const location = await begin()
  const client = new Client().send(`PATCH ${location} HTTP/1.1\r\n${chunked}`, '3\r\nabc\r\n')
  await holds(location, 3)
  client.socket.write('no chunk\r\n')
  assert.deepEqual(await client.answers(1), [400])
  assert.match(client.text, /BLOB_UPLOAD_INVALID/)
  assert.match(client.text, /connection: close/i)
  client.socket.end()
  await client.closed
  assert.equal(await sizeOf(location), 3)
})

test('a chunked body longer than its range is refused', async () => {
  const location = await begin()
  const client = new Client()
  client.send(`PATCH ${location} HTTP/1.1\r\nContent-Range: 0-999999\r\n${chunked}`, inChunks(bytes))
  assert.deepEqual(await client.answers(1), [400])
  assert.match(client.text, /SIZE_INVALID/)
  client.socket.end()
  assert.ok((await finalSize(location)) <= 1_000_000)
})

test('a refused request is answered while the client is still sending, and the connection ends', async () => {
  const unknown = '/v2/app/blobs/uploads/00000000-0000-4000-8000-000000000000'
  const client = new Client().send(`PATCH ${unknown} HTTP/1.1\r\n${sized(9_000_000_000)}`, bytes)
  assert.deepEqual(await client.answers(1), [404])
  assert.match(client.text, /BLOB_UPLOAD_UNKNOWN/)
  for (let sent = 0; sent < 5; sent++) client.socket.write(bytes)
  await client.closed
})

test('a body is not needed if the blob was mounted', async () => {
  await registry.pushBlob('app', bytes)
  const client = new Client()
  client.send(`POST /v2/other/blobs/uploads/?mount=${digest}&from=app HTTP/1.1\r\n${sized(bytes.length)}`, bytes)
  assert.deepEqual(await client.answers(1), [201])
  assert.match(client.text, /connection: close/i)
  client.socket.end()
  await client.closed
})

test('closing a registry ends running uploads, and their bytes stay', async () => {
  const location = await begin()
  {
    await using other = await RegistryUnderTest.start({}, registry.folder)
    const idle = new Client(other)
    idle.send(`PATCH ${await begin(other)} HTTP/1.1\r\n${chunked}`, inChunks(bytes))
    assert.deepEqual(await idle.answers(1), [202])
    const client = new Client(other)
    client.send(`PATCH ${location} HTTP/1.1\r\n${chunked}`, inChunks(bytes).subarray(0, 1_500_000))
    await holds(location, 1_000_000)
    await other.registry.close(100)
    await Promise.all([client.closed, idle.closed])
    assert.deepEqual(client.statuses, [])
  }
  assert.ok((await sizeOf(location)) >= 1_000_000)
  assert.equal((await registry.request('DELETE', location)).status, 204)
})
