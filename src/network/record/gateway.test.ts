import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultGateway } from './gateway.ts'
import { completeEndpointRecord } from './network-record.ts'

test('defaultGateway prefers the highest priority, then the first name, and ignores networks without a gateway', () => {
  const endpoint = (networkName: string, gateway: string, gatewayPriority = 0) =>
    completeEndpointRecord({ networkName, gateway, gatewayPriority, gateway6: '' })
  const [a, b, c] = [endpoint('a', ''), endpoint('b', '10.0.0.1'), endpoint('c', '10.1.0.1')]
  assert.equal(defaultGateway([c, b, a], 4), b)
  assert.equal(defaultGateway([b, endpoint('z', '10.2.0.1', 1), c], 4)?.networkName, 'z')
  assert.equal(defaultGateway([endpoint('a', '', 9), c], 4), c)
  assert.equal(defaultGateway([a, b], 6), undefined)
})

test('defaultGateway chooses each family by itself', () => {
  const endpoint = (networkName: string, gateway: string, gateway6: string) =>
    completeEndpointRecord({ networkName, gateway, gateway6, gatewayPriority: 0 })
  const four = endpoint('a', '10.0.0.1', '')
  const both = endpoint('b', '10.1.0.1', 'fd00::1')
  assert.equal(defaultGateway([both, four], 4), four)
  assert.equal(defaultGateway([both, four], 6), both)
  assert.equal(defaultGateway([], 4), undefined)
})
