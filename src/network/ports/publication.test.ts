import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { parseBridgeOptions } from '../record/bridge-options.ts'
import {
  completeEndpointRecord,
  completeNetworkRecord,
  type EndpointRecord,
  type NetworkRecord,
  type PortRequest,
  type PublishedPort,
} from '../record/network-record.ts'
import type { SandboxRecord } from '../record/sandbox-index.ts'
import {
  firewallNetwork,
  forwardingsOf,
  isRoutedPort,
  type NetworkLookup,
  portDemands,
  relayTarget,
} from './publication.ts'

const mode4 = 'com.docker.network.bridge.gateway_mode_ipv4'

function network(id: string, options: Readonly<Record<string, string>> = {}, changes: Partial<NetworkRecord> = {}) {
  const bridge = parseBridgeOptions(options, { device: `br-${id}`, mac: '02:42:00:00:00:01', mtu: 1500 }, false)
  const ipam = [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }]
  return completeNetworkRecord({ id, name: id, driver: 'bridge', internal: false, ipam, bridge, ...changes })
}

const networks = [
  network('four'),
  network('routed', { [mode4]: 'routed' }),
  network('bound', { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' }),
  network('trusting', { 'com.docker.network.bridge.trusted_host_interfaces': 'eth1' }),
  completeNetworkRecord({ id: 'lan', name: 'lan', driver: 'macvlan', ipam: [] }),
]
const lookup: NetworkLookup = { get: (id) => networks.find((one) => one.id === id) }

function on(networkId: string, ipv4: string, ipv6 = ''): EndpointRecord {
  const gateways = { gateway: ipv4 === '' ? '' : '10.0.0.1', gateway6: ipv6 === '' ? '' : 'fd00::1' }
  return completeEndpointRecord({ networkId, networkName: networkId, ipv4, ipv6, gatewayPriority: 0, ...gateways })
}

function request(hostIp = '', hostPort = 8080): PortRequest {
  return { protocol: 'tcp', containerPort: 80, hostIp, hostPort }
}

function sandbox(endpoints: readonly EndpointRecord[], ports: readonly PublishedPort[]): SandboxRecord {
  return { containerId: 'c', containerName: 'c', sandboxId: 's', endpoints, ports }
}

function hostIpsOf(requests: readonly PortRequest[], endpoints: readonly EndpointRecord[], hostIp = '0.0.0.0') {
  return portDemands(requests, endpoints, lookup, hostIp).demands.map(({ hostIps }) => hostIps)
}

test('portDemands publishes on all addresses of the families that the container has', () => {
  assert.deepEqual(hostIpsOf([request()], [on('four', '10.0.0.2')]), [['0.0.0.0']])
  assert.deepEqual(hostIpsOf([request()], [on('four', '10.0.0.2', 'fd00::2')]), [['0.0.0.0', '::']])
})

test("portDemands prefers the request's address to the network's, and that to the daemon's", () => {
  assert.deepEqual(hostIpsOf([request('10.9.9.9')], [on('bound', '10.0.0.2')]), [['10.9.9.9']])
  assert.deepEqual(hostIpsOf([request()], [on('bound', '10.0.0.2')], '10.8.8.8'), [['127.0.0.1']])
  assert.deepEqual(hostIpsOf([request()], [on('four', '10.0.0.2')], '10.8.8.8'), [['10.8.8.8']])
  assert.deepEqual(hostIpsOf([request('[FD00::9]')], [on('four', '10.0.0.2', 'fd00::2')]), [['fd00::9']])
})

test('portDemands relays IPv6 addresses for a container with IPv4 only, but not SCTP', () => {
  assert.deepEqual(hostIpsOf([request('::1')], [on('four', '10.0.0.2')]), [['::1']])
  const sctp = { ...request('::1'), protocol: 'sctp' } as const
  assert.throws(() => hostIpsOf([sctp], [on('four', '10.0.0.2')]), (error) => isKind(error, 'notImplemented')) // biome-ignore format: one line
  assert.throws(() => hostIpsOf([request('nonsense')], [on('four', '10.0.0.2')]), /invalid IP address: nonsense/)
})

test('portDemands publishes nothing without a default gateway on a bridge', () => {
  const nothing = { demands: [], routed: [] }
  assert.deepEqual(portDemands([request()], [], lookup, '0.0.0.0'), nothing)
  assert.deepEqual(portDemands([request()], [on('lan', '10.0.0.2')], lookup, '0.0.0.0'), nothing)
  assert.deepEqual(portDemands([request()], [{ ...on('four', '10.0.0.2'), gateway: '' }], lookup, '0.0.0.0'), nothing)
})

test('portDemands takes no port of the host on a routed network', () => {
  const endpoints = [on('routed', '10.0.0.2')]
  const { demands, routed } = portDemands([request()], endpoints, lookup, '0.0.0.0')
  assert.deepEqual(demands, [])
  assert.deepEqual(routed, [{ protocol: 'tcp', containerPort: 80, hostIp: '10.0.0.2', hostPort: 80 }])
  assert.ok(routed.every((port) => isRoutedPort(port, endpoints)))
  assert.ok(!isRoutedPort({ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 80 }, endpoints))
})

test('forwardingsOf leads ports to the endpoint with the default gateway', () => {
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 } as const
  const endpoints = [on('four', '10.0.0.2'), { ...on('trusting', '10.1.0.2'), gatewayPriority: -1 }]
  assert.deepEqual(forwardingsOf(sandbox(endpoints, [port]), lookup), [{ port, address: '10.0.0.2' }])
  assert.deepEqual(forwardingsOf(sandbox([on('lan', '10.0.0.2')], [port]), lookup), [])
})

test('forwardingsOf opens a port once at the own address on routed networks and for trusted interfaces', () => {
  const port = (hostPort: number) => ({ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort }) as const
  const [one, two] = [port(8080), port(8081)]
  const direct = { port: two, address: '10.0.0.2', routed: true }
  assert.deepEqual(forwardingsOf(sandbox([on('routed', '10.0.0.2')], [one, two]), lookup), [direct])
  const translated = [one, two].map((each) => ({ port: each, address: '10.0.0.2' }))
  assert.deepEqual(forwardingsOf(sandbox([on('trusting', '10.0.0.2')], [one, two]), lookup), [...translated, direct])
})

test('relayTarget prefers the family of the host address, and falls back to IPv4', () => {
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '::1', hostPort: 8080 } as const
  const target = (endpoint: EndpointRecord) => relayTarget(sandbox([endpoint], [port]), lookup, port)
  assert.deepEqual(target(on('four', '10.0.0.2', 'fd00::2')), { address: 'fd00::2', port: 80 })
  assert.deepEqual(target(on('four', '10.0.0.2')), { address: '10.0.0.2', port: 80 })
  assert.equal(target(on('lan', '10.0.0.2')), undefined)
})

test('firewallNetwork is undefined for networks without a bridge or without a range', () => {
  assert.equal(firewallNetwork(network('four'))?.device, 'br-four')
  assert.equal(firewallNetwork(network('four', {}, { ipam: [] })), undefined)
  assert.equal(firewallNetwork(completeNetworkRecord({ id: 'x', name: 'host', driver: 'host', ipam: [] })), undefined)
})
