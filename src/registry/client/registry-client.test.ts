import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { HttpTransport, pullError, RegistryClient, type RegistryClientOptions, readBlob } from './index.ts'

const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 },
    layers: [],
  }),
)

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  return `127.0.0.1:${address.port}`
}

function client(t: TestContext, options: RegistryClientOptions = {}): RegistryClient {
  const made = new RegistryClient(options)
  t.after(() => made.close())
  return made
}

function sendManifest(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': mediaTypes.ociManifest }).end(manifest)
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

test('Repository.fetchManifest() falls back to plain HTTP on loopback', async (t) => {
  const host = await serve(t, (request, response) => {
    assert.equal(request.url, '/v2/a/b/manifests/1')
    assert.match(String(request.headers.accept), /oci\.image\.index/)
    sendManifest(response)
  })
  const fetched = await client(t)
    .repository(parseReference(`${host}/a/b`))
    .fetchManifest('1')
  assert.deepEqual(fetched.descriptor, {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(manifest),
    size: manifest.length,
  })
})

test('Repository.fetchManifest() verifies the requested digest', async (t) => {
  const host = await serve(t, (_, response) => sendManifest(response))
  const repository = client(t).repository(parseReference(`${host}/a`))
  const wrong = digestOf('x')
  await assert.rejects(repository.fetchManifest(wrong), { kind: 'dataLoss', message: new RegExp(wrong) })
})

test('Repository answers a Bearer challenge, keeps the token and shows credentials to the token server only', async (t) => {
  let tokens = 0
  const host = await serve(t, (request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    if (url.pathname === '/token') {
      tokens += 1
      assert.equal(url.searchParams.get('service'), 'svc')
      assert.equal(url.searchParams.get('scope'), 'repository:a:pull')
      assert.equal(request.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`)
      response.end(JSON.stringify({ token: 'T1', expires_in: 300 }))
    } else if (request.headers.authorization === 'Bearer T1') sendManifest(response)
    else {
      assert.equal(request.headers.authorization, undefined)
      const challenge = `Bearer realm="http://${host}/token",service="svc",scope="repository:a:pull"`
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end()
    }
  })
  const registries = client(t)
  const auth = { username: 'u', password: 'p' }
  await registries.repository(parseReference(`${host}/a`), auth).fetchManifest('1')
  await registries.repository(parseReference(`${host}/a`), auth).fetchManifest('1')
  assert.equal(tokens, 1)
})

test('Repository answers a Basic challenge', async (t) => {
  const host = await serve(t, (request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from('u:p').toString('base64')}`) sendManifest(response)
    else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end()
  })
  const reference = parseReference(`${host}/a`)
  await client(t).repository(reference, { username: 'u', password: 'p' }).fetchManifest('1')
  await assert.rejects(client(t).repository(reference, {}).fetchManifest('1'), { kind: 'unauthorized' })
})

test('Repository retries after 503 and 429, and not after 404', async (t) => {
  let calls = 0
  const host = await serve(t, (request, response) => {
    calls += 1
    if (request.url?.endsWith('/nope') === true) fail(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    else if (calls === 1) fail(response, 503, 'UNAVAILABLE', 'later')
    else if (calls === 2) response.writeHead(429, { 'Retry-After': '0' }).end()
    else sendManifest(response)
  })
  const repository = client(t).repository(parseReference(`${host}/a`))
  await repository.fetchManifest('1')
  assert.equal(calls, 3)
  const error: unknown = await repository.fetchManifest('nope').catch((caught: unknown) => caught)
  assert.equal(calls, 4)
  const named = pullError(error, `${host}/a`, `${host}/a:nope`)
  assert.ok(named instanceof Error)
  assert.equal(named.message, `manifest for ${host}/a:nope not found: manifest unknown: manifest unknown`)
})

test("pullError() has Docker's message for a refusal", async (t) => {
  const host = await serve(t, (_, response) =>
    fail(response, 403, 'DENIED', 'requested access to the resource is denied'),
  )
  const error: unknown = await client(t)
    .repository(parseReference(`${host}/a`))
    .fetchManifest('1')
    .catch((caught: unknown) => caught)
  const named = pullError(error, 'a', 'a:1')
  assert.ok(named instanceof Error)
  assert.equal(
    named.message,
    "pull access denied for a, repository does not exist or may require 'docker login': " +
      'denied: requested access to the resource is denied',
  )
})

test('Repository reports a refused connection as Docker does', async (t) => {
  await assert.rejects(client(t).repository(parseReference('127.0.0.1:1/a')).fetchManifest('1'), {
    kind: 'unavailable',
    message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  })
})

test('Repository uses the registry if a mirror lacks the image', async (t) => {
  const asked: string[] = []
  const empty = await serve(t, (_, response) => {
    asked.push('empty')
    fail(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  })
  const full = await serve(t, (_, response) => {
    asked.push('full')
    sendManifest(response)
  })
  const registries = client(t, { mirrors: [`http://${empty}`, `http://${full}/`] })
  await registries.repository(parseReference('busybox')).fetchManifest('latest')
  assert.deepEqual(asked, ['empty', 'full'])
})

test('HttpTransport.send() does not carry credentials to another host', async (t) => {
  const seen: (string | undefined)[] = []
  const other = await serve(t, (request, response) => {
    seen.push(request.headers.authorization)
    response.end('blob')
  })
  const host = await serve(t, (request, response) => {
    if (request.url === '/same') response.writeHead(307, { Location: `http://${other}/x` }).end()
    else response.writeHead(302, { Location: '/same' }).end()
    seen.push(request.headers.authorization)
  })
  const transport = new HttpTransport()
  t.after(() => transport.close())
  const response = await transport.send({ url: `http://${host}/`, headers: { Authorization: 'Bearer s' } })
  response.body.resume()
  assert.equal(response.status, 200)
  assert.deepEqual(seen, ['Bearer s', 'Bearer s', undefined])
})

test('readBlob() resumes at the byte where the connection broke, with and without ranges', async (t) => {
  const blob = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
  const ranges: (string | undefined)[] = []
  const host = await serve(t, (request, response) => {
    ranges.push(request.headers.range)
    const honours = request.url === '/ranges'
    const from = honours ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
    const rest = blob.subarray(from)
    const headers = {
      'Content-Length': rest.length,
      'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}`,
    }
    response.writeHead(honours && request.headers.range !== undefined ? 206 : 200, headers)
    if (ranges.length % 3 === 0) response.end(rest)
    else response.write(rest.subarray(0, 100_000), () => response.destroy())
  })
  const transport = new HttpTransport()
  t.after(() => transport.close())
  for (const path of ['/ranges', '/whole']) {
    const request = { url: `http://${host}${path}`, headers: {}, insecureTls: false, hasOthers: false }
    const chunks: Buffer[] = []
    for await (const chunk of readBlob(transport, async () => request, { sizeBytes: blob.length })) chunks.push(chunk)
    assert.ok(Buffer.concat(chunks).equals(blob), path)
  }
  assert.equal(ranges.length, 6)
  assert.equal(ranges[0], undefined)
  assert.match(String(ranges[1]), /^bytes=\d+-$/)
})

test('readBlob() refuses a registry that sends more than the descriptor says', async (t) => {
  const host = await serve(t, (_, response) => response.end('123456'))
  const transport = new HttpTransport()
  t.after(() => transport.close())
  const request = { url: `http://${host}/`, headers: {}, insecureTls: false, hasOthers: false }
  await assert.rejects(
    async () => {
      for await (const _ of readBlob(transport, async () => request, { sizeBytes: 3 }));
    },
    { kind: 'dataLoss' },
  )
})

test('readBlob() ends when its signal fires', async (t) => {
  const host = await serve(t, (_, response) => response.write('1'))
  const transport = new HttpTransport()
  t.after(() => transport.close())
  const abort = new AbortController()
  const request = { url: `http://${host}/`, headers: {}, insecureTls: false, hasOthers: false }
  await assert.rejects(
    async () => {
      const stream = readBlob(transport, async () => request, { sizeBytes: 30, signal: abort.signal })
      for await (const _ of stream) abort.abort()
    },
    { kind: 'cancelled' },
  )
})

test("Repository sends the user's password only to the registry itself", async (t) => {
  const shown: string[] = []
  const elsewhere = await serve(t, (request, response) => {
    shown.push(`elsewhere ${request.headers.authorization ?? '-'}`)
    sendManifest(response)
  })
  const host = await serve(t, (request, response) => {
    shown.push(`registry ${request.headers.authorization ?? '-'}`)
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end()
    } else response.writeHead(307, { Location: `http://${elsewhere}/signed?secret=1` }).end()
  })
  const auth = { username: 'u', password: 'p' }
  const basic = `Basic ${Buffer.from('u:p').toString('base64')}`
  await client(t)
    .repository(parseReference(`${host}/a`), auth)
    .fetchManifest('1')
  assert.deepEqual(shown, ['registry -', `registry ${basic}`, 'elsewhere -'])
  shown.length = 0
  const mirrored = client(t, { mirrors: [`http://${host}`], proxies: { httpsProxy: 'http://127.0.0.1:1' } })
  await assert.rejects(mirrored.repository(parseReference('a'), auth).fetchManifest('1'), { kind: 'unavailable' })
  assert.ok(shown.length > 0 && shown.every((one) => one === 'registry -'), shown.join())
})

test('Repository renews a token that expires, and one that is refused', async (t) => {
  const valid = new Set<string>()
  let made = 0
  const host = await serve(t, (request, response) => {
    if (request.url?.startsWith('/token') === true) {
      made += 1
      valid.add(`Bearer T${made}`)
      response.end(JSON.stringify({ token: `T${made}`, expires_in: 300 }))
    } else if (valid.has(request.headers.authorization ?? '')) sendManifest(response)
    else {
      const challenge = `Bearer realm="http://${host}/token",service="s",error="invalid_token"`
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end()
    }
  })
  const repository = client(t).repository(parseReference(`${host}/a`))
  await repository.fetchManifest('1')
  await repository.fetchManifest('1')
  assert.equal(made, 1)
  valid.clear()
  await repository.fetchManifest('1')
  assert.equal(made, 2)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 295_000 })
  await repository.fetchManifest('1')
  assert.equal(made, 3)
})

test('readBlob() resumes after a connection fell silent', async (t) => {
  const blob = Buffer.from('0123456789')
  const ranges: (string | undefined)[] = []
  const host = await serve(t, (request, response) => {
    ranges.push(request.headers.range)
    const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0])
    const headers = start === 0 ? {} : { 'Content-Range': `bytes ${start}-9/10` }
    response.writeHead(start === 0 ? 200 : 206, { 'Content-Length': blob.length - start, ...headers })
    response.write(blob.subarray(start, start + 5))
  })
  const transport = new HttpTransport({ idleTimeoutMs: 100 })
  t.after(() => transport.close())
  const request = { url: `http://${host}/`, headers: {}, insecureTls: false, hasOthers: false }
  const chunks: Buffer[] = []
  for await (const chunk of readBlob(transport, async () => request, { sizeBytes: 10 })) chunks.push(chunk)
  assert.equal(Buffer.concat(chunks).toString(), '0123456789')
  assert.deepEqual(ranges, [undefined, 'bytes=5-'])
})
