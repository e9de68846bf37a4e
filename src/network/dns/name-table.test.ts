import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NamedEndpoint } from './name-service.ts'
import { NameTable } from './name-table.ts'

function endpoint(networkId: string, containerId: string, names: string[], ipv4: string, ipv6 = ''): NamedEndpoint {
  return { networkId, networkName: `net-${networkId}`, containerId, endpointId: `e-${containerId}`, names, ipv4, ipv6 }
}

function table(...endpoints: NamedEndpoint[]): NameTable {
  const names = new NameTable()
  for (const one of endpoints) names.put(one)
  return names
}

const onA = { networkIds: ['a'], links: [] }
const onBoth = { networkIds: ['a', 'b'], links: [] }

test('NameTable finds names of the networks that the container is on, in their order', () => {
  const names = table(
    endpoint('a', 'one', ['Web', 'www'], '10.0.0.2', 'fd00::2'),
    endpoint('b', 'two', ['web', 'db'], '10.1.0.2'),
  )
  assert.deepEqual(names.find(onA, 'web'), { ipv4: ['10.0.0.2'], ipv6: ['fd00::2'] })
  assert.deepEqual(names.find(onA, 'www')?.ipv4, ['10.0.0.2'])
  assert.equal(names.find(onA, 'db'), undefined)
  assert.deepEqual(names.find({ networkIds: ['b', 'a'], links: [] }, 'web')?.ipv4, ['10.1.0.2'])
  assert.deepEqual(names.find(onBoth, 'db'), { ipv4: ['10.1.0.2'], ipv6: [] })
})

test('NameTable knows NAME.NETWORK on the networks of the container', () => {
  const names = table(endpoint('a', 'one', ['web'], '10.0.0.2'), endpoint('b', 'two', ['web'], '10.1.0.2'))
  assert.deepEqual(names.find(onBoth, 'web.net-b')?.ipv4, ['10.1.0.2'])
  assert.equal(names.find(onA, 'web.net-b'), undefined)
  assert.equal(names.find(onA, 'net-a'), undefined)
})

test('NameTable gives all addresses of an alias, in rotating order', () => {
  const names = table(
    endpoint('a', 'one', ['web-1', 'web'], '10.0.0.2'),
    endpoint('a', 'two', ['web-2', 'web'], '10.0.0.3'),
    endpoint('a', 'three', ['web-3', 'web'], '10.0.0.4'),
  )
  const answers = [1, 2, 3].map(() => names.find(onA, 'web')?.ipv4 ?? [])
  assert.deepEqual(new Set(answers.map((list) => list[0])), new Set(['10.0.0.2', '10.0.0.3', '10.0.0.4']))
  for (const list of answers) assert.deepEqual([...list].sort(), ['10.0.0.2', '10.0.0.3', '10.0.0.4'])
  names.remove('a', 'two')
  assert.deepEqual([...(names.find(onA, 'web')?.ipv4 ?? [])].sort(), ['10.0.0.2', '10.0.0.4'])
})

test('NameTable drops the names that an endpoint no longer has', () => {
  const names = table(endpoint('a', 'one', ['old', 'x'], '10.0.0.2'))
  names.put(endpoint('a', 'one', ['new', 'x'], '10.0.0.9'))
  assert.equal(names.find(onA, 'old'), undefined)
  assert.deepEqual(names.find(onA, 'new')?.ipv4, ['10.0.0.9'])
  assert.equal(names.findReverse(onA, '2.0.0.10.in-addr.arpa'), undefined)
  names.remove('a', 'one')
  assert.equal(names.find(onA, 'x'), undefined)
  names.remove('a', 'one')
})

test('NameTable shows a link only to its own container, and prefers it to names', () => {
  const names = table(endpoint('a', 'c1'.padEnd(64, '0'), ['db', 'c1'.padEnd(12, '0')], '10.0.0.2'))
  names.put(endpoint('a', 'two', ['store'], '10.0.0.3'))
  const links = [{ networkId: 'a', target: 'db', alias: 'Store' }]
  assert.deepEqual(names.find({ networkIds: ['a'], links }, 'store')?.ipv4, ['10.0.0.2'])
  assert.deepEqual(names.find(onA, 'store')?.ipv4, ['10.0.0.3'])
  for (const target of ['c1'.padEnd(64, '0'), 'c1'.padEnd(12, '0')]) {
    const byId = { networkIds: ['a'], links: [{ networkId: 'a', target, alias: 'other' }] }
    assert.deepEqual(names.find(byId, 'other')?.ipv4, ['10.0.0.2'])
  }
  const toNobody = { networkIds: ['a'], links: [{ networkId: 'a', target: 'gone', alias: 'other' }] }
  assert.equal(names.find(toNobody, 'other'), undefined)
})

test('NameTable.findReverse names the container and its network, by IPv4 and IPv6', () => {
  const names = table(endpoint('a', 'one', ['web', 'alias'], '10.0.0.2', 'fd00::2'))
  assert.equal(names.findReverse(onA, '2.0.0.10.in-addr.arpa'), 'web.net-a')
  const v6 = '2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa'
  assert.equal(names.findReverse(onA, v6), 'web.net-a')
  assert.equal(names.findReverse({ networkIds: ['b'], links: [] }, v6), undefined)
})
