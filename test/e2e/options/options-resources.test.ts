/** Memory, processors, processes, kernel settings and file systems of a container, seen from inside. A test's title
 *  begins with the field. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
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

const cgroupV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')

/** Field, flags, the file on cgroup v1 and v2 with its expected content; an invalid value, and the error. */
const limits: readonly (readonly [
  field: string,
  flags: string,
  v1: readonly [file: string, text: string],
  v2: readonly [file: string, text: string] | undefined,
  wrong: unknown,
  message: RegExp,
])[] = [
  [
    'Memory',
    '-m 32m',
    ['memory/memory.limit_in_bytes', '33554432'],
    ['memory.max', '33554432'],
    1,
    /Minimum memory limit allowed is 6MB/,
  ],
  [
    'MemorySwap',
    '-m 32m --memory-swap 48m',
    ['memory/memory.memsw.limit_in_bytes', '50331648'],
    ['memory.swap.max', '16777216'],
    50331648,
    /always set the Memory limit when using Memoryswap/,
  ],
  [
    'MemorySwappiness',
    '-m 32m --memory-swappiness 7',
    ['memory/memory.swappiness', '7'],
    undefined,
    101,
    /valid memory swappiness range is 0-100/,
  ],
  ['CpuShares', '--cpu-shares 512', ['cpu/cpu.shares', '512'], ['cpu.weight', '20'], undefined, /./],
  [
    'CpuPeriod',
    '--cpu-period 50000',
    ['cpu/cpu.cfs_period_us', '50000'],
    ['cpu.max', 'max 50000'],
    10,
    /CPU cfs period can not be less than 1ms/,
  ],
  [
    'CpuQuota',
    '--cpu-quota 25000',
    ['cpu/cpu.cfs_quota_us', '25000'],
    ['cpu.max', '25000 100000'],
    10,
    /CPU cfs quota can not be less than 1ms/,
  ],
  [
    'NanoCpus',
    '--cpus 0.5',
    ['cpu/cpu.cfs_quota_us', '50000'],
    ['cpu.max', '50000 100000'],
    1e15,
    /range of CPUs is from 0\.01/,
  ],
  [
    'CpusetCpus',
    '--cpuset-cpus 0',
    ['cpuset/cpuset.cpus', '0'],
    ['cpuset.cpus', '0'],
    '9999',
    /Requested CPUs are not available/,
  ],
  [
    'CpusetMems',
    '--cpuset-mems 0',
    ['cpuset/cpuset.mems', '0'],
    ['cpuset.mems', '0'],
    'x',
    /Invalid value x for cpuset mems/,
  ],
  ['PidsLimit', '--pids-limit 77', ['pids/pids.max', '77'], ['pids.max', '77'], undefined, /./],
]

for (const [field, flags, v1, v2, wrong, message] of limits) {
  test(`HostConfig.${field}: the kernel has the limit; an invalid value is refused`, async () => {
    const [file, text] = (cgroupV2 ? v2 : v1) ?? ['', '']
    if (file === '') assert.match((await daemon.docker(['create', ...flags.split(' '), 'busybox'])).stderr, /discarded/)
    else assert.equal(await inside(flags.split(' '), `cat /sys/fs/cgroup/${file}`), text)
    if (wrong !== undefined) assert.match(await refused({ [field]: wrong }), message)
  })
}

test('HostConfig.OomKillDisable: set on cgroup v1, with a warning if there is no memory limit; discarded on v2', async () => {
  if (cgroupV2) {
    const { stderr } = await daemon.docker(['create', '--oom-kill-disable', 'busybox'])
    assert.match(stderr, /does not support OomKillDisable/)
    return
  }
  const script = 'head -1 /sys/fs/cgroup/memory/memory.oom_control'
  assert.equal(await inside(['-m', '32m', '--oom-kill-disable'], script), 'oom_kill_disable 1')
  const { stderr } = await daemon.docker(['create', '--oom-kill-disable', 'busybox'])
  assert.match(stderr, /OOM killer is disabled for the container, but no memory limit is set/)
})

test('HostConfig.OomScoreAdj: set; out of range is refused', async () => {
  assert.equal(await inside(['--oom-score-adj', '321'], 'cat /proc/self/oom_score_adj'), '321')
  assert.match(await refused({ OomScoreAdj: 1001 }), /range for oom score adj is \[-1000, 1000\]/)
})

test('HostConfig.ShmSize: size of /dev/shm; a negative one is refused', async () => {
  assert.match(await inside(['--shm-size', '8m'], 'grep " /dev/shm " /proc/mounts'), /size=8192k/)
  assert.match(await refused({ ShmSize: -1 }), /SHM size can not be less than 0/)
})

test("HostConfig.Sysctls: only those of the container's namespaces", async () => {
  const options = ['--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'kernel.msgmax=1234']
  assert.equal(await inside(options, 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'), '1\n1234')
  const wrong = (name: string, more: object = {}) => refused({ Sysctls: { [name]: '1' }, ...more })
  assert.match(await wrong('vm.swappiness'), /sysctl "vm\.swappiness" is not in a separate kernel namespace/)
  assert.match(await wrong('kernel/core_pattern'), /is not in a separate kernel namespace/)
  assert.match(await wrong('kernel.hostname'), /conflicts with the OCI "hostname" field/)
  assert.match(await wrong('net.ipv4.ip_forward', { NetworkMode: 'host' }), /not allowed in host network namespace/)
  assert.match(await wrong('kernel.msgmax', { IpcMode: 'host' }), /not allowed in the hosts ipc namespace/)
})

test('HostConfig.Tmpfs: takes mount options; unknown ones are refused', async () => {
  const seen = await inside(['--tmpfs', '/x:size=1m,mode=0700,exec'], "grep ' /x ' /proc/mounts; stat -c %a /x")
  assert.match(seen, /^tmpfs \/x tmpfs rw,nosuid,nodev,\S*size=1024k,mode=700/)
  assert.match(await refused({ Tmpfs: { '/x': 'color=red' } }), /invalid tmpfs option \["color=red"\]/)
})

test('HostConfig.Binds: directories with their propagation; an invalid mode is refused', async () => {
  const source = join(daemon.root, 'bound')
  mkdirSync(source)
  assert.equal(await inside(['-v', `${source}:/x`], 'touch /x/a && ls /x'), 'a')
  const marks = await inside(['-v', `${source}:/x:rw,rprivate`], "grep ' /x ' /proc/self/mountinfo")
  assert.doesNotMatch(marks, / (shared|master):/)
  assert.match(await refused({ Binds: [`${source}:/x:moon`] }), /invalid mode: moon/)
})

test('HostConfig.VolumesFrom: the mounts of another container; an unknown container is refused', async () => {
  const donor = await daemon.ok(['run', '-d', '--network', 'none', '-v', '/x', 'busybox', 'sleep', '1000'])
  await daemon.ok(['exec', donor, 'touch', '/x/a'])
  assert.equal(await inside(['--volumes-from', donor], 'ls /x'), 'a')
  assert.match(await refused({ VolumesFrom: ['nobody'] }), /No such container: nobody/)
  await daemon.ok(['rm', '-fv', donor])
})

test('HostConfig.ReadonlyRootfs: makes the root file system read-only', async () => {
  assert.equal(await inside(['--read-only'], 'touch /a 2>/dev/null || echo read-only'), 'read-only')
})

test('HostConfig.Init: process 1 is an init program', async () => {
  assert.match(await inside(['--init'], 'tr "\\0" " " </proc/1/cmdline'), /^\/sbin\/docker-init -- sh -c/)
})

test('HostConfig.ConsoleSize: sets the size of the terminal', async () => {
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['stty', 'size'],
    Tty: true,
    HostConfig: { ConsoleSize: [33, 77], NetworkMode: 'none' },
  })
  await daemon.ok(['start', body.Id])
  await daemon.ok(['wait', body.Id])
  assert.match(await daemon.ok(['logs', body.Id]), /^33 77/)
  await daemon.ok(['rm', body.Id])
})

test('HostConfig.MaskedPaths: replace the default ones', async () => {
  assert.equal(await runs({ MaskedPaths: ['/etc/passwd'] }, ['wc', '-c', '/etc/passwd']), '0 /etc/passwd')
})

test('HostConfig.ReadonlyPaths: replace the default ones', async () => {
  const script = 'touch /etc/x 2>/dev/null || echo read-only; touch /proc/sys/kernel/domainname && echo open'
  assert.equal(await runs({ ReadonlyPaths: ['/etc'] }, ['sh', '-c', script]), 'read-only\nopen')
})

test('HostConfig.Annotations: passed to the runtime and shown', async () => {
  const id = await daemon.ok(['run', '-d', '--network', 'none', '--annotation', 'a.b=c', 'busybox', 'sleep', '1000'])
  const config = JSON.parse(readFileSync(join(daemon.execRoot, 'c', id, 'config.json'), 'utf8')) as {
    annotations: Record<string, string>
  }
  assert.equal(config.annotations['a.b'], 'c')
  assert.equal(await daemon.ok(['inspect', '-f', '{{index .HostConfig.Annotations "a.b"}}', id]), 'c')
  await daemon.ok(['rm', '-f', id])
})

test('HostConfig.Privileged: gives all capabilities and devices', async () => {
  assert.equal(await inside(['--privileged'], 'test -w /proc/sys/kernel/domainname && echo open'), 'open')
})

/** The output of a command in a container with that HostConfig. */
async function runs(hostConfig: Readonly<Record<string, unknown>>, command: readonly string[]): Promise<string> {
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: command,
    HostConfig: { NetworkMode: 'none', ...hostConfig },
  })
  const output = await daemon.ok(['start', '-a', body.Id])
  await daemon.ok(['rm', body.Id])
  return output
}
