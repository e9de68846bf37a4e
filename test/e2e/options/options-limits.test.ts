/** Limits of a container, seen from inside: block devices, real-time, kernel memory, ulimits, control groups. A
 *  test's title begins with the field. If the kernel lacks a limit, a warning names it. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, join } from 'node:path'
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

interface Made {
  readonly Id: string
  readonly Warnings: readonly string[]
}

/** Warnings of a create. */
async function warned(hostConfig: Readonly<Record<string, unknown>>, version = ''): Promise<readonly string[]> {
  const { status, body, text } = await daemon.api<Made>('POST', `${version}/containers/create`, {
    Image: 'busybox',
    HostConfig: hostConfig,
  })
  assert.equal(status, 201, text)
  await daemon.api('DELETE', `/containers/${body.Id}`)
  return body.Warnings
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
/** A block device of the host: its path and numbers. */
const disk = readdirSync('/sys/block').find((name) => /^[vsn][dv]/.test(name) || name.startsWith('loop')) ?? 'none'
const numbers = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim()

const throttles = [
  ['BlkioDeviceReadBps', '--device-read-bps', 'read_bps', 'rbps', '1048576'],
  ['BlkioDeviceWriteBps', '--device-write-bps', 'write_bps', 'wbps', '2097152'],
  ['BlkioDeviceReadIOps', '--device-read-iops', 'read_iops', 'riops', '100'],
  ['BlkioDeviceWriteIOps', '--device-write-iops', 'write_iops', 'wiops', '200'],
] as const

for (const [field, flag, v1, v2, rate] of throttles) {
  test(`HostConfig.${field}: limits the rate of a device; an invalid device or rate is named`, async () => {
    const seen = await inside(
      [flag, `/dev/${disk}:${rate}`],
      cgroupV2 ? 'cat /sys/fs/cgroup/io.max' : `cat /sys/fs/cgroup/blkio/blkio.throttle.${v1}_device`,
    )
    assert.match(seen, cgroupV2 ? new RegExp(`^${numbers} .*${v2}=${rate}`) : new RegExp(`^${numbers} ${rate}$`))
    const { stderr } = await daemon.docker(['run', '--rm', flag, '/dev/no-such:1', 'busybox', 'true'])
    assert.match(stderr, /stat \/dev\/no-such: no such file or directory/)
    assert.match(await refused({ [field]: [{ Path: `/dev/${disk}`, Rate: 0 }] }), new RegExp(`invalid rate.*${field}`))
  })
}

test('HostConfig.BlkioWeightDevice: reaches the kernel, or is discarded with a warning; out of range is refused', async () => {
  const hasWeights = cgroupV2 || existsSync('/sys/fs/cgroup/blkio/blkio.weight_device')
  const warnings = await warned({ BlkioWeightDevice: [{ Path: `/dev/${disk}`, Weight: 300 }] })
  const lost =
    'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.'
  assert.deepEqual(warnings, hasWeights ? [] : [lost])
  assert.match(
    await refused({ BlkioWeightDevice: [{ Path: '/dev/x', Weight: 5 }] }),
    /Range of blkio weight is from 10/,
  )
})

test('HostConfig.BlkioWeight: reaches the kernel, or is discarded with a warning', async () => {
  const hasWeights = cgroupV2 || globSync('/sys/fs/cgroup/blkio/{blkio.weight,blkio.bfq.weight}').length > 0
  const lost = 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.'
  assert.deepEqual(await warned({ BlkioWeight: 300 }), hasWeights ? [] : [lost])
  assert.equal(await inside(['--blkio-weight', '300'], 'echo runs'), 'runs')
})

test('HostConfig.CpuRealtimePeriod: set if the kernel has it, otherwise refused', async () => {
  if (!cgroupV2 && existsSync('/sys/fs/cgroup/cpu/cpu.rt_period_us')) {
    assert.equal(await inside(['--cpu-rt-period', '500000'], 'cat /sys/fs/cgroup/cpu/cpu.rt_period_us'), '500000')
  } else {
    assert.match(await refused({ CpuRealtimePeriod: 500000 }), /kernel does not support CPU real-time scheduler/)
  }
})

test('HostConfig.CpuRealtimeRuntime: at most the period, and at most what the group above has', async () => {
  const [period, tooMuch] = [{ CpuRealtimePeriod: 1000 }, { CpuRealtimeRuntime: 2000 }]
  assert.match(
    await refused({ ...period, ...tooMuch }),
    /cpu real-time runtime cannot be higher than cpu real-time period/,
  )
  const { code, stderr } = await daemon.docker(['run', '--rm', '--cpu-rt-runtime', '950000', 'busybox', 'true'])
  assert.notEqual(code, 0)
  assert.match(stderr, /cpu\.rt_runtime_us|real-time scheduler/)
})

test('HostConfig.KernelMemory: dropped, with a warning for old clients only', async () => {
  assert.match((await warned({ KernelMemory: 10_000_000 }, '/v1.41')).join(), /kernel memory limit is deprecated/)
  assert.deepEqual(await warned({ KernelMemory: 10_000_000 }), [])
})

test('HostConfig.KernelMemoryTCP: is set on cgroup v1, discarded with a warning elsewhere', async () => {
  const hostConfig = { KernelMemoryTCP: 16_777_216, NetworkMode: 'none' }
  if (cgroupV2) {
    assert.match((await warned(hostConfig)).join(), /does not support kernel memory TCP limit/)
    return
  }
  const { body } = await daemon.api<Made>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['cat', '/sys/fs/cgroup/memory/memory.kmem.tcp.limit_in_bytes'],
    HostConfig: hostConfig,
  })
  assert.equal(await daemon.ok(['start', '-a', body.Id]), '16777216')
  await daemon.ok(['rm', body.Id])
})

test('HostConfig.MemoryReservation: set; less than the minimum is refused', async () => {
  const file = cgroupV2 ? '/sys/fs/cgroup/memory.low' : '/sys/fs/cgroup/memory/memory.soft_limit_in_bytes'
  assert.equal(await inside(['--memory-reservation', '16m'], `cat ${file}`), '16777216')
  assert.match(await refused({ MemoryReservation: 1000 }), /Minimum memory reservation allowed is 6MB/)
})

test('HostConfig.Ulimits: set; values that the kernel would refuse are refused at create, by name', async () => {
  assert.equal(
    await inside(['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'], 'ulimit -n; ulimit -Hn; ulimit -c'),
    '100\n200\n0',
  )
  assert.match(await refused({ Ulimits: [{ Name: 'files', Soft: 1, Hard: 1 }] }), /invalid ulimit type: files/)
  assert.match(
    await refused({ Ulimits: [{ Name: 'core', Soft: 2, Hard: 1 }] }),
    /ulimit soft limit must be less than or equal to hard limit: 2 > 1/,
  )
  const most = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'))
  assert.match(
    await refused({ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: most + 1 }] }),
    new RegExp(`no process have more than ${most} files`),
  )
})

test('HostConfig.CgroupParent: the container stays in that group, through pause, update and top; slices are refused', async () => {
  const parent = `${basename(daemon.root)}-group/inner`
  const id = await daemon.ok([
    'run',
    '-d',
    '--network',
    'none',
    '--cgroup-parent',
    parent,
    '-m',
    '32m',
    'busybox',
    'sleep',
    '1000',
  ])
  const file = cgroupV2 ? `${parent}/${id}/memory.max` : `memory/${parent}/${id}/memory.limit_in_bytes`
  assert.equal(readFileSync(join('/sys/fs/cgroup', file), 'utf8').trim(), '33554432')
  await daemon.ok(['update', '-m', '48m', '--memory-swap', '96m', id])
  assert.equal(readFileSync(join('/sys/fs/cgroup', file), 'utf8').trim(), '50331648')
  await daemon.ok(['pause', id])
  await daemon.restart()
  assert.equal(
    await daemon.ok(['inspect', '-f', '{{.State.Status}} {{.HostConfig.CgroupParent}}', id]),
    `paused ${parent}`,
  )
  await daemon.ok(['unpause', id])
  assert.match(await daemon.ok(['top', id]), /sleep 1000/)
  await daemon.ok(['rm', '-f', id])
  assert.equal(existsSync(join('/sys/fs/cgroup', file)), false)
  for (const path of globSync([`/sys/fs/cgroup/${parent}`, `/sys/fs/cgroup/*/${parent}`])) {
    rmdirSync(path)
    rmdirSync(join(path, '..'))
  }
  if (!existsSync('/run/systemd/system')) {
    assert.match(await refused({ CgroupParent: 'user.slice' }), /"user\.slice".*slices belong to systemd/)
  }
  assert.match(await refused({ CgroupParent: '../up' }), /invalid CgroupParent/)
})
