import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { parseCidr } from '../record/ip.ts'
import { AddressPool } from './address-pool.ts'

test('AddressPool gives addresses in order and none twice', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/29').subnet, ['10.0.0.1'])
  const all = [pool.take(), pool.take(), pool.take(), pool.take(), pool.take()]
  assert.deepEqual(all, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'])
  assert.throws(
    () => pool.take(),
    (error) => isKind(error, 'unavailable'),
  )
  pool.giveBack('10.0.0.4')
  assert.equal(pool.take(), '10.0.0.4')
})

test('AddressPool leases a returned address again only after all other free addresses', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/29').subnet, ['10.0.0.1'])
  const first = pool.take()
  pool.giveBack(first)
  assert.deepEqual(
    [pool.take(), pool.take(), pool.take(), pool.take()],
    ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'],
  )
  assert.equal(pool.take(), first)
})

test('AddressPool goes on after the leases of an earlier run', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/24').subnet, ['10.0.0.1', '10.0.0.77'])
  assert.equal(pool.take(), '10.0.0.78')
})

test('AddressPool.takeExactly refuses addresses that are taken or outside the subnet', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/24').subnet, ['10.0.0.1'])
  pool.takeExactly('10.0.0.9')
  assert.throws(
    () => pool.takeExactly('10.0.0.9'),
    (error) => isKind(error, 'forbidden'),
  )
  assert.throws(
    () => pool.takeExactly('10.0.1.9'),
    (error) => isKind(error, 'invalidArgument'),
  )
})

test('AddressPool.takeExactly refuses the network and broadcast addresses, except in ranges of one or two addresses', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/24').subnet, ['10.0.0.1'])
  for (const address of ['10.0.0.0', '10.0.0.255']) {
    assert.throws(() => pool.takeExactly(address), { kind: 'forbidden', message: 'Address already in use' })
  }
  new AddressPool(parseCidr('10.0.0.0/31').subnet, ['10.0.0.1']).takeExactly('10.0.0.0')
})

test('AddressPool chooses from a part of the subnet, and leases the rest only on request', () => {
  const subnet = parseCidr('10.0.0.0/24').subnet
  const pool = new AddressPool(subnet, ['10.0.0.1', '10.0.0.129'], parseCidr('10.0.0.128/30').subnet)
  assert.deepEqual([pool.take(), pool.take(), pool.take()].sort(), ['10.0.0.128', '10.0.0.130', '10.0.0.131'])
  assert.throws(
    () => pool.take(),
    (error) => isKind(error, 'unavailable'),
  )
  pool.takeExactly('10.0.0.9')
  pool.giveBack('10.0.0.130')
  assert.equal(pool.take(), '10.0.0.130')
})

test('AddressPool of IPv6 counts from the gateway on', () => {
  const pool = new AddressPool(parseCidr('fd00:7::/64').subnet, ['fd00:7::1'])
  assert.deepEqual([pool.take(), pool.take()], ['fd00:7::2', 'fd00:7::3'])
})
