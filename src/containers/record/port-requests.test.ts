import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseContainerPort, portRequests } from './port-requests.ts'

test('parseContainerPort() reads number and protocol', () => {
  assert.deepEqual(parseContainerPort('80'), { protocol: 'tcp', port: 80 })
  assert.deepEqual(parseContainerPort('53/udp'), { protocol: 'udp', port: 53 })
  for (const text of ['', '0', '65536', '8o', '80/icmp']) {
    assert.throws(() => parseContainerPort(text), /invalid port specification/)
  }
})

test('portRequests() gives bindings, ranges, and port 0 where the user names none', () => {
  const PortBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080-8090' }, { HostPort: '' }], '53/udp': null }
  assert.deepEqual(portRequests({}, { PortBindings }), [
    { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080, hostPortEnd: 8090 },
    { protocol: 'tcp', containerPort: 80, hostIp: '', hostPort: 0, hostPortEnd: 0 },
    { protocol: 'udp', containerPort: 53, hostIp: '', hostPort: 0, hostPortEnd: 0 },
  ])
  for (const HostPort of ['90-80', '1-70000', 'x']) {
    assert.throws(() => portRequests({}, { PortBindings: { '80/tcp': [{ HostPort }] } }), /invalid port specification/)
  }
})

test('portRequests() publishes all exposed ports on request, each once', () => {
  const config = { ExposedPorts: { '80/tcp': {}, '81/tcp': {} } }
  const requests = portRequests(config, { PublishAllPorts: true, PortBindings: { '80/tcp': [{ HostPort: '8080' }] } })
  assert.deepEqual(
    requests.map(({ containerPort, hostPort }) => [containerPort, hostPort]),
    [
      [80, 8080],
      [81, 0],
    ],
  )
})
