import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { Ipam } from '../ipam/ipam.ts'
import { parseBridgeOptions } from '../record/bridge-options.ts'
import { completeNetworkRecord, type EndpointRequest, type NetworkRecord } from '../record/network-record.ts'
import { macAddress, parseSysctls, planEndpoint } from './endpoint-plan.ts'

const owner = { containerId: 'c0ffee000000ffff', name: 'web', hostname: 'host', sandboxId: 's1' }
const bridge = parseBridgeOptions({}, { device: 'br-1', mac: '02:42:00:00:00:01', mtu: 1500 }, false)
const ifname = 'com.docker.network.endpoint.ifname'

function networkOf(changes: Partial<NetworkRecord> = {}): NetworkRecord {
  const ipam = [{ subnet: '10.0.0.0/29', gateway: '10.0.0.1' }]
  return completeNetworkRecord({ id: 'n1', name: 'net', driver: 'bridge', internal: false, ipam, bridge, ...changes })
}

function plan(
  request: Partial<EndpointRequest> = {},
  { network = networkOf(), taken = [] as string[], ipam = new Ipam() } = {},
) {
  if (!ipam.has(network.id, 4) && !ipam.has(network.id, 6)) ipam.add(network, [])
  return planEndpoint(network, owner, { network: network.name, ...request }, ipam, { tag: 'abcde', taken })
}

test('planEndpoint leases an address and derives MAC, device and names from the request', () => {
  const endpoint = plan({ aliases: ['www', 'web'] }, { taken: ['eth0', 'eth2'] })
  assert.equal(endpoint.ipv4, '10.0.0.2')
  assert.equal(endpoint.gateway, '10.0.0.1')
  assert.equal(endpoint.mac, '02:42:0a:00:00:02')
  assert.equal(endpoint.device, 'eth1')
  assert.equal(endpoint.veth, `bvabcde${endpoint.endpointId.slice(0, 8)}`)
  assert.deepEqual(endpoint.dnsNames, ['web', 'www', 'c0ffee000000', 'host'])
  assert.deepEqual([endpoint.ipv6, endpoint.gateway6], ['', ''])
})

test('planEndpoint gives no gateway on an internal network, and nothing at all on none', () => {
  assert.equal(plan({}, { network: networkOf({ internal: true }) }).gateway, '')
  const none = plan({}, { network: networkOf({ name: 'none', driver: 'null', ipam: [] }) })
  assert.deepEqual([none.ipv4, none.mac, none.device, none.veth, none.dnsNames], ['', '', '', '', []])
})

test('planEndpoint gives the default bridge no names', () => {
  assert.deepEqual(plan({}, { network: networkOf({ name: 'bridge' }) }).dnsNames, [])
})

test('planEndpoint leaves the MAC of ipvlan to the parent', () => {
  assert.equal(plan({ macAddress: '02:00:00:00:00:09' }, { network: networkOf({ driver: 'ipvlan' }) }).mac, '')
})

test('planEndpoint accepts wanted addresses only on networks with a configured subnet', () => {
  assert.equal(plan({ ipv4: '10.0.0.5' }).ipv4, '10.0.0.5')
  const refused = (request: Partial<EndpointRequest>, changes: Partial<NetworkRecord>, message: RegExp) =>
    assert.throws(() => plan(request, { network: networkOf(changes) }), message)
  refused({ ipv4: '10.0.0.5' }, { name: 'bridge' }, /user defined networks only/)
  const chosen = [{ subnet: '10.0.0.0/29', gateway: '10.0.0.1', chosen: true }]
  refused({ ipv4: '10.0.0.5' }, { ipam: chosen }, /networks with user configured subnets/)
  refused({ ipv6: 'fd00::5' }, {}, /networks with user configured subnets/)
  refused({ ipv4: 'fd00::5' }, {}, /invalid IPv4 address: fd00::5/)
  refused({ ipv4: '10.9.0.5' }, {}, /no configured subnet contains IP address 10\.9\.0\.5/)
})

test('planEndpoint gives the IPv4 address back if the IPv6 one is in use', () => {
  const ipam = new Ipam()
  const pools = [
    { subnet: '10.0.0.0/29', gateway: '10.0.0.1' },
    { subnet: 'fd00::/64', gateway: 'fd00::1' },
  ]
  const network = networkOf({ ipam: pools, enableIpv6: true })
  ipam.add(network, ['fd00::5'])
  const wanted = { ipv4: '10.0.0.5', ipv6: 'fd00:0::5' }
  assert.throws(() => plan(wanted, { network, ipam }), (error) => isKind(error, 'forbidden')) // biome-ignore format: one line
  assert.equal(plan({ ipv4: '10.0.0.5', ipv6: 'fd00::6' }, { network, ipam }).ipv4, '10.0.0.5')
})

test('planEndpoint takes the requested device name, and refuses one that is in use or invalid', () => {
  assert.equal(plan({ driverOptions: { [ifname]: 'lan' } }).device, 'lan')
  const named = (name: string) => plan({ driverOptions: { [ifname]: name } }, { taken: ['lan'] })
  assert.throws(() => named('lan'), (error) => isKind(error, 'conflict')) // biome-ignore format: one line
  for (const name of ['lo', '..', 'a/b', 'a b', 'a23456789abcdefg', 'eth%d']) {
    assert.throws(() => named(name), /invalid interface name/, name)
  }
})

test('planEndpoint completes link-local addresses with a prefix length', () => {
  assert.deepEqual(plan({ linkLocal: ['169.254.0.9', 'FE80::9'] }).linkLocal, ['169.254.0.9/16', 'fe80::9/64'])
  assert.throws(() => plan({ linkLocal: ['nonsense'] }), /invalid link-local IP address: nonsense/)
})

test('macAddress gives the canonical form, and refuses what is not the address of one device', () => {
  assert.equal(macAddress('02-42-AC-11-00-02'), '02:42:ac:11:00:02')
  for (const text of [
    '',
    '02:42',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
    '02:42:ac:11:00:0g',
  ]) {
    assert.throws(() => macAddress(text), /invalid MAC address/, text)
  }
})

test('parseSysctls accepts only settings of the device', () => {
  assert.deepEqual(parseSysctls('net.ipv4.conf.ifname.forwarding=1,net.mpls.input.IFNAME=1'), [
    'net.ipv4.conf.IFNAME.forwarding=1',
    'net.mpls.input.IFNAME=1',
  ])
  for (const text of [
    'net.ipv4.conf.eth0.forwarding=1',
    'kernel.x=1',
    'net.ipv4.conf.IFNAME.a/b=1',
    'net.ipv4.conf.IFNAME.a',
  ]) {
    assert.throws(() => parseSysctls(text), /unrecognised network interface sysctl/, text)
  }
})
