import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { BerthError } from '../../../base/index.ts'
import { type Digest, parseReference } from '../../../oci/index.ts'
import { RegistryClient, type UploadOptions, type UploadTarget, uploadBlob } from '../index.ts'

const blob = Buffer.alloc(3 << 20, 'some bytes that are uploaded ')
const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}` as Digest

interface Fake extends AsyncDisposable {
  readonly log: string[]
  readonly repository: UploadTarget
  upload(options?: UploadOptions, bytes?: Buffer): ReturnType<typeof uploadBlob>
}

/** The fake registry's state of one upload. */
interface State {
  parts: Buffer
  done: boolean
}

type Handler = (request: IncomingMessage, response: ServerResponse, state: State) => Promise<boolean> | boolean

/** A fake registry for one blob. `before` may answer a request itself, or cut its connection. */
async function startFake(before: Handler): Promise<Fake> {
  const log: string[] = []
  const state: State = { parts: Buffer.alloc(0), done: false }
  const server = createServer((request, response) => {
    log.push(
      `${request.method} ${(request.url ?? '').replace('/v2/x', '').replace(digest, 'D').replace(encodeURIComponent(digest), 'D')}`,
    )
    void (async () => {
      if (!(await before(request, response, state))) await answer(request, response, state)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new RegistryClient()
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}/x`
  const repository = client.repository(parseReference(name), {}, { actions: 'pull,push' })
  return {
    log,
    repository,
    upload: (options, bytes = blob) =>
      uploadBlob(
        repository,
        { digest, sizeBytes: bytes.length, open: (start, end) => Readable.from(pieces(bytes.subarray(start, end))) },
        options,
      ),
    async [Symbol.asyncDispose]() {
      client.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function answer(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const { method = '' } = request
  if (method === 'HEAD') {
    response.writeHead(state.done ? 200 : 404).end()
    return
  }
  if (method === 'POST') state.parts = Buffer.alloc(0)
  try {
    for await (const chunk of request) state.parts = Buffer.concat([state.parts, chunk as Buffer])
  } catch {
    return // The test cut the connection.
  }
  state.done ||= method === 'PUT' && state.parts.equals(blob)
  response.writeHead(method === 'PUT' ? (state.done ? 201 : 400) : method === 'GET' ? 204 : 202, {
    Location: '/v2/x/blobs/uploads/1?_state=s',
    Range: `0-${Math.max(state.parts.length - 1, 0)}`,
  })
  response.end()
}

test('uploadBlob() sends one PATCH and ends it', async () => {
  await using fake = await startFake(() => false)
  const sent: number[] = []
  assert.deepEqual(await fake.upload({ onProgress: (bytes) => sent.push(bytes) }), { type: 'uploaded' })
  assert.deepEqual(fake.log.slice(-4), [
    'HEAD /blobs/D',
    'POST /blobs/uploads/',
    'PATCH /blobs/uploads/1?_state=s',
    'PUT /blobs/uploads/1?_state=s&digest=D',
  ])
  assert.equal(sent.at(-1), blob.length)
  assert.deepEqual(await fake.upload(), { type: 'exists' })
})

test('uploadBlob() resumes after a broken connection', async () => {
  let cuts = 0
  await using fake = await startFake((request, _, state) => {
    if (request.method !== 'PATCH' || cuts >= 3) return false
    cuts += 1
    request.on('data', (chunk: Buffer) => {
      state.parts = Buffer.concat([state.parts, chunk])
      if (state.parts.length >= cuts * 700_000) request.socket.destroy()
    })
    return true
  })
  const retries: number[] = []
  assert.deepEqual(await fake.upload({ onRetry: (delayMs) => retries.push(delayMs) }), { type: 'uploaded' })
  assert.equal(cuts, 3)
  assert.equal(retries.length, 3)
  assert.equal(fake.log.filter((line) => line.startsWith('POST')).length, 1)
  assert.equal(fake.log.filter((line) => line.startsWith('GET /blobs/uploads')).length, 3)
})

test('uploadBlob() begins again if the registry lost the upload, and notices a completed one by HEAD', async () => {
  let state404 = 0
  await using forgetful = await startFake((request, response) => {
    if (request.method === 'PATCH' && state404 === 0) {
      state404 = 1
      request.socket.destroy()
      return true
    }
    if (request.method === 'GET' && request.url?.includes('uploads') === true) {
      response.writeHead(404).end()
      return true
    }
    return false
  })
  assert.deepEqual(await forgetful.upload(), { type: 'uploaded' })
  assert.equal(forgetful.log.filter((line) => line.startsWith('POST')).length, 2)
  await using lossy = await startFake((request, _, state) => {
    if (request.method !== 'PUT') return false
    state.done = true
    request.socket.destroy()
    return true
  })
  assert.deepEqual(await lossy.upload(), { type: 'uploaded' })
})

test('uploadBlob() mounts, or uses the upload that a registry begins instead', async () => {
  await using mounting = await startFake((request, response) => {
    if (request.url?.includes('from=lib%2Fa') !== true) return false
    response.writeHead(201, { Location: `/v2/x/blobs/${digest}` }).end()
    return true
  })
  assert.deepEqual(await mounting.upload({ mountFrom: ['lib/a'] }), { type: 'mounted', from: 'lib/a' })
  await using refusing = await startFake(() => false)
  assert.deepEqual(await refusing.upload({ mountFrom: ['lib/a', 'lib/b'] }), { type: 'uploaded' })
  assert.equal(refusing.log.filter((line) => line.startsWith('POST')).length, 2)
})

test('uploadBlob() waits for a busy registry at any point', async () => {
  const busy = new Set(['POST', 'PATCH', 'PUT'])
  await using fake = await startFake((request, response) => {
    if (!busy.delete(request.method ?? '')) return false
    response.writeHead(request.method === 'POST' ? 429 : 503, { 'Retry-After': '0' }).end()
    return true
  })
  assert.deepEqual(await fake.upload(), { type: 'uploaded' })
  assert.equal(busy.size, 0)
})

test('uploadBlob() ends if its signal fires, and if the local blob is missing', async () => {
  await using fake = await startFake((request) => request.method === 'PATCH')
  const abort = new AbortController()
  const upload = fake.upload({ signal: abort.signal, onProgress: () => abort.abort() })
  await assert.rejects(upload, { kind: 'cancelled' })
  const missing = new BerthError('notFound', 'content digest: not found')
  const source = { digest, sizeBytes: blob.length, open: () => new Readable().destroy(missing) }
  await assert.rejects(uploadBlob(fake.repository, source), missing)
})

test('uploadBlob() follows a redirect of an upload, and sends the whole body again', async () => {
  await using fake = await startFake((request, response) => {
    if (request.method !== 'PATCH' || request.url?.includes('moved') === true) return false
    response.writeHead(307, { Location: '/v2/x/blobs/uploads/moved' }).end()
    return true
  })
  assert.deepEqual(await fake.upload(), { type: 'uploaded' })
  assert.ok(fake.log.includes('PATCH /blobs/uploads/moved'))
})

test("uploadBlob() reports a registry's refusal", async () => {
  await using denied = await startFake((request, response) => {
    if (request.method !== 'POST') return false
    response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}')
    return true
  })
  await assert.rejects(denied.upload(), {
    kind: 'forbidden',
    message: 'denied: requested access to the resource is denied',
  })
  await using full = await startFake((request, response) => {
    if (request.method !== 'PATCH') return false
    response.writeHead(413).end('too large')
    return true
  })
  await assert.rejects(full.upload(), /413/)
})
