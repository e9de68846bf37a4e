import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figuresOfV2 } from './stats-figures.ts'

const host = { cpuNs: 5_000_000_000, processors: 4, memoryBytes: 8 * 1024 ** 3 }

const files: Readonly<Record<string, string>> = {
  'cpu.stat':
    'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 2\nthrottled_usec 30\nnr_bursts 0\n',
  'memory.current': '4096\n',
  'memory.max': '1048576\n',
  'memory.stat': 'anon 100\ninactive_file 200\n',
  'memory.events': 'low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n',
  'pids.current': '3\n',
  'pids.max': 'max\n',
  'io.stat': '8:0 rbytes=4096 wbytes=512 rios=1 wios=1 dbytes=0 dios=0\n253:1 \n',
  'net/dev':
    'Inter-|   Receive |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 0 1 0 0 0 0 20 3 4 5 0 0 0 0\n',
}

test('figuresOfV2 reads the files of cgroup v2', () => {
  const figures = figuresOfV2((name) => files[name], host)
  assert.deepEqual(figures.cpu_stats, {
    cpu_usage: { total_usage: 1_500_000, usage_in_kernelmode: 500_000, usage_in_usermode: 1_000_000 },
    system_cpu_usage: host.cpuNs,
    online_cpus: 4,
    throttling_data: { periods: 7, throttled_periods: 2, throttled_time: 30_000 },
  })
  assert.deepEqual(figures.memory_stats, {
    usage: 4096,
    stats: { anon: 100, inactive_file: 200 },
    failcnt: 2,
    limit: 1_048_576,
  })
  assert.deepEqual(figures.pids_stats, { current: 3 })
  assert.deepEqual(figures.blkio_stats.io_service_bytes_recursive?.slice(0, 2), [
    { major: 8, minor: 0, op: 'read', value: 4096 },
    { major: 8, minor: 0, op: 'write', value: 512 },
  ])
  assert.equal(figures.networks?.eth0?.rx_bytes, 10)
  assert.equal(figures.networks?.eth0?.tx_dropped, 5)
  assert.equal(figures.networks?.lo, undefined)
})

test('figuresOfV2 gives the memory of the host without a limit, and zeros without files', () => {
  const { memory_stats: memory } = figuresOfV2((name) => (name === 'memory.max' ? 'max\n' : undefined), host)
  assert.deepEqual([memory.limit, memory.usage], [host.memoryBytes, 0])
})
