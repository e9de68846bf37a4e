import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageSummary } from '../../api/index.ts'
import { notFound } from '../../base/index.ts'
import { startTestApi, type TestApi } from '../testing/fake-backends.ts'

function pulling(seen: unknown[]): Promise<TestApi> {
  return startTestApi({
    images: {
      pull: async (reference, { onProgress, platform, auth }) => {
        seen.push([reference, platform, auth])
        if (reference.includes('missing')) throw notFound('manifest unknown')
        onProgress?.({ status: 'Pulling', id: 'a' })
        if (reference.includes('broken')) throw new Error('connection lost')
        onProgress?.({ status: 'Done' })
      },
    },
  })
}

test('pull joins name and tag and passes platform and credentials', async () => {
  const seen: unknown[] = []
  await using api = await pulling(seen)
  const auth = Buffer.from('{"username":"u","password":"p"}').toString('base64url')
  const digest = `sha256:${'0'.repeat(64)}`
  const post = (query: string, headers = {}) => api.request('POST', `/images/create?${query}`, { headers })
  const answer = await post('fromImage=busybox&tag=1.36&platform=linux/arm64', { 'X-Registry-Auth': auth })
  assert.deepEqual(
    [answer.status, answer.headers['content-type'], answer.body],
    [200, 'application/json', '{"status":"Pulling","id":"a"}\r\n{"status":"Done"}\r\n'],
  )
  await post('fromImage=127.0.0.1:5000/a/b:c')
  await post(`fromImage=busybox:old&tag=${digest}`, { 'X-Registry-Auth': 'e30=' })
  await post('fromImage=busybox&tag=t', { 'X-Registry-Auth': '%%%' })
  assert.deepEqual(seen, [
    ['docker.io/library/busybox:1.36', 'linux/arm64', { username: 'u', password: 'p' }],
    ['127.0.0.1:5000/a/b:c', undefined, undefined],
    [`docker.io/library/busybox@${digest}`, undefined, undefined],
    ['docker.io/library/busybox:t', undefined, undefined],
  ])
})

test('pull answers early failures with a status and late ones in the stream', async () => {
  await using api = await pulling([])
  const early = await api.request('POST', '/images/create?fromImage=missing&tag=a')
  assert.deepEqual([early.status, early.json()], [404, { message: 'manifest unknown' }])
  const late = await api.request('POST', '/images/create?fromImage=broken&tag=a')
  assert.equal(late.status, 200)
  assert.equal(late.body.split('\r\n')[1], '{"errorDetail":{"message":"connection lost"},"error":"connection lost"}')
  for (const [query, status] of [
    ['fromImage=busybox', 200],
    ['fromImage=busybox&tag=sha256:12', 400],
    ['fromImage=Bad&tag=a', 400],
    ['fromImage=a&tag=!', 400],
    ['', 400],
  ] as const) {
    assert.equal((await api.request('POST', `/images/create?${query}`)).status, status, query)
  }
})

test('push joins name and tag, passes platform and credentials, and means all tags without one', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    images: {
      push: async (reference, { onProgress, platform, auth }) => {
        seen.push([reference, platform, auth])
        if (reference.includes('missing')) throw notFound('no such image')
        onProgress?.({ status: 'Preparing', progressDetail: {}, id: 'a' })
        throw new Error('denied: no')
      },
    },
  })
  const auth = Buffer.from('{"username":"u"}').toString('base64url')
  const platform = encodeURIComponent('{"os":"linux","architecture":"arm64"}')
  const post = (path: string, headers = {}) => api.request('POST', `/images/${path}`, { headers })
  const answer = await post(`r:5000/a/b/push?tag=1&platform=${platform}`, { 'X-Registry-Auth': auth })
  assert.deepEqual(
    [answer.status, answer.headers['content-type'], answer.body],
    [
      200,
      'application/json',
      '{"status":"Preparing","progressDetail":{},"id":"a"}\r\n{"errorDetail":{"message":"denied: no"},"error":"denied: no"}\r\n',
    ],
  )
  await post('busybox/push')
  const early = await post('missing/push?tag=x')
  assert.deepEqual([early.status, early.json()], [404, { message: 'no such image' }])
  assert.deepEqual(seen, [
    ['r:5000/a/b:1', 'linux/arm64', { username: 'u' }],
    ['busybox', undefined, undefined],
    ['docker.io/library/missing:x', undefined, undefined],
  ])
  for (const path of ['Bad/push?tag=a', 'a/push?tag=!', 'a/push?tag=a&platform=x']) {
    assert.equal((await post(path)).status, 400, path)
  }
})

test('load and import read the body', async () => {
  const seen: unknown[] = []
  const textOf = async (source: AsyncIterable<Buffer>) => {
    let text = ''
    for await (const chunk of source) text += chunk.toString()
    return text
  }
  await using api = await startTestApi({
    images: {
      load: async (source, { onProgress, quiet }) => {
        onProgress?.({ stream: `${await textOf(source)} ${quiet}` })
      },
      import: async ({ source, ...request }, { onProgress }) => {
        seen.push(request)
        assert.ok(typeof source !== 'string')
        onProgress?.({ status: await textOf(source) })
      },
    },
  })
  const load = await api.request('POST', '/images/load?quiet=1', { body: 'tar' })
  assert.deepEqual([load.status, load.body], [200, '{"stream":"tar true"}\r\n'])
  const path = '/images/create?fromSrc=-&repo=a/b&tag=c&message=m&changes=ENV%20a=b&changes=USER%20c'
  assert.equal((await api.request('POST', path, { body: 'tar' })).body, '{"status":"tar"}\r\n')
  assert.deepEqual(seen, [
    {
      reference: 'docker.io/a/b:c',
      message: 'm',
      changes: ['ENV a=b', 'USER c'],
      platform: undefined,
    },
  ])
})

test('save sends an archive of known size, and cuts one that breaks', async () => {
  const seen: unknown[] = []
  let released = 0
  await using api = await startTestApi({
    images: {
      save: async (names, { platform }) => {
        seen.push([names, platform])
        if (names.includes('missing')) throw notFound('reference does not exist')
        return {
          sizeBytes: 7,
          async *chunks() {
            yield Buffer.from('arch')
            if (names.includes('broken')) throw new Error('the disk broke')
            yield Buffer.from('ive')
          },
          [Symbol.dispose]: () => {
            released += 1
          },
        }
      },
    },
  })
  const get = (path: string) => api.request('GET', path)
  const platform = encodeURIComponent('{"os":"linux","architecture":"arm64","variant":"v8"}')
  const answer = await get(`/images/get?names=a:1&names=b&platform=${platform}`)
  assert.deepEqual(
    [answer.status, answer.headers['content-type'], answer.headers['content-length'], answer.body],
    [200, 'application/x-tar', '7', 'archive'],
  )
  assert.equal((await get('/images/h:5000/a/b/get')).body, 'archive')
  assert.equal((await get('/images/missing/get')).status, 404)
  await assert.rejects(get('/images/broken/get'))
  assert.deepEqual(seen, [
    [['a:1', 'b'], 'linux/arm64'],
    [['h:5000/a/b'], undefined],
    [['missing'], undefined],
    [['broken'], undefined],
  ])
  assert.equal(released, 3)
  for (const [text, message] of [
    ['linux/amd64', /^failed to parse platform: /],
    ['[]', /^failed to parse platform: not an object/],
    ['{"os":"linux"}', /^both OS and Architecture must be provided/],
  ] as const) {
    const { status, json } = await get(`/images/a/get?platform=${encodeURIComponent(text)}`)
    assert.equal(status, 400)
    assert.match((json() as { message: string }).message, message)
  }
  assert.equal((await get('/images/a/get?platform={}&platform={}')).status, 400)
})

test('list has the shape of the client version', async () => {
  const image = { Id: 'i', RepoTags: [], RepoDigests: [], Size: 5 } as unknown as ImageSummary
  const seen: unknown[] = []
  await using api = await startTestApi({
    images: {
      list: async ({ filters }) => {
        seen.push(filters)
        return [image]
      },
    },
  })
  assert.deepEqual((await api.request('GET', '/images/json?filters={"dangling":["true"]}')).json(), [image])
  assert.deepEqual((await api.request('GET', '/v1.43/images/json')).json(), [{ ...image, VirtualSize: 5 }])
  assert.deepEqual((await api.request('GET', '/v1.40/images/json?filter=busy')).json(), [
    { ...image, VirtualSize: 5, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] },
  ])
  assert.deepEqual(seen, [{ dangling: ['true'] }, {}, { reference: ['busy'] }])
  assert.equal((await api.request('GET', '/images/json?filters={"dangling":["x"]}')).status, 400)
})

test('history, tag and remove accept names with slashes', async () => {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    (...parameters: readonly unknown[]) => {
      calls.push([name, ...parameters])
      return Promise.resolve([])
    }
  await using api = await startTestApi({
    images: {
      history: note('history'),
      remove: note('remove'),
      tag: note('tag') as never,
      inspect: note('inspect') as never,
    },
  })
  assert.equal((await api.request('GET', '/images/h:5000/a/b/history')).status, 200)
  assert.equal((await api.request('GET', '/images/h:5000/a/json')).status, 200)
  assert.equal((await api.request('POST', '/images/a/tag?repo=h/b&tag=c')).status, 201)
  assert.equal((await api.request('DELETE', '/images/a/b:c?force=1')).status, 200)
  const platform = encodeURIComponent('{"os":"linux","architecture":"arm","variant":"7"}')
  assert.equal((await api.request('DELETE', `/images/d?platforms=${platform}`)).status, 200)
  assert.equal((await api.request('DELETE', '/images/d?platforms=x')).status, 400)
  assert.deepEqual(calls, [
    ['history', 'h:5000/a/b', { platform: undefined }],
    ['inspect', 'h:5000/a', { manifests: false, platform: undefined }],
    ['tag', 'a', 'h/b', 'c'],
    ['remove', 'a/b:c', { force: true, prune: true, platforms: [] }],
    ['remove', 'd', { force: false, prune: true, platforms: ['linux/arm/v7'] }],
  ])
})
