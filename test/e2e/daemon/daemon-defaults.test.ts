/** Options of the daemon that change the defaults of containers. */
import assert from 'node:assert/strict'
import { globSync, rmdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { cgroupName, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { removeCgroup } from '../../runner/leaks.ts'

/** The cgroup in which the daemon's own is made. */
const parent = `berth-parent-${process.pid}`
let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start({
    flags: [
      '--cgroup-parent',
      parent,
      '--default-cgroupns-mode',
      'private',
      '--default-ipc-mode',
      'shareable',
      '--host-gateway-ip',
      '192.0.2.7',
      '--experimental',
      '--init-path',
      '/usr/bin/tini-static',
    ],
  })
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  for (const path of globSync([`/sys/fs/cgroup/${parent}`, `/sys/fs/cgroup/*/${parent}`])) {
    for (const group of globSync(`${path}/*/`)) removeCgroup(group)
    rmdirSync(path)
  }
})

test('host-gateway is the address of --host-gateway-ip', async () => {
  const hosts = await daemon.ok(['run', '--rm', '--add-host', 'up:host-gateway', 'busybox', 'cat', '/etc/hosts'])
  assert.match(hosts, /^192\.0\.2\.7\tup$/m)
})

test("containers' groups are below the daemon's, which is below --cgroup-parent", async () => {
  const id = await daemon.ok(['run', '-d', '--cgroupns', 'host', 'busybox', 'sleep', '1000'])
  const groups = await daemon.ok(['exec', id, 'cat', '/proc/1/cgroup'])
  assert.ok(groups.includes(`:/${parent}/${cgroupName(daemon.dataRoot)}/${id}\n`), groups)
  await daemon.ok(['rm', '-f', id])
})

test('a container has its own cgroup namespace, unless it asks for the host’s', async () => {
  const groups = await daemon.ok(['run', '--rm', 'busybox', 'cat', '/proc/self/cgroup'])
  assert.ok(!groups.includes(parent), groups)
})

test('with a shareable default, another container may join the IPC namespace', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', 'echo shared > /dev/shm/file; sleep 1000'])
  assert.equal(await daemon.ok(['inspect', '-f', '{{.HostConfig.IpcMode}}', id]), 'shareable')
  assert.equal(
    await daemon.ok([
      'run',
      '--rm',
      '--ipc',
      `container:${id}`,
      'busybox',
      'sh',
      '-c',
      'until test -e /dev/shm/file; do :; done; cat /dev/shm/file',
    ]),
    'shared',
  )
  await daemon.ok(['rm', '-f', id])
})

test('--init runs the program of --init-path, and clients see --experimental', async () => {
  const init = await daemon.ok(['run', '--rm', '--init', 'busybox', 'sh', '-c', 'cat /proc/1/comm'])
  assert.match(init, /init|tini/)
  assert.equal(await daemon.ok(['info', '-f', '{{.InitBinary}} {{.ExperimentalBuild}}']), '/usr/bin/tini-static true')
  const { headers } = await daemon.api('GET', '/_ping')
  assert.equal(headers['docker-experimental'], 'true')
})
