import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from '../../api/index.ts'
import type { CgroupFeatures } from '../../sys/index.ts'
import { withoutUnsupportedLimits } from './kernel-limits.ts'

/** cgroup v2 with all controllers. */
const v2: CgroupFeatures = {
  memory: true,
  swap: true,
  cpuCfsQuota: true,
  cpuShares: true,
  cpuset: true,
  pids: true,
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
  cpuRealtime: false,
  memorySwappiness: false,
  memoryReservation: true,
  kernelMemoryTcp: false,
  oomKillDisable: false,
}
const nothing = Object.fromEntries(Object.keys(v2).map((name) => [name, false])) as unknown as CgroupFeatures

test('withoutUnsupportedLimits() keeps limits that the kernel supports', () => {
  const hostConfig: HostConfig = { Memory: 1e8, MemorySwap: 2e8, PidsLimit: 5, BlkioWeight: 10, CpusetCpus: '0' }
  assert.deepEqual(withoutUnsupportedLimits(hostConfig, v2), { hostConfig, warnings: [] })
  assert.deepEqual(withoutUnsupportedLimits({ MemorySwappiness: null }, nothing).warnings, [])
})

test('withoutUnsupportedLimits() drops limits that cgroup v2 does not support', () => {
  const given = { MemorySwappiness: 5, OomKillDisable: true, KernelMemoryTCP: 4096 }
  const { hostConfig, warnings } = withoutUnsupportedLimits(given, v2)
  assert.deepEqual(hostConfig, { MemorySwappiness: null, OomKillDisable: false, KernelMemoryTCP: 0 })
  assert.equal(warnings.length, 3)
  assert.throws(
    () => withoutUnsupportedLimits({ CpuRealtimePeriod: 1 }, v2),
    /does not support CPU real-time scheduler/,
  )
})

test('withoutUnsupportedLimits() drops all limits on a host without control groups', () => {
  const rates = [{ Path: '/dev/sda', Rate: 1 }]
  const given = { Memory: 1e8, MemorySwap: 2e8, CpuShares: 2, CpuQuota: 5000, BlkioDeviceWriteIOps: rates }
  const { hostConfig, warnings } = withoutUnsupportedLimits(given, nothing)
  assert.deepEqual(hostConfig, {
    ...{ Memory: 0, MemorySwap: -1, CpuShares: 0, CpuPeriod: 0, CpuQuota: 0, BlkioDeviceWriteIOps: [] },
  })
  assert.ok(warnings.some((text) => text.includes('Block I/O IOPS write limit discarded')))
  assert.throws(() => withoutUnsupportedLimits({ NanoCpus: 1 }, nothing), /NanoCPUs can not be set/)
})
