import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from '../../api/index.ts'
import { validateLimits } from './validate-limits.ts'

const refused: readonly (readonly [HostConfig, RegExp])[] = [
  [{ MemoryReservation: 1024 }, /Minimum memory reservation/],
  [{ CpuRealtimePeriod: 10, CpuRealtimeRuntime: 11 }, /cannot be higher than cpu real-time period/],
  [{ BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 9 }] }, /from 10 to 1000: \/dev\/sda has 9/],
  [{ BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 0 }] }, /invalid rate for device: \/dev\/sda:0/],
  [{ Ulimits: [{ Soft: 1 }] }, /no name/],
  [{ Ulimits: [{ Name: 'many', Soft: 1, Hard: 1 }] }, /invalid ulimit type: many/],
  [{ Ulimits: [{ Name: 'cpu', Soft: 2, Hard: 1 }] }, /2 > 1/],
  [{ Ulimits: [{ Name: 'cpu', Soft: -1, Hard: 1 }] }, /-1 > 1/],
  [{ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: -1 }] }, /fs.nr_open/],
]

test('validateLimits() names the fault', () => {
  for (const [hostConfig, message] of refused) assert.throws(() => validateLimits(hostConfig), message)
})

test('validateLimits() accepts limits that a kernel can enforce', () => {
  validateLimits({})
  validateLimits({ MemoryReservation: 6 * 1024 * 1024, CpuRealtimePeriod: 10, CpuRealtimeRuntime: 10 })
  validateLimits({
    BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 1000 }],
    Ulimits: [{ Name: 'core', Soft: 0, Hard: -1 }],
  })
})
