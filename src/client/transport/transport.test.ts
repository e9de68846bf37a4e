import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { EngineClient } from '../engine-client.ts'
import { parseEndpoint } from './endpoint.ts'

let directory = ''
let server: Server | undefined
let client: EngineClient | undefined
/** What the client sent: one text for each connection. */
let received: string[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ct-'))
  received = []
})

afterEach(async () => {
  client?.close()
  server?.close()
  await rm(directory, { recursive: true, force: true })
})

/** Starts a server that passes each request (up to its empty line) to `respond`. */
async function listen(respond: (socket: Socket, request: string, count: number) => void): Promise<EngineClient> {
  const path = join(directory, 's')
  let count = 0
  server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = received.push('') - 1
    let pending = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received[index] += chunk.toString('latin1')
      pending += chunk.toString('latin1')
      for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
        const request = pending.slice(0, end)
        pending = pending.slice(end + 4)
        respond(socket, request, count++)
      }
    })
    socket.on('end', () => socket.end())
  })
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  client = new EngineClient({ endpoint: parseEndpoint(`unix://${path}`) })
  return client
}

const emptyList = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]'

test('Transport keeps a connection for the next request', async () => {
  const { images } = await listen((socket) => socket.write(emptyList))
  assert.deepEqual(await images.list(), [])
  assert.deepEqual(await images.list(), [])
  assert.equal(received.length, 1)
})

test('Transport names localhost as the host of a unix socket', async () => {
  const { images } = await listen((socket) => socket.write(emptyList))
  await images.list()
  assert.match(received[0] ?? '', /\r\nhost: localhost\r\n/)
})

test('Transport opens a new connection when the kept one was closed', async () => {
  const { images } = await listen((socket, _, count) => (count === 1 ? socket.destroy() : socket.write(emptyList)))
  await images.list()
  assert.deepEqual(await images.list(), [])
  assert.equal(received.length, 2)
})

test('Transport never repeats a request that changes something, even if a kept connection closes without an answer', async () => {
  // The first request of each connection is answered; the next one closes it.
  const answered = new Set<Socket>()
  const { images, containerLifecycle, networks } = await listen((socket) => {
    if (answered.has(socket)) socket.destroy()
    else socket.write(emptyList)
    answered.add(socket)
  })
  const changes = [() => containerLifecycle.start('one'), () => networks.remove('two')]
  for (const [index, change] of changes.entries()) {
    await images.list()
    await assert.rejects(change(), (error) => isKind(error, 'unavailable'))
    assert.equal(received.length, index + 1)
  }
  assert.match(received[0] ?? '', /^POST \/containers\/one\/start /m)
  assert.match(received[1] ?? '', /^DELETE \/networks\/two /m)
})

test('Transport does not use a kept connection that the daemon has closed', async () => {
  const closed = Promise.withResolvers<void>()
  const { images, containerLifecycle } = await listen((socket, _, count) => {
    if (count > 0) return socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    socket.once('close', () => closed.resolve())
    return socket.end(emptyList)
  })
  await images.list()
  await closed.promise
  await containerLifecycle.start('one')
  assert.equal(received.length, 2)
})

test('Transport reads chunks in pieces of any size', async () => {
  const { images } = await listen((socket) => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n[{"\r\n9\r\nId":"a"}]\r\n0\r\nTrailer: t\r\n\r\n'
    const bytes = Buffer.from(answer)
    let offset = 0
    const next = (): void => {
      if (offset < bytes.length) socket.write(bytes.subarray(offset, ++offset), () => setImmediate(next))
    }
    next()
  })
  assert.deepEqual(await images.list(), [{ Id: 'a' }])
  assert.deepEqual(await images.list(), [{ Id: 'a' }])
  assert.equal(received.length, 1)
})

test('Transport reads a body that ends with the connection', async () => {
  const { images } = await listen((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\n[]'))
  assert.deepEqual(await images.list(), [])
  assert.deepEqual(await images.list(), [])
})

test('Transport skips interim answers', async () => {
  const { images } = await listen((socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${emptyList}`))
  assert.deepEqual(await images.list(), [])
})

test('Transport ends a request whose body fails', async () => {
  const { images } = await listen(() => {})
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from('half')
    throw new Error('the disk broke')
  }
  await assert.rejects(async () => {
    for await (const _ of images.load(body())) assert.fail()
  }, /the disk broke/)
})

test('Transport turns statuses into kinds of errors', async () => {
  const kinds = {
    400: 'invalidArgument',
    401: 'unauthorized',
    404: 'notFound',
    409: 'conflict',
    500: 'internal',
    501: 'notImplemented',
  } as const
  const statuses = Object.keys(kinds)
  const { containerLifecycle } = await listen((socket, _, count) => {
    const body = JSON.stringify({ message: `text ${count}` })
    socket.write(`HTTP/1.1 ${statuses[count]} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  })
  for (const [index, kind] of Object.values(kinds).entries()) {
    await assert.rejects(
      containerLifecycle.start('x'),
      (error: Error) => isKind(error, kind) && error.message === `Error response from daemon: text ${index}`,
    )
  }
})

test('Transport shows the text of an answer that is not JSON', async () => {
  const { containerLifecycle } = await listen((socket) =>
    socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\nno backend'),
  )
  await assert.rejects(containerLifecycle.start('x'), { message: 'Error response from daemon: no backend' })
})

test('Transport reports an incomplete answer', async () => {
  const { images } = await listen((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]'))
  await assert.rejects(images.list(), (error) => isKind(error, 'dataLoss'))
})

test('Transport refuses what is not HTTP', async () => {
  const { images } = await listen((socket) => socket.end('SSH-2.0-x\r\n\r\n'))
  await assert.rejects(images.list(), (error) => isKind(error, 'dataLoss'))
})

test('Transport ends a call that is aborted', async () => {
  const abort = new AbortController()
  const { containers } = await listen(() => abort.abort(new Error('enough')))
  await assert.rejects(containers.list({ signal: abort.signal }), { message: 'enough' })
})

test('Transport names an address without a daemon, and tries again after onUnreachable', async () => {
  const path = join(directory, 'none')
  const options = { endpoint: parseEndpoint(`unix://${path}`) }
  const alone = new EngineClient(options)
  const message = `Cannot connect to the Berth daemon at unix://${path}. Is the berth daemon running?`
  await assert.rejects(alone.images.list(), (error: Error) => isKind(error, 'unavailable') && error.message === message)
  const helped = new EngineClient({
    ...options,
    onUnreachable: async () => {
      server = createServer((socket) => socket.once('data', () => socket.end(emptyList)))
      await new Promise<void>((resolve) => server?.listen(path, resolve))
    },
  })
  assert.deepEqual(await helped.images.list(), [])
  helped.close()
})

test('Transport sends a body in chunks, and an answer takes precedence over a failed write', async () => {
  const { images } = await listen((socket) =>
    socket.write('HTTP/1.1 400 X\r\nContent-Length: 17\r\n\r\n{"message":"bad"}'),
  )
  async function* archive(): AsyncGenerator<Buffer> {
    for (let index = 0; index < 100; index++) yield Buffer.alloc(1000, 'x')
  }
  await assert.rejects(
    async () => {
      for await (const _ of images.load(archive())) assert.fail('no progress expected')
    },
    { message: 'Error response from daemon: bad' },
  )
  assert.match(received[0] ?? '', /\r\n3e8\r\nx{1000}\r\n/)
})

test('containerLifecycle.wait() resolves when the daemon has begun to wait', async () => {
  let finish = (): void => undefined
  const { containerLifecycle } = await listen((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    finish = () => void socket.write('10\r\n{"StatusCode":3}\r\n0\r\n\r\n')
  })
  const { result } = await containerLifecycle.wait('x', 'next-exit')
  finish()
  assert.deepEqual(await result, { StatusCode: 3 })
})

test('containerIo.attach() carries both directions after the upgrade', async () => {
  const { containerIo } = await listen((socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\0\0\0\0\0\0\x02hi')
    socket.prependOnceListener('end', () => {
      socket.write(Buffer.from('\x02\0\0\0\0\0\0\x03err', 'latin1'))
      socket.end()
    })
  })
  const stream = await containerIo.attach('x', { stdin: true, stdout: true, stderr: true, tty: false })
  const seen: string[] = []
  const done = stream.readOutput((kind, chunk) => void seen.push(`${kind}:${chunk}`))
  stream.write(Buffer.from('input'))
  stream.endInput()
  await done
  assert.deepEqual(seen, ['stdout:hi', 'stderr:err'])
  assert.match(received[0] ?? '', /^POST \/containers\/x\/attach\?stream=1&stdin=1&stdout=1&stderr=1 HTTP\/1.1\r\n/)
  assert.match(received[0] ?? '', /upgrade: tcp\r\n\r\ninput$/)
})

test('system.events() keeps nanoseconds', async () => {
  const line =
    '{"Type":"container","Action":"start","Actor":{"ID":"x","Attributes":{}},"scope":"local","time":1767323045,"timeNano":1767323045123456789}\n'
  const { system } = await listen((socket) => socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${line}${line}`))
  const times: bigint[] = []
  for await (const event of system.events()) times.push(event.timeNano)
  assert.deepEqual(times, [1767323045123456789n, 1767323045123456789n])
})
