/** Namespaces and modes of a container, and the fields that Linux does not support. A test's title begins with the
 *  field. */
import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { hasProjectQuotas } from '../../../src/sys/index.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Standard output of a shell script in a container without a network. */
function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '--rm', '--network', 'none', ...options, 'busybox', 'sh', '-c', script])
}

/** Message of a create that must be refused. */
async function refused(hostConfig: Readonly<Record<string, unknown>>): Promise<string> {
  const answer = await daemon.api<{ message: string }>('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: hostConfig,
  })
  assert.equal(answer.status, 400, answer.text)
  return answer.body.message
}

const ours = (kind: string) => readlinkSync(`/proc/self/ns/${kind}`)

for (const [field, flag, kind, message] of [
  ['PidMode', '--pid', 'pid', /invalid PID mode: moon/],
  ['UTSMode', '--uts', 'uts', /invalid UTS mode: moon/],
  ['IpcMode', '--ipc', 'ipc', /Invalid IPC mode: moon/],
  ['CgroupnsMode', '--cgroupns', 'cgroup', /invalid cgroup namespace mode: moon/],
] as const) {
  test(`HostConfig.${field}: its own namespace or the host's; anything else is refused`, async () => {
    const seen = (mode: string) => inside([flag, mode], `readlink /proc/self/ns/${kind}`)
    assert.equal(await seen('host'), ours(kind))
    if (field !== 'PidMode' && field !== 'UTSMode') assert.notEqual(await seen('private'), ours(kind))
    else assert.notEqual(await inside([], `readlink /proc/self/ns/${kind}`), ours(kind))
    assert.match(await refused({ [field]: 'moon' }), message)
  })
}

test('HostConfig.UsernsMode: host works, anything else is refused', async () => {
  assert.equal(await inside(['--userns', 'host'], 'readlink /proc/self/ns/user'), ours('user'))
  assert.match(await refused({ UsernsMode: 'keep-id' }), /invalid user namespace mode: keep-id/)
})

test('HostConfig.Isolation: only default', async () => {
  assert.equal(await inside(['--isolation', 'Default'], 'echo ok'), 'ok')
  assert.match(await refused({ Isolation: 'hyperv' }), /linux only supports 'default'/i)
})

test("HostConfig.Runtime: known runtimes and Docker's names for the usual one work, others are refused", async () => {
  const earlier = ['io.containerd.runc.v1', 'io.containerd.runtime.v1.linux']
  for (const name of ['io.containerd.runc.v2', 'runc', 'crun', ...earlier]) {
    assert.equal(await inside(['--runtime', name], 'echo ok'), 'ok', name)
  }
  assert.match(await refused({ Runtime: 'no-such' }), /unknown or invalid runtime name: no-such/)
  // As with Docker, a missing shim fails the start.
  await daemon.ok(['create', '--name', 'shim', '--runtime', 'io.containerd.kata.v2', 'busybox'])
  const started = await daemon.docker(['start', 'shim'])
  assert.match(started.stderr, /failed to start shim: failed to resolve runtime path: runtime "io.containerd.kata.v2"/)
  await daemon.ok(['rm', 'shim'])
})

test("HostConfig.Cgroup: refused, because no runtime joins another container's group", async () => {
  assert.match(await refused({ Cgroup: 'container:x' }), /^HostConfig\.Cgroup "container:x": /)
})

test('HostConfig.StorageOpt: unknown options are refused, and all on file systems without project quotas (storage-size.test.ts has the others)', async () => {
  if (!hasProjectQuotas(daemon.dataRoot)) {
    const { stderr } = await daemon.docker(['create', '--storage-opt', 'size=1G', 'busybox'])
    assert.match(stderr, /--storage-opt is supported only for overlay over xfs with 'pquota' mount option/)
  }
  assert.match(await refused({ StorageOpt: { color: 'red' } }), /Unknown option color/)
  assert.match(await refused({ StorageOpt: { size: 'much' } }), /invalid size: 'much'/)
})

for (const field of ['CpuCount', 'CpuPercent', 'IOMaximumIOps', 'IOMaximumBandwidth']) {
  test(`HostConfig.${field}: refused, because it is for Windows`, async () => {
    assert.match(
      await refused({ [field]: 5 }),
      new RegExp(`^HostConfig\\.${field} 5: it is for Windows containers only`),
    )
  })
}

test('Config.NetworkDisabled: only a loopback device', async () => {
  const { body, status, text } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['ls', '/sys/class/net'],
    NetworkDisabled: true,
  })
  assert.equal(status, 201, text)
  assert.equal(await daemon.ok(['start', '-a', body.Id]), 'lo')
  assert.equal(await daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', body.Id]), '')
  await daemon.ok(['rm', body.Id])
})
