import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { completeNetworkRecord, type IpamPool } from '../record/network-record.ts'
import { Ipam } from './ipam.ts'

function ipamOf(pools: readonly IpamPool[], leased: readonly string[] = []): Ipam {
  const ipam = new Ipam()
  ipam.add(completeNetworkRecord({ id: 'n', ipam: pools }), leased)
  return ipam
}

test('Ipam.take leases addresses with prefix and gateway, and none that is in use', () => {
  const ipam = ipamOf(
    [{ subnet: '10.0.0.0/29', gateway: '10.0.0.1', auxiliary: { printer: '10.0.0.3' } }],
    ['10.0.0.2'],
  )
  assert.deepEqual(ipam.take('n', 4), { address: '10.0.0.4', prefix: 29, gateway: '10.0.0.1' })
  assert.equal(ipam.take('n', 4).address, '10.0.0.5')
  assert.equal(ipam.take('n', 4).address, '10.0.0.6')
  assert.throws(() => ipam.take('n', 4), (error) => isKind(error, 'unavailable')) // biome-ignore format: one line
  ipam.giveBack('n', '10.0.0.5')
  assert.equal(ipam.take('n', 4).address, '10.0.0.5')
})

test('Ipam.take gives the router as gateway if it is not the bridge, and leases neither', () => {
  const ipam = ipamOf([{ subnet: '10.0.0.0/29', gateway: '10.0.0.1', router: '10.0.0.2' }])
  assert.deepEqual(ipam.take('n', 4), { address: '10.0.0.3', prefix: 29, gateway: '10.0.0.2' })
})

test('Ipam.take leases a wanted address once, and only within the ranges', () => {
  const ipam = ipamOf([{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }])
  assert.equal(ipam.take('n', 4, '10.0.0.9').address, '10.0.0.9')
  assert.throws(() => ipam.take('n', 4, '10.0.0.9'), (error) => isKind(error, 'forbidden')) // biome-ignore format: one line
  assert.throws(() => ipam.take('n', 4, '10.0.1.9'), (error) => isKind(error, 'invalidArgument')) // biome-ignore format: one line
})

test('Ipam uses the second range of a family when the first is full', () => {
  const ipam = ipamOf([
    { subnet: '10.0.0.0/30', gateway: '10.0.0.1' },
    { subnet: '10.0.1.0/24', gateway: '10.0.1.1' },
  ])
  assert.equal(ipam.take('n', 4).address, '10.0.0.2')
  assert.deepEqual(ipam.take('n', 4), { address: '10.0.1.2', prefix: 24, gateway: '10.0.1.1' })
})

test('Ipam.has tells the families of a network, also after its removal', () => {
  const ipam = ipamOf([{ subnet: '10.0.0.0/24', gateway: '' }])
  assert.ok(ipam.has('n', 4))
  assert.ok(!ipam.has('n', 6))
  ipam.giveBack('n', '')
  ipam.giveBack('other', '10.0.0.2')
  ipam.remove('n')
  assert.ok(!ipam.has('n', 4))
})
