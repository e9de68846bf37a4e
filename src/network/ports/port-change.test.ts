import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeOfPorts } from './port-change.ts'

const both = ['0.0.0.0', '::'] as const

function port(containerPort: number, hostPort: number, hostIp = '0.0.0.0') {
  return { protocol: 'tcp', containerPort, hostIp, hostPort } as const
}

function demand(
  containerPort: number,
  hostPort: number,
  hostIps: readonly string[] = ['0.0.0.0'],
  hostPortEnd = hostPort,
) {
  return { protocol: 'tcp', containerPort, hostPort, hostPortEnd, hostIps } as const
}

test('changeOfPorts keeps ports that are still wanted, and lists missing and surplus ones', () => {
  const present = [port(80, 8080), port(81, 8081)]
  const change = changeOfPorts([demand(80, 8080), demand(80, 9090)], present)
  assert.deepEqual(change, { kept: [present[0]], missing: [demand(80, 9090)], surplus: [present[1]] })
})

test('changeOfPorts keeps a random port and one of a range', () => {
  const present = [port(80, 49007), port(81, 7002)]
  const wanted = [demand(80, 0), demand(81, 7000, ['0.0.0.0'], 7010)]
  assert.deepEqual(changeOfPorts(wanted, present).missing, [])
  assert.deepEqual(changeOfPorts(wanted, present).surplus, [])
})

test('changeOfPorts gives a port to the demand without an alternative', () => {
  const change = changeOfPorts([demand(80, 0), demand(80, 49007)], [port(80, 49007)])
  assert.deepEqual(change.missing, [demand(80, 0)])
  assert.deepEqual(change.surplus, [])
})

test('changeOfPorts keeps a port of both families only if it is published in both', () => {
  const present = [port(80, 8080), port(80, 8080, '::')]
  assert.deepEqual(changeOfPorts([demand(80, 8080, both)], present).surplus, [])
  const one = changeOfPorts([demand(80, 8080, both)], [port(80, 8080)])
  assert.deepEqual([one.missing.length, one.surplus.length], [1, 1])
  const moved = changeOfPorts([demand(80, 8080, ['127.0.0.1'])], [port(80, 8080)])
  assert.deepEqual([moved.missing.length, moved.surplus.length], [1, 1])
})
