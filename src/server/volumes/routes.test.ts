import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network, Volume } from '../../api/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

const volume: Volume = { Name: 'v', Driver: 'local', Mountpoint: '/m', Labels: {}, Scope: 'local', Options: {} }

test('volumes', async () => {
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
  assert.equal((await api.request('POST', '/volumes/create')).status, 400)
  assert.equal((await api.request('PUT', '/volumes/v', { json: {} })).status, 503)
})

test('networks', async () => {
  const network = { Name: 'bridge', Id: 'n', Containers: { c: {} } } as unknown as Network
  await using api = await startTestApi({
    networks: { list: async () => [network], inspect: async () => network },
  })
  assert.deepEqual((await api.request('GET', '/networks')).json(), [{ ...network, Containers: {} }])
  assert.deepEqual((await api.request('GET', '/networks/bridge')).json(), network)
  assert.equal((await api.request('GET', '/networks?filters={"x":["y"]}')).status, 400)
  assert.equal((await api.request('DELETE', '/networks/x')).status, 501)
})
