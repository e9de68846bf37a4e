import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builderConfig } from './builder-config.ts'

test('builderConfig() without settings gives shares of the disk', () => {
  const { gc } = builderConfig(undefined)
  assert.equal(gc.enabled, true)
  assert.deepEqual(gc.rules[0]?.reservedSpace, { share: 0.1 })
})

test("builderConfig() reads dockerd's keys", () => {
  const { gc } = builderConfig({
    gc: {
      enabled: true,
      policy: [
        { keepStorage: '10GB', filter: ['unused-for=2200h', 'type==regular'] },
        { all: true, maxUsedSpace: '20%' },
      ],
    },
  })
  assert.deepEqual(gc.rules[0]?.reservedSpace, { bytes: 10 * 1024 ** 3 })
  assert.deepEqual(gc.rules[0]?.filters, { until: ['2200h'], type: ['regular'] })
  assert.deepEqual([gc.rules[1]?.all, gc.rules[1]?.maxUsedSpace], [true, { share: 0.2 }])
  assert.deepEqual(builderConfig({ gc: { defaultKeepStorage: '1GB' } }).gc.rules[0]?.maxUsedSpace, { bytes: 1024 ** 3 })
  assert.equal(builderConfig({ gc: { enabled: false } }).gc.enabled, false)
})

test('builderConfig() names the wrong setting', () => {
  assert.throws(() => builderConfig({ gcc: {} }), /builder: unknown key "gcc"/)
  assert.throws(() => builderConfig({ gc: { policy: [{ keep: '1' }] } }), /builder.gc.policy\[0\]: unknown key "keep"/)
  assert.throws(() => builderConfig({ gc: { enabled: 'yes' } }), /builder.gc.enabled/)
  assert.throws(() => builderConfig({ gc: { defaultKeepStorage: 'much' } }), /defaultReservedSpace/)
})
