import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkEnvironment } from './link-environment.ts'

const linked = { parentName: 'web', alias: 'my-db', address: '172.17.0.5', env: [], exposedPorts: [] }

test('linkEnvironment names the lowest port, and the parts of each port', () => {
  assert.deepEqual(linkEnvironment({ ...linked, exposedPorts: ['8080/udp', '6379/tcp'] }), [
    'MY_DB_PORT=tcp://172.17.0.5:6379',
    'MY_DB_PORT_6379_TCP=tcp://172.17.0.5:6379',
    'MY_DB_PORT_6379_TCP_ADDR=172.17.0.5',
    'MY_DB_PORT_6379_TCP_PORT=6379',
    'MY_DB_PORT_6379_TCP_PROTO=tcp',
    'MY_DB_PORT_8080_UDP=udp://172.17.0.5:8080',
    'MY_DB_PORT_8080_UDP_ADDR=172.17.0.5',
    'MY_DB_PORT_8080_UDP_PORT=8080',
    'MY_DB_PORT_8080_UDP_PROTO=udp',
    'MY_DB_NAME=/web/my-db',
  ])
})

test('linkEnvironment names the ends of port ranges', () => {
  const text = linkEnvironment({ ...linked, exposedPorts: ['82/tcp', '80/tcp', '81/tcp', '90/tcp'] })
  assert.ok(text.includes('MY_DB_PORT_80_TCP_START=tcp://172.17.0.5:80'))
  assert.ok(text.includes('MY_DB_PORT_80_TCP_PORT_END=82'))
  assert.equal(text.filter((line) => line.includes('_START=')).length, 2)
})

test('linkEnvironment passes on the environment, without the variables that every image sets', () => {
  assert.deepEqual(linkEnvironment({ ...linked, env: ['PATH=/bin', 'HOME=/', 'USER=a=b', 'EMPTY='] }), [
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_USER=a=b',
    'MY_DB_ENV_EMPTY=',
  ])
})
