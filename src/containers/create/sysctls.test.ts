import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSysctls } from './sysctls.ts'

const check = (name: string, modes: { IpcMode?: string; NetworkMode?: string } = {}) =>
  checkSysctls({ Sysctls: { [name]: '1' }, ...modes })

test('checkSysctls() accepts settings that belong to namespaces of a container', () => {
  for (const name of ['kernel.shmmax', 'fs.mqueue.msg_max', 'net.ipv4.ip_forward', 'net/ipv4/conf/eth0.1/x'])
    check(name)
  check('kernel.domainname')
  checkSysctls({})
})

test('checkSysctls() refuses settings of the host', () => {
  assert.throws(() => check('kernel.panic'), /"kernel.panic" is not in a separate kernel namespace/)
  assert.throws(() => check('net.ipv4 x'), /not in a separate kernel namespace/)
  assert.throws(() => check('kernel.hostname'), /conflicts with the OCI "hostname" field/)
  assert.throws(() => check('kernel.sem', { IpcMode: 'host' }), /not allowed in the hosts ipc namespace/)
  assert.throws(() => check('net.core.somaxconn', { NetworkMode: 'host' }), /not allowed in host network namespace/)
})
