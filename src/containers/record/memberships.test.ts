import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkRecord } from '../../network/index.ts'
import { requestedNetworks } from './memberships.ts'

const finder = {
  find: (text: string) => (text === 'a' || text === 'id-of-a' ? ({ name: 'a' } as NetworkRecord) : undefined),
}

test('requestedNetworks uses the network mode, or the endpoints that replace it', () => {
  const of = (mode: string | undefined, endpoints: Record<string, object> = {}) =>
    requestedNetworks({}, mode === undefined ? {} : { NetworkMode: mode }, { EndpointsConfig: endpoints }, finder)
  assert.deepEqual(of(undefined), { bridge: {} })
  assert.deepEqual(of('default', { default: { GwPriority: 1 } }), { bridge: { GwPriority: 1 } })
  assert.deepEqual(of('default', { a: {} }), { a: {} })
  assert.deepEqual(of('a', { b: {} }), { b: {}, a: {} })
  assert.deepEqual(of('id-of-a', { 'id-of-a': { Aliases: ['x'] } }), { a: { Aliases: ['x'] } })
  assert.deepEqual(of('none'), { none: {} })
  assert.deepEqual(of('container:x', { a: {} }), {})
  assert.throws(() => of('host', { a: {} }), /cannot attach both user-defined and non-user-defined/)
  assert.deepEqual(requestedNetworks({ NetworkDisabled: true }, {}, {}, finder), { none: {} })
})

test('requestedNetworks gives the MAC of the configuration to the main network', () => {
  const networks = requestedNetworks({ MacAddress: '02:00:00:00:00:01' }, { NetworkMode: 'a' }, {}, finder)
  assert.deepEqual(networks, { a: { MacAddress: '02:00:00:00:00:01' } })
})

test('requestedNetworks refuses an address or alias on a predefined network with Docker’s message', () => {
  const of = (settings: object) => requestedNetworks({}, {}, { EndpointsConfig: { bridge: settings } }, finder)
  assert.throws(
    () => of({ IPAMConfig: { IPv4Address: '1.2.3.4' } }),
    /user specified IP address is supported on user defined networks only/,
  )
  assert.throws(() => of({ Aliases: ['a'] }), /network-scoped alias is supported only/)
  assert.throws(() => of({ MacAddress: 'x' }), /invalid MAC address: x/)
})
