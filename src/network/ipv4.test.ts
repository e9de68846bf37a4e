import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../base/index.ts'
import { contains, formatAddress, formatSubnet, macOfAddress, overlaps, parseAddress, parseCidr } from './ipv4.ts'
import { candidateSubnets, chooseSubnet } from './subnet-choice.ts'

test('parseAddress and formatAddress are inverse over the whole range', () => {
  for (const text of ['0.0.0.0', '10.1.2.3', '172.17.0.1', '255.255.255.255']) {
    assert.equal(formatAddress(parseAddress(text)), text)
  }
  for (const text of ['', '1.2.3', '256.0.0.1', '::1', 'a.b.c.d']) {
    assert.throws(
      () => parseAddress(text),
      (error) => isKind(error, 'invalidArgument'),
    )
  }
})

test('parseCidr keeps the address and finds the range', () => {
  const { address, subnet } = parseCidr('172.20.5.1/20')
  assert.equal(address, '172.20.5.1')
  assert.equal(formatSubnet(subnet), '172.20.0.0/20')
  assert.throws(() => parseCidr('172.20.5.1'))
  assert.throws(() => parseCidr('172.20.5.1/33'))
})

test('overlaps is symmetric', () => {
  const wide = parseCidr('10.0.0.0/8').subnet
  const narrow = parseCidr('10.200.0.0/16').subnet
  const other = parseCidr('11.0.0.0/8').subnet
  assert.ok(overlaps(wide, narrow) && overlaps(narrow, wide))
  assert.ok(!overlaps(wide, other) && !overlaps(other, wide))
  assert.ok(contains(wide, parseAddress('10.255.255.255')))
  assert.ok(!contains(wide, parseAddress('11.0.0.0')))
})

test('macOfAddress is derived from the address', () => {
  assert.equal(macOfAddress('172.17.0.2'), '02:42:ac:11:00:02')
})

test('chooseSubnet takes the first range that nothing uses', () => {
  assert.equal(formatSubnet(chooseSubnet([])), '172.17.0.0/16')
  const used = ['172.17.0.0/16', '172.18.3.0/24'].map((text) => parseCidr(text).subnet)
  assert.equal(formatSubnet(chooseSubnet(used)), '172.19.0.0/16')
  assert.equal(formatSubnet(chooseSubnet([parseCidr('172.0.0.0/8').subnet])), '192.168.0.0/20')
  assert.throws(
    () => chooseSubnet(candidateSubnets()),
    (error) => isKind(error, 'unavailable'),
  )
})
