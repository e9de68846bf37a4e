import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../test/helpers/wait.ts'
import type { Exchange } from './exchange.ts'
import { listen, type RequestHandler } from './http-server.ts'
import { acceptWebSocket } from './websocket.ts'

/** `/json` echoes its body. `/raw` takes the connection and echoes raw input. `/body` reads JSON first, then does
 *  so. */
const handler: RequestHandler = {
  takesConnection: (method, url) => /^\/(raw|body|refuse|ws)/.test(url) && method !== 'PUT',
  handle: async (exchange) => {
    exchange.setHeader('X-Common', 'yes')
    if (exchange.url === '/refuse') return exchange.sendJson(409, { message: 'no' })
    if (exchange.url === '/json') return exchange.sendJson(200, await exchange.readJson())
    if (exchange.url === '/ws') return echo(exchange, await acceptWebSocket(exchange))
    const prefix = exchange.url === '/body' ? JSON.stringify(await exchange.readJson()) : ''
    return echo(exchange, await exchange.connection.hijack('application/vnd.docker.raw-stream'), prefix)
  },
}

async function echo(
  _exchange: Exchange,
  connection: Awaited<ReturnType<Exchange['connection']['hijack']>>,
  prefix = '',
): Promise<void> {
  connection.output.write(Buffer.from(`<${prefix}`))
  for await (const chunk of connection.input as AsyncIterable<Buffer>) connection.output.write(chunk)
  connection.output.write(Buffer.from('>'))
  connection.finish()
}

async function withServer(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bh-'))
  const path = join(directory, 's')
  const listener = await listen({ kind: 'unix', path }, handler)
  try {
    await work(path)
  } finally {
    await listener.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The server's end of the connection accepted last. */
let accepted: Socket | undefined
subscribe('net.server.socket', (message) => {
  accepted = (message as { readonly socket: Socket }).socket
})

/** A client that reads and writes bytes, without HTTP. */
class RawClient {
  readonly socket: Socket
  received = ''
  readonly #ended = Promise.withResolvers<string>()

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true })
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
    })
    this.socket.on('end', () => {
      this.socket.end()
      this.#ended.resolve(this.received)
    })
    this.socket.on('error', (error) => this.#ended.reject(error))
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** Everything that the server sent, once the server has closed the connection. */
  get ended(): Promise<string> {
    return this.#ended.promise
  }

  async until(text: string): Promise<void> {
    const what = () => `${JSON.stringify(text)} in ${JSON.stringify(this.received)}`
    await until(() => this.received.includes(text), { what, intervalMs: 1 })
  }
}

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n'

function head(path: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

test('hijack() answers 101 to an upgrade, and output continues after the end of input', () =>
  withServer(async (path) => {
    const client = new RawClient(path)
    client.send(head('/raw', `${upgrade}Content-Length: 0\r\n`))
    await client.until('<')
    client.send('one')
    await client.until('one')
    client.socket.end('two')
    const text = await client.ended
    assert.match(text, /^HTTP\/1\.1 101 UPGRADED\r\n/)
    assert.match(text, /\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/)
    assert.match(text, /\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/)
    assert.match(text, /\r\nX-Common: yes\r\n/)
    assert.equal(bodyOf(text), '<onetwo>')
  }))

test('hijack() answers 200 without an upgrade, and input that looks like a request is input', () =>
  withServer(async (path) => {
    const client = new RawClient(path)
    client.send(`${head('/raw')}GET /json HTTP/1.1\r\n`)
    await client.until('GET')
    client.socket.end('\r\n\r\n')
    const text = await client.ended
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    assert.doesNotMatch(text, /Upgrade|Transfer-Encoding|Content-Length/)
    assert.equal(bodyOf(text), '<GET /json HTTP/1.1\r\n\r\n\r\n>')
  }))

for (const [name, headers] of [
  ['an upgrade', upgrade],
  ['the old way', ''],
] as const) {
  test(`hijack() separates a JSON body from raw input, ${name}, in pieces of any size`, () =>
    withServer(async (path) => {
      const request = head('/body', `${headers}Content-Type: application/json\r\nContent-Length: 7\r\n`)
      for (const cuts of [[], [request.length], [request.length + 3], [10, request.length + 7], [request.length + 8]]) {
        const client = new RawClient(path)
        const all = `${request}{"a":1}input`
        let offset = 0
        accepted = undefined
        for (const cut of cuts) {
          client.send(all.slice(offset, cut))
          offset = cut
          await until(() => accepted?.bytesRead === cut, { what: `byte ${cut} to be read`, intervalMs: 1 })
        }
        client.socket.end(all.slice(offset))
        assert.equal(bodyOf(await client.ended), '<{"a":1}input>', `cut at ${cuts.join()}`)
      }
    }))

  test(`hijack() drops an unread body, ${name}`, () =>
    withServer(async (path) => {
      const client = new RawClient(path)
      client.socket.end(`${head('/raw', `${headers}Content-Length: 4\r\n`)}{  }raw`)
      assert.equal(bodyOf(await client.ended), '<raw>')
    }))
}

test('hijack() removes the end of a chunked body before an upgrade', () =>
  withServer(async (path) => {
    const plain = new RawClient(path)
    plain.socket.end(`${head('/raw', `${upgrade}Transfer-Encoding: chunked\r\n`)}0\r\n\r\nraw`)
    assert.equal(bodyOf(await plain.ended), '<raw>')
    const json = new RawClient(path)
    const headers = `${upgrade}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n`
    json.socket.end(`${head('/body', headers)}3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\nraw`)
    assert.equal(bodyOf(await json.ended), '<{"a":1}raw>')
  }))

test('hijack() without an upgrade reads chunks as input', () =>
  withServer(async (path) => {
    const client = new RawClient(path)
    client.send(`${head('/raw', 'Transfer-Encoding: chunked\r\n')}3\r\none\r\n`)
    await client.until('one')
    client.send('3\r\ntwo\r\n0\r\n\r\n')
    await client.until('0\r\n\r\n')
    client.socket.end()
    assert.match(await client.ended, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Transfer-Encoding: chunked/)
    assert.equal(client.received.replace(/\r\n[0-9a-f]\r\n|\r\n/g, '').match(/<.*>/)?.[0], '<onetwo>')
  }))

test('a refused hijack gets an ordinary answer, also on a connection that was used before', () =>
  withServer(async (path) => {
    const client = new RawClient(path)
    const json = 'Content-Type: application/json\r\nContent-Length: 2\r\n'
    client.send(`${head('/json', json)}{}`)
    await client.until('{}\n')
    client.send(head('/refuse', `${upgrade}Content-Length: 0\r\n`))
    const text = await client.ended
    assert.match(text, /HTTP\/1\.1 409 Conflict\r\n/)
    assert.ok(text.endsWith('{"message":"no"}\n'))
  }))

test('a request for an unknown upgrade is an ordinary request', () =>
  withServer(async (path) => {
    const client = new RawClient(path)
    const headers = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nContent-Type: application/json\r\n'
    client.send(`${head('/json', `${headers}Content-Length: 2\r\n`)}{}`)
    await client.until('{}\n')
    client.socket.end()
    assert.match(await client.ended, /^HTTP\/1\.1 200 OK/)
  }))

test('acceptWebSocket() carries binary messages', () =>
  withServer(async (path) => {
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`ws+unix://${path}:/ws`)
    const received: string[] = []
    const closed = Promise.withResolvers<void>()
    socket.on('message', (data: Buffer, isBinary) => {
      assert.ok(isBinary)
      received.push(data.toString())
      if (data.toString() === 'hello') socket.close()
    })
    socket.on('open', () => socket.send('hello'))
    socket.on('close', () => closed.resolve())
    socket.on('error', closed.reject)
    await closed.promise
    assert.equal(received.join('').slice(0, 6), '<hello')
  }))

test('close() ends connections that left HTTP', async () => {
  let client: RawClient | undefined
  await withServer(async (path) => {
    client = new RawClient(path)
    client.send(head('/raw', upgrade))
    await client.until('<')
  })
  assert.match(await (client as RawClient).ended, /<$/)
})
