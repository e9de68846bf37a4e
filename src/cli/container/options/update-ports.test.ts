import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedPorts } from './update-ports.ts'

const now = {
  bindings: {
    '80/tcp': [
      { HostIp: '', HostPort: '8080' },
      { HostIp: '127.0.0.1', HostPort: '9090' },
    ],
    '53/udp': [{ HostIp: '', HostPort: '53' }],
    '90/tcp': [{ HostIp: '', HostPort: '' }],
  },
  actual: { '90/tcp': [{ HostIp: '0.0.0.0', HostPort: '49007' }] },
}
const names = (map: object) => JSON.stringify(map).replaceAll('"', '')

test('changedPorts() adds ports and keeps the others', () => {
  const changed = changedPorts(now, ['8081:80', '8080:80', '127.0.0.1:7000-7001:70-71/udp'], [])
  assert.equal(changed['80/tcp']?.length, 3)
  assert.deepEqual(changed['80/tcp']?.[2], { HostIp: '', HostPort: '8081' })
  assert.deepEqual(changed['71/udp'], [{ HostIp: '127.0.0.1', HostPort: '7001' }])
})

test('changedPorts() removes by host port, by both ports, and by container port', () => {
  assert.deepEqual(changedPorts(now, [], ['9090'])['80/tcp'], [{ HostIp: '', HostPort: '8080' }])
  assert.deepEqual(changedPorts(now, [], ['127.0.0.1:9090:80'])['80/tcp'], [{ HostIp: '', HostPort: '8080' }])
  assert.equal('53/udp' in changedPorts(now, [], ['53:53/udp']), false)
  assert.equal('80/tcp' in changedPorts(now, [], ['80']), false)
  assert.equal('90/tcp' in changedPorts(now, [], ['49007']), false)
  assert.equal(names(changedPorts(now, ['8080:81'], ['8080'])['81/tcp'] ?? {}), '[{HostIp:,HostPort:8080}]')
})

test('changedPorts() distinguishes random ports from fixed ones', () => {
  const bindings = { '80/tcp': [{ HostPort: '' }, { HostPort: '8080' }, { HostPort: '' }] }
  const actual = { '80/tcp': ['49001', '8080', '49002'].map((HostPort) => ({ HostIp: '0.0.0.0', HostPort })) }
  assert.deepEqual(changedPorts({ bindings, actual }, [], ['8080:80'])['80/tcp'], [{ HostPort: '' }, { HostPort: '' }])
  assert.deepEqual(changedPorts({ bindings, actual }, [], ['49001'])['80/tcp'], [
    { HostPort: '8080' },
    { HostIp: '', HostPort: '49002' },
  ])
})

test('changedPorts() refuses ports that are not published, and invalid ones', () => {
  for (const text of ['1234', '8080:81', '53', '10.0.0.1:8080:80']) {
    assert.throws(() => changedPorts(now, [], [text]), { message: `port ${text} is not published` })
  }
  for (const text of ['x', '', '8080:', '70000']) {
    assert.throws(() => changedPorts(now, [], [text]), { message: `invalid port: ${text}` })
  }
})
