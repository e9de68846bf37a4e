import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorKind, isKind } from '../base/index.ts'
import type { LinkInfo } from '../sys/index.ts'
import { type DefaultBridgeHost, isWithoutBridge, planDefaultBridge } from './default-bridge.ts'
import { type NetworkConfig, predefinedNetworks } from './ipam/predefined.ts'
import { defaultPools } from './ipam/subnet-choice.ts'
import { parseCidr } from './record/ip.ts'
import type { NetworkRecord } from './record/network-record.ts'

const config: NetworkConfig = { bip: undefined, mtu: 1500, icc: true, hostIp: '0.0.0.0', published: 'open', pools: [] }
const [fresh] = predefinedNetworks(new Set(), {})
assert.ok(fresh?.name === 'bridge')

function link(index: number, name: string): LinkInfo {
  return { index, name, kind: 'bridge', alias: '', up: true, mtu: 1500, mac: '', master: 0 }
}

function hostOf(changes: Partial<DefaultBridgeHost> = {}): DefaultBridgeHost {
  const pools = defaultPools('seed')
  return { links: [], addresses: [], routes: [], own: undefined, others: [], pools, pinned: false, ...changes }
}

function plan(changes: Partial<NetworkConfig> = {}, host = hostOf(), record: NetworkRecord = fresh as NetworkRecord) {
  return planDefaultBridge(record, { ...config, ...changes }, host)
}

function refusal(kind: ErrorKind, message: RegExp) {
  return (error: unknown) => isKind(error, kind) && message.test(String(error))
}

test('planDefaultBridge chooses a device and a range that nothing uses', () => {
  const first = plan()
  assert.deepEqual([first.bridge?.device, first.bridge?.foreign], ['berth0', false])
  assert.deepEqual(first.ipam, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }])
  const host = hostOf({ links: [link(1, 'berth0')], others: [parseCidr('172.17.0.0/16').subnet] })
  const second = plan({}, host)
  assert.deepEqual([second.bridge?.device, second.ipam[0]?.subnet], ['berth1', '172.18.0.0/16'])
})

test('planDefaultBridge keeps device and range of an earlier start', () => {
  const before = plan({}, hostOf({ others: [parseCidr('172.17.0.0/16').subnet] }))
  const own = link(7, 'berth3')
  const addresses = [{ index: 7, address: '172.18.0.1', prefix: 16 }]
  const again = plan({}, hostOf({ own, links: [own], addresses }), before)
  assert.deepEqual([again.bridge?.device, again.bridge?.mac], ['berth3', before.bridge?.mac])
  assert.deepEqual(again.ipam, before.ipam)
})

test('planDefaultBridge leaves a range that the host uses now, unless containers use the bridge', () => {
  const before = plan()
  const taken = { addresses: [{ index: 9, address: '172.17.5.5', prefix: 24 }] }
  assert.equal(plan({}, hostOf(taken), before).ipam[0]?.subnet, '172.18.0.0/16')
  assert.deepEqual(plan({ bip: '10.9.0.1/16' }, hostOf({ ...taken, pinned: true }), before).ipam, before.ipam)
})

test('planDefaultBridge follows bip, fixed-cidr and default-gateway', () => {
  const { ipam } = plan({ bip: '10.9.0.5/16', fixedCidr: '10.9.8.0/24', defaultGateway: '10.9.0.9' })
  assert.deepEqual(ipam, [
    {
      subnet: '10.9.0.0/16',
      gateway: '10.9.0.5',
      range: '10.9.8.0/24',
      router: '10.9.0.9',
      auxiliary: { DefaultGatewayIPv4: '10.9.0.9' },
    },
  ])
  assert.deepEqual(plan({ fixedCidr: '10.9.8.0/24' }).ipam[0]?.subnet, '10.9.8.0/24')
  const outside = { bip: '10.9.0.5/16', fixedCidr: '10.8.0.0/24' }
  assert.throws(() => plan(outside), refusal('invalidArgument', /fixed-cidr 10\.8\.0\.0\/24 is not part of/))
  const elsewhere = { bip: '10.9.0.5/16', defaultGateway: '10.8.0.1' }
  assert.throws(() => plan(elsewhere), refusal('invalidArgument', /default gateway 10\.8\.0\.1 is not in/))
})

test('planDefaultBridge adds an IPv6 range only if IPv6 is on', () => {
  const { ipam, enableIpv6 } = plan({ ipv6: true, fixedCidrV6: 'fd00:1::/64' })
  assert.deepEqual([enableIpv6, ipam[1]], [true, { subnet: 'fd00:1::/64', gateway: 'fd00:1::1' }])
  assert.equal(plan({ fixedCidrV6: 'fd00:1::/64' }).ipam.length, 1)
})

test("planDefaultBridge takes a bridge of the user's with its own address, and only one that exists", () => {
  const host = hostOf({ links: [link(4, 'mine')], addresses: [{ index: 4, address: '10.7.0.3', prefix: 24 }] })
  const { bridge, ipam } = plan({ defaultBridge: 'mine' }, host)
  assert.deepEqual([bridge?.device, bridge?.foreign], ['mine', true])
  assert.deepEqual(ipam, [{ subnet: '10.7.0.0/24', gateway: '10.7.0.3' }])
  const missing = refusal('forbidden', /bridge device with non default name other must be created manually/)
  assert.throws(() => plan({ defaultBridge: 'other' }, host), missing)
})

test("planDefaultBridge chooses a new range when the user's bridge is replaced by one of the daemon's", () => {
  const host = hostOf({ links: [link(4, 'mine')], addresses: [{ index: 4, address: '10.7.0.3', prefix: 24 }] })
  const before = plan({ defaultBridge: 'mine' }, host)
  const after = plan({}, host, before)
  assert.deepEqual([after.bridge?.device, after.bridge?.foreign], ['berth0', false])
  assert.equal(after.ipam[0]?.subnet, '172.17.0.0/16')
  assert.equal(plan({}, { ...host, pinned: true }, before).bridge?.device, 'mine')
})

test('isWithoutBridge waits until no container uses the bridge', () => {
  assert.ok(isWithoutBridge({ ...config, defaultBridge: 'none' }, false))
  assert.ok(!isWithoutBridge({ ...config, defaultBridge: 'none' }, true))
  assert.ok(!isWithoutBridge(config, false))
})
