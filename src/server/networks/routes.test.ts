import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network, NetworkCreateBody } from '../../api/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

const network = { Name: 'bridge', Id: 'n', Containers: { c: {} } } as unknown as Network

test('networks are listed without and inspected with their containers', async () => {
  await using api = await startTestApi({
    networks: { list: async () => [network], inspect: async () => network },
  })
  assert.deepEqual((await api.request('GET', '/networks')).json(), [{ ...network, Containers: {} }])
  assert.deepEqual((await api.request('GET', '/networks/bridge?verbose=1&scope=local')).json(), network)
  assert.equal((await api.request('GET', '/networks/bridge?scope=swarm')).status, 404)
  assert.equal((await api.request('GET', '/networks?filters={"x":["y"]}')).status, 400)
})

test('network create reads every field, with its name in any case', async () => {
  const seen: NetworkCreateBody[] = []
  await using api = await startTestApi({
    networks: {
      create: async (body) => {
        seen.push(body)
        return { Id: 'n', Warning: '' }
      },
    },
  })
  const json = {
    name: 'a',
    IPAM: { Config: [{ subnet: '10.0.0.0/24', AuxAddress: { x: '10.0.0.9' } }] },
    ConfigFrom: { Network: 'c' },
    Labels: { l: '1' },
    Unknown: 1,
  }
  const { status, body } = await api.request('POST', '/networks/create', { json })
  assert.deepEqual([status, body], [201, '{"Id":"n","Warning":""}\n'])
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), [
    {
      Name: 'a',
      Options: {},
      Labels: { l: '1' },
      IPAM: { Config: [{ Subnet: '10.0.0.0/24', AuxiliaryAddresses: { x: '10.0.0.9' } }] },
      ConfigFrom: { Network: 'c' },
    },
  ])
  for (const [wrong, message] of [
    [[], 'cannot unmarshal array into Go value of type network.CreateRequest'],
    [{ Name: 1 }, 'cannot unmarshal number into Go struct field CreateRequest.Name of type string'],
    [{ Labels: { a: 1 } }, 'cannot unmarshal number into Go struct field CreateRequest.Labels of type string'],
  ] as const) {
    const answer = await api.request('POST', '/networks/create', { json: wrong })
    assert.equal(answer.status, 400)
    assert.ok(answer.body.includes(message), answer.body)
  }
})

test('connect and disconnect pass the members that a client may set to the engine', async () => {
  const calls: unknown[] = []
  await using api = await startTestApi({
    networks: {
      connect: async (...args) => void calls.push(['connect', ...args]),
      disconnect: async (...args) => void calls.push(['disconnect', ...args]),
      remove: async (...args) => void calls.push(['remove', ...args]),
    },
  })
  const json = {
    Container: 'c',
    EndpointConfig: { Aliases: ['x'], IPAMConfig: { IPv4Address: '10.0.0.2' }, Gateway: '10.0.0.1' },
  }
  assert.equal((await api.request('POST', '/networks/n/connect', { json })).status, 200)
  assert.equal(
    (await api.request('POST', '/networks/n/disconnect', { json: { Container: 'c', Force: true } })).status,
    200,
  )
  assert.equal((await api.request('DELETE', '/networks/n')).status, 204)
  assert.deepEqual(calls, [
    ['connect', 'n', 'c', { Aliases: ['x'], IPAMConfig: { IPv4Address: '10.0.0.2' } }],
    ['disconnect', 'n', 'c'],
    ['remove', 'n'],
  ])
})
