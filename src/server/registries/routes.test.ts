import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BerthError } from '../../base/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

test('auth passes credentials on and answers in the form of Docker', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    registries: {
      login: async (auth) => {
        seen.push(auth)
        if (auth.password === 'wrong') throw new BerthError('unauthorized', 'no')
        return { Status: 'Login Succeeded', IdentityToken: 't' }
      },
    },
  })
  const json = { username: 'u', password: 'p', serveraddress: 'r:5000' }
  const good = await api.request('POST', '/auth', { json })
  assert.deepEqual([good.status, good.json()], [200, { Status: 'Login Succeeded', IdentityToken: 't' }])
  const wrong = await api.request('POST', '/auth', { json: { ...json, password: 'wrong' } })
  assert.deepEqual([wrong.status, wrong.json()], [401, { message: 'no' }])
  assert.deepEqual(seen[0], json)
  assert.equal((await api.request('POST', '/auth', { json: { username: 1 } })).status, 400)
  assert.equal((await api.request('POST', '/auth', { json: [] })).status, 400)
  assert.equal((await api.request('POST', '/auth')).status, 400)
})

test('distribution passes name and credentials on', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    registries: {
      inspect: async (reference, { auth }) => {
        seen.push([reference, auth])
        return { Descriptor: { mediaType: 'm', digest: 'd', size: 1 }, Platforms: [] }
      },
    },
  })
  const auth = Buffer.from('{"username":"u"}').toString('base64url')
  const headers = { 'X-Registry-Auth': auth }
  const answer = await api.request('GET', '/distribution/r:5000/a/b:1/json', { headers })
  assert.deepEqual(answer.json(), { Descriptor: { mediaType: 'm', digest: 'd', size: 1 }, Platforms: [] })
  assert.deepEqual(seen, [['r:5000/a/b:1', { username: 'u' }]])
})

test('search checks limit and filters', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    registries: {
      search: async (term, { limit, filters }) => {
        seen.push([term, limit, filters])
        return []
      },
    },
  })
  const ask = async (query: string): Promise<[number, unknown]> => {
    const { status, json } = await api.request('GET', `/images/search?${query}`)
    return [status, json()]
  }
  assert.deepEqual(await ask('term=a/b&limit=3&filters={"stars":["3"],"is-official":["true"]}'), [200, []])
  assert.deepEqual(seen, [['a/b', 3, { stars: ['3'], 'is-official': ['true'] }]])
  const message = (text: string) => [400, { message: text }]
  const invalid = 'strconv.Atoi: parsing "a": invalid syntax'
  assert.deepEqual(await ask('term=a&limit=a'), message(`invalid limit specified: ${invalid}`))
  assert.deepEqual(await ask('term=a&limit=-1'), message('invalid limit specified'))
  assert.deepEqual(await ask('term=a&filters={"x":["y"]}'), message("invalid filter 'x'"))
  assert.deepEqual(await ask('term=a&filters={"stars":["a"]}'), message(`invalid filter 'stars=a': ${invalid}`))
  assert.deepEqual(
    await ask('term=a&filters={"is-official":["maybe"]}'),
    message("invalid filter 'is-official=[maybe]'"),
  )
})
