/** update: limits and restart policies of running and stopped containers. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { cgroupName, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
const mb = 1024 * 1024

function running(...options: string[]): Promise<string> {
  return daemon.ok(['run', '-d', ...options, 'busybox', 'sleep', '1000'])
}

/** A container's limit in the kernel: the file of v1, or of v2. */
function limit(id: string, controller: string, v1: string, v2: string): string {
  const below = `${cgroupName(daemon.dataRoot)}/${id}`
  const path = isV2 ? `/sys/fs/cgroup/${below}/${v2}` : `/sys/fs/cgroup/${controller}/${below}/${v1}`
  return readFileSync(path, 'utf8').trim()
}

const memory = (id: string) => limit(id, 'memory', 'memory.limit_in_bytes', 'memory.max')
const pids = (id: string) => limit(id, 'pids', 'pids.max', 'pids.max')

function hostConfig(id: string, field: string): Promise<string> {
  return daemon.ok(['inspect', '-f', `{{json .HostConfig.${field}}}`, id])
}

async function refused(args: string[], message: RegExp): Promise<void> {
  const { code, stderr } = await daemon.docker(['update', ...args])
  assert.equal(code, 1, args.join(' '))
  assert.match(stderr, message)
}

test('limits of a running container change in the kernel and in inspect', async () => {
  const id = await running('-m', '64m')
  assert.equal(await daemon.ok(['update', '-m', '32m', '--pids-limit', '77', '--cpu-shares', '512', id]), id)
  assert.equal(memory(id), String(32 * mb))
  assert.equal(pids(id), '77')
  assert.equal(await hostConfig(id, 'Memory'), String(32 * mb))
  assert.equal(await hostConfig(id, 'PidsLimit'), '77')
  if (!isV2) assert.equal(limit(id, 'cpu', 'cpu.shares', ''), '512')
  await daemon.ok(['update', '-m', '200m', '--memory-swap', '300m', '--memory-reservation', '20m', id])
  assert.equal(memory(id), String(200 * mb))
  assert.equal(limit(id, 'memory', 'memory.soft_limit_in_bytes', 'memory.low'), String(20 * mb))
  assert.equal(await hostConfig(id, 'MemorySwap'), String(300 * mb))
  await daemon.ok(['update', '-m', '100m', '--memory-swap', '-1', id])
  assert.equal(memory(id), String(100 * mb))
  await daemon.ok(['update', '--cpus', '0.5', '--cpuset-cpus', '0', '--pids-limit', '-1', id])
  assert.equal(pids(id), 'max')
  assert.equal(limit(id, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0], '50000')
  assert.equal(limit(id, 'cpuset', 'cpuset.cpus', 'cpuset.cpus'), '0')
  // The change applies to the next run.
  await daemon.ok(['restart', '-t', '0', id])
  assert.equal(memory(id), String(100 * mb))
  await daemon.ok(['rm', '-f', id])
})

test('limits of a stopped container apply to its next run', async () => {
  const id = await daemon.ok(['create', 'busybox', 'sleep', '1000'])
  await daemon.ok(['update', '-m', '40m', '--memory-swap', '80m', '--cpu-period', '50000', '--cpu-quota', '25000', id])
  await daemon.ok(['start', id])
  assert.equal(memory(id), String(40 * mb))
  assert.equal(limit(id, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0], '25000')
  await refused(['--cpus', '1', id], /Nano CPUs cannot be updated as CPU Period has already been set/)
  await daemon.ok(['rm', '-f', id])
})

test('an update that the kernel refuses changes nothing', async () => {
  const id = await running('-m', '64m', '--pids-limit', '50')
  // More than the kernel can count (2^44 microseconds).
  await refused(
    ['-m', '32m', '--pids-limit', '9', '--cpu-quota', '20000000000000', id],
    new RegExp(`Cannot update container ${id}: `),
  )
  assert.equal(memory(id), String(64 * mb))
  assert.equal(pids(id), '50')
  assert.equal(await hostConfig(id, 'Memory'), String(64 * mb))
  assert.equal(await hostConfig(id, 'PidsLimit'), '50')
  assert.equal(await hostConfig(id, 'CpuQuota'), '0')
  await daemon.ok(['rm', '-f', id])
})

test("refusals have Docker's texts", async () => {
  const id = await running('-m', '64m')
  await refused(['--cpuset-mems', '900', id], /Requested memory nodes are not available - requested 900, available: 0/)
  await refused(['-m', '1m', id], /Minimum memory limit allowed is 6MB/)
  await refused(['-m', '900m', id], /Memory limit should be smaller than already set memoryswap limit, update/)
  await refused(
    ['-m', '32m', '--memory-reservation', '40m', id],
    /Minimum memory limit can not be less than memory reser/,
  )
  await refused(['--blkio-weight', '5', id], /Range of blkio weight is from 10 to 1000/)
  await refused(['--cpuset-cpus', '4000', id], /Requested CPUs are not available/)
  await refused(['--restart', 'on-failure:-1', id], /maximum retry count cannot be negative|invalid restart policy/)
  const wrong = await daemon.api<{ message: string }>('POST', `/containers/${id}/update`, {
    RestartPolicy: { Name: 'sometimes' },
  })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body.message, /invalid restart policy: unknown policy 'sometimes'/)
  const type = await daemon.api<{ message: string }>('POST', `/containers/${id}/update`, { Memory: 'much' })
  assert.equal(type.status, 400)
  await refused(['--pids-limit', '9', 'no-such'], /No such container: no-such/)
  await daemon.ok(['rm', '-f', id])
  const own = await running('--rm')
  await refused(['--restart', 'always', own], /Restart policy cannot be updated because AutoRemove is enabled/)
  await daemon.ok(['rm', '-f', own])
})

test('a new restart policy applies at the next end; an event reports it', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', 'sleep 1000 & wait; exit 3'])
  await daemon.ok(['update', '--restart', 'on-failure:1', id])
  assert.equal(await hostConfig(id, 'RestartPolicy'), '{"Name":"on-failure","MaximumRetryCount":1}')
  await daemon.ok(['exec', id, 'sh', '-c', 'kill $(pidof sleep)'])
  await until(
    async () => (await daemon.ok(['inspect', '-f', '{{.RestartCount}} {{.State.Status}}', id])) === '1 running',
    {
      what: 'its restart',
    },
  )
  const end = String(Date.now() / 1000 + 1)
  const filters = ['--since', '0', '--until', end, '-f', `container=${id}`, '-f', 'event=update']
  assert.equal(await daemon.ok(['events', ...filters, '--format', '{{.Action}}']), 'update')
  await daemon.ok(['rm', '-f', id])
})

test('berth pause, unpause and update', async () => {
  const id = await running()
  const berth = async (...args: string[]) => await daemon.berth(args)
  assert.deepEqual(await berth('pause', id), { code: 0, signal: null, stdout: `${id}\n`, stderr: '' })
  assert.match((await berth('ps')).stdout, /\(Paused\)/)
  assert.equal((await berth('container', 'unpause', id)).stdout, `${id}\n`)
  assert.equal((await berth('update', '--pids-limit', '33', '--restart', 'on-failure:4', id)).stdout, `${id}\n`)
  assert.equal(pids(id), '33')
  assert.equal(await hostConfig(id, 'RestartPolicy'), '{"Name":"on-failure","MaximumRetryCount":4}')
  for (const args of [
    ['update', id],
    ['update', '-m', '1m', id],
    ['unpause', id],
    ['pause', 'no-such'],
  ]) {
    const [ours, theirs] = [await daemon.berth(args), await daemon.docker(args)]
    assert.deepEqual([ours.code, ours.stdout, ours.stderr], [theirs.code, theirs.stdout, theirs.stderr])
  }
  await daemon.ok(['rm', '-f', id])
})
