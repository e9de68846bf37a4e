import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind, nullLogger } from '../../base/index.ts'
import { Database, SandboxTable } from '../../store/index.ts'
import type { EndpointRecord } from './network-record.ts'
import { SandboxIndex, type StoredEndpoint } from './sandbox-index.ts'

function endpoint(containerId: string, ipv4: string): EndpointRecord {
  return {
    version: 1,
    containerId,
    containerName: containerId,
    sandboxId: `s-${containerId}`,
    networkId: 'n1',
    networkName: 'bridge',
    endpointId: `e-${containerId}`,
    ipv4,
    prefix: 16,
    gateway: '10.0.0.1',
    ipv6: '',
    prefix6: 0,
    gateway6: '',
    linkLocal: [],
    device: 'eth0',
    gatewayPriority: 0,
    links: [],
    sysctls: [],
    mac: '02:42:0a:00:00:02',
    aliases: [],
    dnsNames: [],
    veth: 'bvx',
  }
}

function open(db: Database): { index: SandboxIndex; table: SandboxTable<StoredEndpoint> } {
  const table = new SandboxTable<StoredEndpoint>(db)
  return { index: SandboxIndex.open(table, nullLogger), table }
}

const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 } as const

test('SandboxIndex finds its leases again after a restart', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const { index } = open(db)
  index.add({
    containerId: 'a',
    containerName: 'a',
    sandboxId: 's-a',
    endpoints: [endpoint('a', '10.0.0.2')],
    ports: [port],
  })
  index.add({
    containerId: 'b',
    containerName: 'b',
    sandboxId: 's-b',
    endpoints: [endpoint('b', '10.0.0.3')],
    ports: [],
  })
  index.rename('b', 'other')
  index.remove('a')
  const again = open(db).index
  assert.deepEqual(
    again.all().map((record) => [record.containerId, record.endpoints[0]?.containerName]),
    [['b', 'other']],
  )
})

test('SandboxIndex keeps nothing of a refused lease', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const { index, table } = open(db)
  index.add({
    containerId: 'a',
    containerName: 'a',
    sandboxId: 's-a',
    endpoints: [endpoint('a', '10.0.0.2')],
    ports: [port],
  })
  const double = {
    containerId: 'b',
    containerName: 'b',
    sandboxId: 's-b',
    endpoints: [endpoint('b', '10.0.0.3')],
    ports: [port],
  }
  assert.throws(
    () => index.add(double),
    (error) => isKind(error, 'conflict'),
  )
  assert.equal(index.find('b'), undefined)
  assert.deepEqual(
    table.addresses().map((row) => row.owner),
    ['a'],
  )
})

test('SandboxIndex drops leases whose endpoint is broken or gone', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const { table } = open(db)
  table.insertAddress({ networkId: 'n1', address: '10.0.0.9', owner: 'lost' })
  db.run("INSERT INTO endpoints VALUES ('broken', 'n1', '{')")
  const { index } = open(db)
  assert.deepEqual(index.all(), [])
  assert.deepEqual(table.addresses(), [])
  assert.deepEqual(table.endpoints(), [])
})

test('SandboxIndex keeps a sandbox that is on no network', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const { index } = open(db)
  index.add({
    containerId: 'a',
    containerName: 'a',
    sandboxId: 's-a',
    endpoints: [endpoint('a', '10.0.0.2')],
    ports: [port],
  })
  index.removeEndpoint('a', 'n1')
  const again = open(db).index
  assert.deepEqual(again.find('a'), {
    containerId: 'a',
    containerName: 'a',
    sandboxId: 's-a',
    endpoints: [],
    ports: [port],
  })
  again.addEndpoint('a', { ...endpoint('a', '10.0.0.7'), ipv6: 'fd00::7' }, [])
  const { index: third, table } = open(db)
  assert.deepEqual(third.ofNetwork('n1'), third.find('a')?.endpoints)
  assert.equal(table.addresses().length, 2)
})
