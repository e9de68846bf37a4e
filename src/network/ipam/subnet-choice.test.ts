import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { formatSubnet, parseCidr, type Subnet } from '../record/ip.ts'
import { chooseSubnet, completePools, defaultPools } from './subnet-choice.ts'

const pools = defaultPools('seed')

function range(text: string): Subnet {
  return parseCidr(text).subnet
}

test('chooseSubnet takes the first free range', () => {
  assert.equal(formatSubnet(chooseSubnet(pools, 4, [])), '172.17.0.0/16')
  const used = ['172.17.0.0/16', '172.18.3.0/24'].map(range)
  assert.equal(formatSubnet(chooseSubnet(pools, 4, used)), '172.19.0.0/16')
  assert.equal(formatSubnet(chooseSubnet(pools, 4, [range('172.0.0.0/8')])), '192.168.0.0/20')
  assert.throws(
    () => chooseSubnet(pools, 4, [range('0.0.0.0/0')]),
    (error) => isKind(error, 'unavailable'),
  )
  const own = completePools([{ base: '10.9.0.0/16', size: 24 }], 'seed')
  assert.equal(formatSubnet(chooseSubnet(own, 4, [range('10.9.0.0/20'), range('10.9.17.7/32')])), '10.9.16.0/24')
  assert.match(formatSubnet(chooseSubnet(own, 6, [])), /^fd[0-9a-f]{2}:.*\/64$/)
})

test('chooseSubnet goes on in the next pool of the family when one is full', () => {
  const own = [
    { base: '10.9.0.0/24', size: 25 },
    { base: 'fd00::/48', size: 64 },
    { base: '10.8.0.0/16', size: 24 },
  ]
  assert.equal(formatSubnet(chooseSubnet(own, 4, [range('10.9.0.0/25')])), '10.9.0.128/25')
  assert.equal(formatSubnet(chooseSubnet(own, 4, [range('10.9.0.0/24')])), '10.8.0.0/24')
  assert.equal(formatSubnet(chooseSubnet(own, 6, [range('fd00::/64')])), 'fd00:0:0:1::/64')
})

test('completePools keeps the configured pools and adds a default one only for a missing IPv6', () => {
  const four = { base: '10.9.0.0/16', size: 24 }
  const six = { base: 'fd00::/48', size: 64 }
  assert.deepEqual(completePools([], 'seed'), pools)
  assert.deepEqual(completePools([four, six], 'seed'), [four, six])
  assert.deepEqual(completePools([four], 'seed'), [four, pools.at(-1)])
})

test('defaultPools derives the IPv6 range from the seed', () => {
  assert.deepEqual(defaultPools('seed'), pools)
  assert.notEqual(defaultPools('other').at(-1)?.base, pools.at(-1)?.base)
})
