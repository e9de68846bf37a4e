import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BerthError, messageOf } from '../../base/index.ts'
import { parseBridgeOptions } from '../record/bridge-options.ts'
import { parseParentOptions } from '../record/parent-options.ts'
import { checkRequest, type IpamRequest, type NetworkRequest, parseIpam } from './network-request.ts'

const both = { ipv4: true, ipv6: true }

const plain: NetworkRequest = {
  name: 'n',
  driver: '',
  scope: '',
  internal: false,
  attachable: false,
  ingress: false,
  enableIpv4: true,
  enableIpv6: false,
  configOnly: false,
  configFrom: '',
  ipamDriver: 'default',
  ipamOptions: null,
  ipam: [],
  options: {},
  labels: {},
}

test('parseIpam gives canonical ranges, IPv4 first, of the families that are enabled', () => {
  const requests: IpamRequest[] = [
    { subnet: 'FD00:0:0:1::/64', gateway: 'fd00:0:0:1::1' },
    { subnet: '10.1.0.0/16', range: '10.1.4.0/24', gateway: '10.1.0.9', auxiliary: { a: '10.1.0.3' } },
  ]
  const ipv4 = {
    subnet: '10.1.0.0/16',
    range: '10.1.4.0/24',
    gateway: '10.1.0.9',
    auxiliary: { a: '10.1.0.3' },
  }
  const ipv6 = { subnet: 'fd00:0:0:1::/64', gateway: 'fd00:0:0:1::1' }
  assert.deepEqual(parseIpam(requests, both), [ipv4, ipv6])
  assert.deepEqual(parseIpam(requests, { ipv4: true, ipv6: false }), [ipv4])
  assert.deepEqual(parseIpam(requests, { ipv4: false, ipv6: true }), [ipv6])
})

test('parseIpam lists all problems, as Docker does', () => {
  const wrong: readonly (readonly [IpamRequest, string])[] = [
    [{}, 'invalid subnet : invalid CIDR block notation'],
    [{ subnet: '10.0.0.0/33' }, 'invalid subnet 10.0.0.0/33: invalid CIDR block notation'],
    [{ subnet: '10.0.0.5/24' }, 'invalid subnet 10.0.0.5/24: it should be 10.0.0.0/24'],
    [{ subnet: '10.0.0.0/24', gateway: 'x' }, 'invalid gateway x: invalid address'],
    [{ subnet: '10.0.0.0/24', gateway: 'fd00::1' }, 'invalid gateway fd00::1: parent subnet is an IPv4 block'],
    [
      { subnet: '10.0.0.0/24', gateway: '10.0.1.1' },
      "invalid gateway 10.0.1.1: parent subnet 10.0.0.0/24 doesn't contain this address",
    ],
    [
      { subnet: '10.0.0.0/24', auxiliary: { a: '10.0.1.1' } },
      "invalid auxiliary address 10.0.1.1: parent subnet 10.0.0.0/24 doesn't contain this address",
    ],
    [
      { subnet: '10.0.0.0/24', range: '10.0.0.0/16' },
      'invalid ip-range 10.0.0.0/16: CIDR block is bigger than its parent subnet 10.0.0.0/24',
    ],
    [
      { subnet: '10.0.0.0/24', range: '10.0.1.0/25' },
      "invalid ip-range 10.0.1.0/25: parent subnet 10.0.0.0/24 doesn't contain ip-range",
    ],
    [{ subnet: '10.0.0.0/24', range: '10.0.0.3/25' }, 'invalid ip-range 10.0.0.3/25: it should be 10.0.0.0/25'],
  ]
  for (const [request, message] of wrong) {
    assert.throws(() => parseIpam([request], both), { message: `invalid network config:\n${message}` })
  }
  assert.throws(
    () =>
      parseIpam(
        wrong.slice(0, 2).map(([request]) => request),
        both,
      ),
    (error) => {
      assert.equal(messageOf(error).split('\n').length, 3)
      return true
    },
  )
})

test('checkRequest refuses invalid and unsupported requests', () => {
  const kinds: readonly (readonly [Partial<NetworkRequest>, BerthError['kind'], RegExp])[] = [
    [{ name: ' ' }, 'invalidArgument', /invalid name/],
    [{ name: 'host' }, 'forbidden', /operation is not permitted on predefined host network/],
    [{ ingress: true }, 'forbidden', /Ingress network can only be global scope/],
    [{ scope: 'swarm' }, 'forbidden', /when swarm is not active/],
    [{ scope: 'global' }, 'unavailable', /not a swarm manager/],
    [{ driver: 'overlay' }, 'unavailable', /not a swarm manager/],
    [{ driver: 'null' }, 'forbidden', /only one instance of "null" network is allowed/],
    [{ driver: 'x' }, 'notFound', /plugin "x" not found/],
    [{ ipamDriver: 'x' }, 'notFound', /plugin "x" not found/],
    [{ ipamDriver: 'null' }, 'invalidArgument', /ipv4 pool is empty/],
    [{ enableIpv4: false }, 'invalidArgument', /IPv4 or IPv6 must be enabled/],
    [{ configOnly: true, configFrom: 'x' }, 'forbidden', /cannot depend on another configuration network/],
    [{ configOnly: true, internal: true }, 'forbidden', /Network operator fields/],
    [{ configFrom: 'x', options: { a: 'b' } }, 'forbidden', /network driver options are not supported/],
    [{ configFrom: 'x', ipam: [{ subnet: '10.0.0.0/8' }] }, 'forbidden', /user specified configurations are not/],
  ]
  for (const [change, kind, message] of kinds) {
    assert.throws(() => checkRequest({ ...plain, ...change }), { kind, message })
  }
  assert.equal(checkRequest(plain), 'bridge')
  assert.equal(checkRequest({ ...plain, driver: 'macvlan', ipamDriver: 'null' }), 'macvlan')
})

test("parseBridgeOptions reads Docker's option names and refuses invalid values", () => {
  const parse = (options: Record<string, string>, internal = false) =>
    parseBridgeOptions(options, { device: 'br-1', mac: 'm', mtu: 1500 }, internal)
  const bridge = 'com.docker.network.bridge'
  const settings = parse({
    [`${bridge}.name`]: 'own0',
    [`${bridge}.enable_icc`]: 'f',
    [`${bridge}.gateway_mode_ipv6`]: 'routed',
    'com.docker.network.driver.mtu': '9000',
    anything: 'else',
  })
  assert.deepEqual(
    [settings.device, settings.icc, settings.gatewayMode4, settings.gatewayMode6, settings.mtu],
    ['own0', false, 'nat', 'routed', 9000],
  )
  for (const [options, message] of [
    [{ [`${bridge}.name`]: 'much-too-long-name' }, /invalid interface name/],
    [{ [`${bridge}.enable_icc`]: 'maybe' }, /failed to parse .*enable_icc value: maybe/],
    [{ [`${bridge}.gateway_mode_ipv4`]: 'x' }, /unknown gateway mode x/],
    [{ [`${bridge}.gateway_mode_ipv4`]: 'isolated' }, /'isolated' can only be used for an internal network/],
    [{ [`${bridge}.host_binding_ipv4`]: 'bad' }, /failed to parse .*host_binding_ipv4 value: bad \(nil ip\)/],
    [{ [`${bridge}.trusted_host_interfaces`]: 'eth0:not a name' }, /invalid interface name: not a name/],
    [{ 'com.docker.network.driver.mtu': 'big' }, /strconv.Atoi: parsing "big"/],
    [{ 'com.docker.network.container_iface_prefix': 'a/b' }, /invalid interface name/],
  ] as const) {
    assert.throws(() => parse({ ...options }), { kind: 'invalidArgument', message })
  }
  assert.equal(parse({ [`${bridge}.gateway_mode_ipv4`]: 'isolated' }, true).gatewayMode4, 'isolated')
})

test('parseParentOptions recognizes VLAN devices and checks the modes', () => {
  assert.deepEqual(parseParentOptions('macvlan', { parent: 'eth0.10', macvlan_mode: 'vepa' }, 'dm-1'), {
    device: 'eth0.10',
    own: false,
    vlan: { lower: 'eth0', id: 10 },
    mode: 'vepa',
    flag: 'bridge',
    mtu: undefined,
  })
  assert.deepEqual(parseParentOptions('ipvlan', { ipvlan_mode: 'l3s' }, 'dm-1').mode, 'l3s')
  assert.equal(parseParentOptions('macvlan', {}, 'dm-1').own, true)
  assert.throws(() => parseParentOptions('macvlan', { parent: 'lo' }, 'dm-1'), /loopback interface is not a valid/)
})
