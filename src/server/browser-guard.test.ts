import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { nullLogger } from '../base/index.ts'
import { type Exchange, listen, type RequestHandler } from '../http/index.ts'
import { guardFromBrowsers } from './browser-guard.ts'

const handler: RequestHandler = {
  takesConnection: (_method, url) => url === '/raw',
  handle: async (exchange: Exchange) => exchange.sendText(200, 'served'),
}

async function withGuard(boundHost: string, work: (port: number) => Promise<void>): Promise<void> {
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
  const listener = await listen(endpoint, guardFromBrowsers(handler, boundHost, nullLogger))
  try {
    assert.equal(listener.endpoint.kind, 'tcp')
    if (listener.endpoint.kind === 'tcp') await work(listener.endpoint.port)
  } finally {
    await listener.close()
  }
}

function answer(port: number, headers: Readonly<Record<string, string>>, path = '/'): Promise<[number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>()
  const call = request({ port, host: '127.0.0.1', path, method: 'POST', agent: false, headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve([response.statusCode ?? 0, Buffer.concat(chunks).toString()]))
  })
  call.on('error', reject)
  call.end()
  return promise
}

test('guardFromBrowsers() serves requests for loopback and for the host that was bound', async () => {
  await withGuard('my-host', async (port) => {
    const hosts = [
      'localhost',
      'localhost:1',
      'LOCALHOST:2375',
      'a.localhost',
      '127.0.0.1',
      '127.9.9.9:80',
      '[::1]:2375',
    ]
    for (const host of [...hosts, 'my-host', 'my-host:99', `127.0.0.1:${port}`])
      assert.deepEqual(await answer(port, { host }), [200, 'served'], host)
    for (const origin of ['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8'])
      assert.deepEqual(await answer(port, { host: 'localhost', origin }), [200, 'served'], origin)
  })
})

test('guardFromBrowsers() refuses requests that name another host', async () => {
  await withGuard('127.0.0.1', async (port) => {
    const hosts = ['evil.example', 'evil.example:2375', '192.0.2.1:2375', 'localhost.evil.example', 'notlocalhost']
    for (const host of [...hosts, 'x@127.0.0.1', '127.0.0.1/x', '127.0.0.1.evil.example', '0.0.0.0']) {
      const [status, body] = await answer(port, { host })
      assert.equal(status, 403, host)
      const { message } = JSON.parse(body) as { message: string }
      assert.equal(
        message,
        `refused for the header "Host: ${host}": without client certificates only requests for localhost, loopback addresses, 127.0.0.1 are answered here, as a protection from scripts in browsers`,
      )
    }
    for (const origin of ['http://evil.example', 'null', 'file://', 'http://localhost.evil.example:2375']) {
      const [status, body] = await answer(port, { host: 'localhost', origin })
      assert.deepEqual([status, body.includes(`\\"Origin: ${origin}\\"`)], [403, true], body)
    }
  })
})

test('guardFromBrowsers() also refuses requests that would take the connection', async () => {
  await withGuard('127.0.0.1', async (port) => {
    const upgrade = { connection: 'Upgrade', upgrade: 'tcp' }
    assert.equal((await answer(port, { host: 'evil.example', ...upgrade }, '/raw'))[0], 403)
    assert.equal((await answer(port, { host: 'localhost', ...upgrade }, '/raw'))[0], 200)
  })
})

test('guardFromBrowsers() serves HTTP/1.0 without a Host header', async () => {
  await withGuard('127.0.0.1', async (port) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.end('GET / HTTP/1.0\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    assert.match(text, /^HTTP\/1.1 200 /)
  })
})
