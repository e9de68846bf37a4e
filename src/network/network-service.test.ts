import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BerthError } from '../base/index.ts'
import { EventBus } from '../events/index.ts'
import { type NetworkMembers, networkService } from './network-service.ts'
import type { Networks } from './networks.ts'
import type { NetworkInspect } from './record/network-record.ts'

const bridge = {
  id: 'b1',
  name: 'bridge',
  driver: 'bridge',
  created: '2026-01-01T00:00:00Z',
  labels: {},
  ipam: [],
  containers: [],
} as unknown as NetworkInspect
const used = { ...bridge, id: 'u1', name: 'used', labels: { team: 'a' }, containers: [{ containerId: 'c1' }] }
const idle = { ...bridge, id: 'i1', name: 'idle', created: '2026-02-01T00:00:00Z', labels: { team: 'b' } }
const host = { ...bridge, id: 'h1', name: 'host', driver: 'host' }

/** Networks in memory; removing one that a container is on fails. */
function setUp() {
  const records = new Map([bridge, used, idle, host].map((record) => [record.name, record as NetworkInspect]))
  const find = (nameOrId: string) => [...records.values()].find(({ id, name }) => id === nameOrId || name === nameOrId)
  const networks = {
    list: () => [...records.values()],
    inspect: find,
    async remove(nameOrId: string) {
      const record = find(nameOrId)
      if (record === undefined || record.containers.length > 0) throw new BerthError('forbidden', 'in use')
      records.delete(record.name)
      return record
    },
  } as unknown as Networks
  const calls: unknown[] = []
  const members: NetworkMembers = {
    connect: async (...call) => void calls.push(call),
    disconnect: async (...call) => void calls.push(call),
    onHost: async () => ({ c9: { Name: 'web', EndpointID: 'e', MacAddress: '', IPv4Address: '', IPv6Address: '' } }),
  }
  const events = new EventBus()
  const published: string[] = []
  events.subscribe(({ Action, Actor }) => published.push(`${Action} ${Actor.ID}`))
  return { service: networkService(networks, members, events), calls, published }
}

test('networkService() lists the networks that match all filters', async () => {
  const { service } = setUp()
  const names = async (filters: Readonly<Record<string, readonly string[]>>) =>
    (await service.list(filters)).map(({ Name }) => Name)
  assert.deepEqual(await names({}), ['bridge', 'used', 'idle', 'host'])
  assert.deepEqual(await names({ name: ['^i'], id: [] }), ['idle'])
  assert.deepEqual(await names({ type: ['custom'] }), ['used', 'idle'])
  assert.deepEqual(await names({ dangling: ['true'] }), ['idle'])
  assert.deepEqual(await names({ driver: ['host'] }), ['host'])
  assert.deepEqual(await names({ label: ['team'], 'label!': ['team=a'] }), ['idle'])
  await assert.rejects(names({ dangling: ['maybe'] }), { kind: 'invalidArgument' })
  await assert.rejects(names({ color: ['red'] }), { kind: 'invalidArgument', message: "invalid filter 'color'" })
})

test('networkService().prune() removes networks that are not used, and publishes what it removed', async () => {
  const { service, published } = setUp()
  assert.deepEqual(await service.prune({ until: ['2026-01-15'] }), { NetworksDeleted: null })
  assert.deepEqual(await service.prune({}), { NetworksDeleted: ['idle'] })
  assert.deepEqual(published, ['prune ', 'destroy i1', 'prune '])
})

test('networkService().inspect() shows the containers on the host network', async () => {
  const { service } = setUp()
  assert.deepEqual(Object.keys((await service.inspect('host')).Containers), ['c9'])
})

test('networkService() connects containers by the network that a name means', async () => {
  const { service, calls } = setUp()
  await service.connect('idle', 'web', { Aliases: ['db'] })
  await service.disconnect('u1', 'web')
  assert.deepEqual(calls, [
    ['web', idle, { Aliases: ['db'] }],
    ['web', used],
  ])
})
