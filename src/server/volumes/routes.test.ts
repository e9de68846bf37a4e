import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Volume } from '../../api/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

const volume: Volume = { Name: 'v', Driver: 'local', Mountpoint: '/m', Labels: {}, Scope: 'local', Options: {} }

test('the routes of volumes pass names, filters and options to the engine', async () => {
  const calls: unknown[] = []
  await using api = await startTestApi({
    volumes: {
      list: async (filters) => {
        calls.push(filters)
        return { Volumes: [volume], Warnings: null }
      },
      inspect: async (name) => ({ ...volume, Name: name }),
      create: async (request) => {
        calls.push(request)
        return volume
      },
      remove: async (name, options) => void calls.push([name, options]),
      prune: async (filters) => {
        calls.push(filters)
        return { VolumesDeleted: [], SpaceReclaimed: 0 }
      },
    },
  })
  assert.equal((await api.request('GET', '/volumes?filters={"name":["v"]}')).status, 200)
  assert.equal(((await api.request('GET', '/volumes/abc')).json() as Volume).Name, 'abc')
  assert.equal((await api.request('POST', '/volumes/create', { json: { Name: 'v', labels: { a: 'b' } } })).status, 201)
  assert.equal((await api.request('DELETE', '/volumes/v?force=1')).status, 204)
  assert.equal((await api.request('POST', '/v1.41/volumes/prune')).status, 200)
  assert.equal((await api.request('POST', '/volumes/prune')).status, 200)
  assert.deepEqual(calls, [
    { name: ['v'] },
    { Name: 'v', Labels: { a: 'b' } },
    ['v', { force: true }],
    { all: ['true'] },
    {},
  ])
  assert.equal((await api.request('POST', '/volumes/create')).status, 201)
  assert.equal((await api.request('POST', '/volumes/create', { json: 'x' })).status, 400)
  assert.equal((await api.request('PUT', '/volumes/v', { json: {} })).status, 503)
})
