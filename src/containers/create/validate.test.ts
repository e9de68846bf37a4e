import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import { validateRequest, validateUpdate } from './validate.ts'

const host = { cpus: 2, capabilities: new Set(['CAP_CHOWN']) }

const refusedConfigs: readonly (readonly [ContainerConfig, RegExp])[] = [
  [{ WorkingDir: 'srv' }, /'srv' is invalid/],
  [{ Env: [''] }, /invalid environment variable/],
  [{ Env: ['=1'] }, /invalid environment variable/],
  [{ Env: ['A=\0'] }, /NUL byte/],
  [{ StopSignal: 'SIGNONE' }, /SIGNONE/],
  [{ Hostname: 'a b' }, /invalid hostname/],
  [{ Hostname: 'a'.repeat(65) }, /invalid hostname/],
]

const refusedHostConfigs: readonly (readonly [HostConfig, RegExp])[] = [
  [{ Memory: 1024 }, /[Mm]inimum memory limit/],
  [{ NanoCpus: 3e9 }, /only 2 CPUs available/],
  [{ NanoCpus: 1e9, CpuPeriod: 1000 }, /Nano CPUs and CPU Period/],
  [{ NanoCpus: 1e9, CpuQuota: 1000 }, /Nano CPUs and CPU Quota/],
  [{ CpuPeriod: 999 }, /cfs period/],
  [{ CpuQuota: 999 }, /cfs quota/],
  [{ CpusetCpus: '0-' }, /Invalid value 0- for cpuset cpus/],
  [{ CpusetCpus: '2' }, /Requested CPUs are not available/],
  [{ MemorySwappiness: 101 }, /swappiness/],
  [{ BlkioWeight: 5 }, /blkio weight/],
  [{ ShmSize: -1 }, /SHM size/],
  [{ OomScoreAdj: 1001 }, /oom score adj/],
]

test('validateRequest() names the fault in a request', () => {
  for (const [config, message] of refusedConfigs)
    assert.throws(() => validateRequest(config, {}, host, config), message)
  for (const [hostConfig, message] of refusedHostConfigs) {
    assert.throws(() => validateRequest({}, hostConfig, host, {}), message)
  }
})

test('validateRequest() accepts what the host can provide', () => {
  validateRequest({}, {}, host, {})
  validateRequest(
    { WorkingDir: '/srv', Env: ['A', 'B='], Hostname: 'box.local', StopSignal: 'SIGTERM' },
    { NanoCpus: 2e9, CpusetCpus: '0,1', CpusetMems: '0', BlkioWeight: 10, OomScoreAdj: -1000, MemorySwappiness: 0 },
    host,
    {},
  )
})

test('validateUpdate() accepts a swap limit alone, because memory may be limited already', () => {
  validateUpdate({ MemorySwap: 64 * 1024 * 1024 }, host)
  assert.throws(() => validateUpdate({ CpuPeriod: 1 }, host), /cfs period/)
})
