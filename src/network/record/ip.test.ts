import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import {
  contains,
  formatAddress,
  formatSubnet,
  macOfAddress,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
} from './ip.ts'

const range = (text: string): Subnet => parseCidr(text).subnet

test('parseAddress and formatAddress are inverse over the whole range of both families', () => {
  for (const text of [
    '0.0.0.0',
    '10.1.2.3',
    '172.17.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fd00:1:2::3',
    'fe80::1:0:0:1',
  ]) {
    assert.equal(formatAddress(parseAddress(text)), text)
  }
  assert.equal(formatAddress(parseAddress('FD00:0:0:0::0001')), 'fd00::1')
  assert.equal(formatAddress(parseAddress('64:ff9b::10.0.0.1')), '64:ff9b::a00:1')
  for (const text of ['', '1.2.3', '256.0.0.1', ':::1', 'a.b.c.d', 'fe80::1%eth0']) {
    assert.throws(
      () => parseAddress(text),
      (error) => isKind(error, 'invalidArgument'),
      text,
    )
  }
})

test('parseCidr keeps the address and finds the range', () => {
  const { address, subnet } = parseCidr('172.20.5.1/20')
  assert.equal(address, '172.20.5.1')
  assert.equal(formatSubnet(subnet), '172.20.0.0/20')
  assert.equal(formatSubnet(range('fd00:1:2:3:4::5/64')), 'fd00:1:2:3::/64')
  for (const text of ['172.20.5.1', '172.20.5.1/33', 'fd00::/129', '1.2.3.4/8/8'])
    assert.throws(() => parseCidr(text), text)
})

test('overlaps is symmetric and keeps the families apart', () => {
  const wide = range('10.0.0.0/8')
  const narrow = range('10.200.0.0/16')
  const other = range('11.0.0.0/8')
  assert.ok(overlaps(wide, narrow) && overlaps(narrow, wide))
  assert.ok(!overlaps(wide, other) && !overlaps(other, wide))
  assert.ok(contains(wide, parseAddress('10.255.255.255')))
  assert.ok(!contains(wide, parseAddress('11.0.0.0')))
  assert.ok(!overlaps(range('0.0.0.0/0'), range('::/0')))
})

test('macOfAddress is derived from the address', () => {
  assert.equal(macOfAddress('172.17.0.2'), '02:42:ac:11:00:02')
})
