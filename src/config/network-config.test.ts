import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkConfig } from './network-config.ts'

test('networkConfig() combines flags and the file', () => {
  const options = networkConfig({
    defaultAddressPool: ['base=10.9.0.0/16,size=24'],
    defaultAddressPools: [{ base: 'fd00:9::/48', size: 64 }],
    defaultNetworkOpt: ['bridge=com.docker.network.driver.mtu=1400'],
    defaultNetworkOpts: { macvlan: { parent: 'eth1' } },
    fixedCidrV6: 'fd00::/64',
    ipMasq: false,
  })
  assert.deepEqual(options.pools, [
    { base: '10.9.0.0/16', size: 24 },
    { base: 'fd00:9::/48', size: 64 },
  ])
  assert.deepEqual(options.defaultOptions, {
    bridge: { 'com.docker.network.driver.mtu': '1400' },
    macvlan: { parent: 'eth1' },
  })
  assert.deepEqual([options.masquerade, options.forward, options.ipv6, options.hostIp], [false, true, false, '0.0.0.0'])
})

test('networkConfig() names the wrong option', () => {
  for (const [raw, message] of [
    [{ defaultAddressPool: ['10.9.0.0/16'] }, /default-address-pools: invalid CIDR/],
    [
      { defaultAddressPools: [{ base: '10.9.0.0/16', size: 8 }] },
      /"size" of 10\.9\.0\.0\/16 must be between 16 and 32/,
    ],
    [{ defaultNetworkOpt: ['mtu=1400'] }, /expected DRIVER=NAME=VALUE/],
    [{ fixedCidrV6: '10.0.0.0/8' }, /fixed-cidr-v6: invalid IPv6 CIDR/],
    [{ fixedCidr: 'x' }, /fixed-cidr: invalid CIDR/],
    [{ defaultGateway: 'fd00::1' }, /default-gateway: invalid IPv4 address/],
    [{ ip: 'localhost' }, /ip: invalid IP address/],
    [{ iptables: false }, /iptables: false is not supported/],
  ] as const) {
    assert.throws(() => networkConfig({ ...raw } as Parameters<typeof networkConfig>[0]), {
      kind: 'invalidArgument',
      message,
    })
  }
})
