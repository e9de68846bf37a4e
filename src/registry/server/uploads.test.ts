import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { until } from '../../../test/helpers/wait.ts'
import { blobDigestOf } from './model/blob-digest.ts'
import type { RegistryOptions } from './registry-options.ts'
import { RegistryUnderTest, type TestAnswer } from './testing/registry-under-test.ts'

let registry: RegistryUnderTest
let activeUploads = 0
const start = '/v2/team/app/blobs/uploads/'
const unknown = blobDigestOf(Buffer.from('unknown'))

before(async () => {
  registry = await RegistryUnderTest.start({
    observer: {
      uploadsChanged: (active) => {
        activeUploads = active
      },
    },
  })
})
after(() => registry[Symbol.asyncDispose]())

async function begin(): Promise<string> {
  const answer = await registry.request('POST', start)
  assert.equal(answer.status, 202)
  return locationOf(answer)
}

function locationOf({ headers }: TestAnswer): string {
  assert.match(headers.location ?? '', /^\/v2\/team\/app\//)
  return headers.location ?? ''
}

function patch(location: string, body: string | Buffer, range?: string): Promise<TestAnswer> {
  const headers = range === undefined ? {} : { 'content-range': range }
  return registry.request('PATCH', location, { body, headers })
}

function digestOf(text: string | Buffer): string {
  return blobDigestOf(Buffer.from(text))
}

async function assertBlob(bytes: string | Buffer): Promise<void> {
  const answer = await registry.request('GET', `/v2/team/app/blobs/${digestOf(bytes)}`)
  assert.equal(answer.status, 200)
  assert.ok(answer.body.equals(Buffer.from(bytes)))
}

function assertCreated(answer: TestAnswer, bytes: string | Buffer): void {
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers.location, `/v2/team/app/blobs/${digestOf(bytes)}`)
  assert.equal(answer.headers['docker-content-digest'], digestOf(bytes))
  assert.equal(answer.headers['content-length'], '0')
}

test('an upload by POST, then PUT with the whole blob', async () => {
  const answer = await registry.request('POST', start)
  assert.equal(answer.status, 202)
  assert.equal(answer.headers.range, '0-0')
  assert.equal(answer.headers['content-length'], '0')
  const uuid = String(answer.headers['docker-upload-uuid'])
  assert.equal(locationOf(answer), `${start}${uuid}`)
  const location = `${locationOf(answer)}?digest=${digestOf('monolithic')}`
  assertCreated(await registry.request('PUT', location, { body: 'monolithic' }), 'monolithic')
  await assertBlob('monolithic')
  assert.deepEqual((await registry.request('GET', locationOf(answer))).codes(), ['BLOB_UPLOAD_UNKNOWN'])
})

test('POST with the digest uploads the whole blob, also without the slash at the end', async () => {
  for (const path of [start, start.slice(0, -1)]) {
    const body = `one post ${path.length}`
    assertCreated(await registry.request('POST', `${path}?digest=${digestOf(body)}`, { body }), body)
    await assertBlob(body)
  }
})

test('a blob can be uploaded with a sha512 digest', async () => {
  const digest = await registry.pushBlob('team/app', 'by sha512', 'sha512')
  const answer = await registry.request('GET', `/v2/team/app/blobs/${digest}`)
  assert.equal(answer.text, 'by sha512')
  assert.equal(answer.headers['docker-content-digest'], digest)
})

test('an upload in chunks with ranges, the last one with PUT', async () => {
  let answer = await patch(await begin(), 'abc', '0-2')
  assert.equal(answer.status, 202, answer.text)
  assert.equal(answer.headers.range, '0-2')
  answer = await patch(locationOf(answer), 'defgh', '3-7')
  assert.equal(answer.headers.range, '0-7')
  const location = locationOf(answer)
  const status = await registry.request('GET', location)
  assert.equal(status.status, 204)
  assert.equal(status.headers.range, '0-7')
  assert.equal(status.headers.location, location)
  const finish = `${location}?digest=${digestOf('abcdefghij')}`
  const last = await registry.request('PUT', finish, { body: 'ij', headers: { 'content-range': '8-9' } })
  assertCreated(last, 'abcdefghij')
  await assertBlob('abcdefghij')
})

test('an upload as a stream of unknown length, ended by an empty PUT', async () => {
  const location = await begin()
  const bytes = Buffer.alloc(3_000_000, 'stream')
  const headers = { 'transfer-encoding': 'chunked' }
  const answer = await registry.request('PATCH', location, { headers, body: bytes })
  assert.equal(answer.status, 202)
  assert.equal(answer.headers.range, `0-${bytes.length - 1}`)
  assertCreated(await registry.request('PUT', `${location}?digest=${digestOf(bytes)}`), bytes)
  await assertBlob(bytes)
})

test('a chunk at another offset than the end gets 416 with the right offset, and nothing changes', async () => {
  const location = await begin()
  for (const range of ['5-7', 'x', '3-1', '-1']) {
    const answer = await patch(location, 'abc', range)
    assert.equal(answer.status, 416, range)
    assert.deepEqual(answer.codes(), ['BLOB_UPLOAD_INVALID'])
    assert.equal(answer.headers.range, '0-0')
    assert.equal(answer.headers.location, location)
  }
  await patch(location, 'abc', '0-2')
  for (const range of ['0-2', '2-4', '4-6']) {
    const answer = await patch(location, 'def', range)
    assert.equal(answer.status, 416, range)
    assert.equal(answer.headers.range, '0-2')
    const put = await registry.request('PUT', `${location}?digest=${digestOf('abcdef')}`, {
      body: 'def',
      headers: { 'content-range': range },
    })
    assert.equal(put.status, 416, range)
  }
  await patch(location, 'def', 'bytes 3-5/6')
  assertCreated(await registry.request('PUT', `${location}?digest=${digestOf('abcdef')}`), 'abcdef')
})

test('a chunk with another length than its range is refused', async () => {
  const location = await begin()
  const short = await patch(location, 'abc', '0-9')
  assert.equal(short.status, 400)
  assert.deepEqual(short.codes(), ['SIZE_INVALID'])
  assert.equal((await registry.request('GET', location)).headers.range, '0-0')
  const long = await registry.request('PATCH', location, {
    headers: { 'transfer-encoding': 'chunked', 'content-range': '0-1' },
    body: 'abcdef',
  })
  assert.equal(long.status, 400)
  assert.deepEqual(long.codes(), ['SIZE_INVALID'])
})

test('a wrong digest makes no blob and drops the upload', async () => {
  const location = await begin()
  await patch(location, 'abc')
  const answer = await registry.request('PUT', `${location}?digest=${unknown}`)
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.codes(), ['DIGEST_INVALID'])
  assert.equal((await registry.request('HEAD', `/v2/team/app/blobs/${unknown}`)).status, 404)
  assert.equal((await registry.request('GET', location)).status, 404)
  const before = await registry.files()
  const post = await registry.request('POST', `${start}?digest=${unknown}`, { body: 'abc' })
  assert.deepEqual(post.codes(), ['DIGEST_INVALID'])
  assert.deepEqual(await registry.files(), before)
})

test('a malformed digest is refused before a byte is read, and the upload stays', async () => {
  const location = await begin()
  const before = await registry.files()
  for (const query of ['', '?digest=', '?digest=sha256:abc', '?digest=md5:d41d8cd98f00b204e9800998ecf8427e']) {
    const answer = await registry.request('PUT', location + query, { body: 'abc' })
    assert.equal(answer.status, 400, query)
    assert.deepEqual(answer.codes(), ['DIGEST_INVALID'], query)
    if (query !== '') assert.equal((await registry.request('POST', start + query, { body: 'x' })).status, 400, query)
  }
  assert.deepEqual(await registry.files(), before)
  assert.equal((await registry.request('GET', location)).status, 204)
})

test('unknown uploads and those of another repository get 404', async () => {
  const location = await begin()
  const foreign = location.replace('team/app', 'team/other')
  const names = [`${start}00000000-0000-4000-8000-000000000000`, `${start}..%2f..`, `${start}x`, foreign]
  for (const name of names) {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const answer = await registry.request(method, `${name}?digest=${unknown}`, {
        body: method === 'GET' ? undefined : 'x',
      })
      assert.equal(answer.status, 404, `${method} ${name}`)
      assert.deepEqual(answer.codes(), ['BLOB_UPLOAD_UNKNOWN'])
    }
  }
  assert.equal((await registry.request('GET', location)).status, 204)
})

test('DELETE cancels an upload', async () => {
  const location = await begin()
  await patch(location, 'abc')
  assert.equal((await registry.request('DELETE', location)).status, 204)
  assert.equal((await registry.request('GET', location)).status, 404)
  assert.equal((await registry.request('DELETE', location)).status, 404)
})

test('mount takes a blob from the named repository or from any, else begins an upload', async () => {
  const digest = await registry.pushBlob('base/image', 'mounted')
  const mount = (query: string) => registry.request('POST', `/v2/team/app/blobs/uploads/?${query}`)
  for (const query of [
    `mount=${unknown}&from=base/image`,
    `mount=${digest}&from=no/such`,
    `mount=${digest}&from=../x`,
    'mount=sha256:abc&from=base/image',
    'mount=&from=',
  ]) {
    const answer = await mount(query)
    assert.equal(answer.status, 202, query)
    assert.equal(answer.headers.range, '0-0')
    assert.equal((await registry.request('DELETE', locationOf(answer))).status, 204)
  }
  assert.equal((await registry.request('HEAD', `/v2/team/app/blobs/${digest}`)).status, 404)
  assertCreated(await mount(`mount=${digest}&from=base/image`), 'mounted')
  await assertBlob('mounted')
  const second = await registry.pushBlob('base/image', 'mounted from anywhere')
  assertCreated(await mount(`mount=${second}`), 'mounted from anywhere')
  await assertBlob('mounted from anywhere')
})

test('mount never gives a blob that the client may not read', async () => {
  await using secret = await RegistryUnderTest.start({
    authorizer: {
      authorize: async ({ wanted }) => {
        const isSecret = wanted.some(({ name, actions }) => name === 'secret' && actions.includes('pull'))
        return isSecret ? { kind: 'deny' } : { kind: 'allow' }
      },
    },
  })
  const { uploads } = secret.storage
  await uploads.create('x')
  await uploads.append(
    'x',
    0,
    (async function* () {
      yield Buffer.from('secret')
    })(),
  )
  const digest = blobDigestOf(Buffer.from('secret'))
  await secret.registry.contents.blobs.commitUpload('secret', 'x', digest)
  for (const query of [`mount=${digest}&from=secret`, `mount=${digest}`]) {
    assert.equal((await secret.request('POST', `/v2/open/blobs/uploads/?${query}`)).status, 202)
  }
  assert.equal((await secret.request('GET', `/v2/open/blobs/${digest}`)).status, 404)
  // A digest alone gives no right: the client must send the bytes.
  assert.equal(
    (await secret.request('POST', `/v2/open/blobs/uploads/?digest=${digest}`, { body: 'guess' })).status,
    400,
  )
  assert.equal((await secret.request('GET', `/v2/open/blobs/${digest}`)).status, 404)
  assert.equal(await secret.pushBlob('open', 'secret'), digest)
  assert.equal((await secret.request('GET', `/v2/open/blobs/${digest}`)).text, 'secret')
})

test('after a broken connection the upload keeps its bytes and can be resumed', async () => {
  const location = await begin()
  const bytes = Buffer.alloc(2_000_000, 'broken')
  const socket = connect(registry.port, '127.0.0.1')
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`)
  socket.write(bytes.subarray(0, 1_200_000))
  const sizeBytes = async () => {
    const { headers } = await registry.request('GET', location)
    return headers.range === '0-0' ? 0 : Number(headers.range?.split('-')[1]) + 1
  }
  await until(async () => (await sizeBytes()) > 0, { what: 'the first bytes' })
  socket.destroy()
  await until(() => activeUploads === 0, { what: 'the end of the request' })
  const offset = await sizeBytes()
  assert.ok(offset > 0 && offset <= 1_200_000, `${offset}`)
  const rest = await patch(location, bytes.subarray(offset), `${offset}-${bytes.length - 1}`)
  assert.equal(rest.status, 202, rest.text)
  assertCreated(await registry.request('PUT', `${location}?digest=${digestOf(bytes)}`), bytes)
  await assertBlob(bytes)
})

test('an upload that another process began can be continued', async () => {
  await using other = await RegistryUnderTest.start({}, registry.folder)
  const location = await begin()
  await patch(location, 'first ')
  assert.equal((await other.request('PATCH', location, { body: 'second ' })).status, 202)
  assert.equal((await registry.request('GET', location)).headers.range, '0-12')
  const bytes = 'first second third'
  const finish = await registry.request('PUT', `${location}?digest=${digestOf(bytes)}`, { body: 'third' })
  assertCreated(finish, bytes)
  assert.equal((await other.request('GET', `/v2/team/app/blobs/${digestOf(bytes)}`)).text, bytes)
})

test('Location has the address that the client or a proxy used, or the configured one', async () => {
  const rows: readonly (readonly [RegistryOptions['locations'], Record<string, string>, string])[] = [
    ['host', { host: 'my.registry:5000' }, 'http://my.registry:5000'],
    ['host', { host: 'x', 'x-forwarded-host': 'public', 'x-forwarded-proto': 'https' }, 'https://public'],
    [{ publicUrl: 'https://cdn.example/base/' }, { host: 'x' }, 'https://cdn.example/base'],
  ]
  for (const [locations, headers, expected] of rows) {
    await using other = await RegistryUnderTest.start({ locations })
    const answer = await other.request('POST', '/v2/a/blobs/uploads/', { headers })
    const location = answer.headers.location ?? ''
    assert.ok(location.startsWith(`${expected}/v2/a/blobs/uploads/`), location)
  }
})
