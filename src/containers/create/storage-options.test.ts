import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layerSizeOf } from './storage-options.ts'

test("layerSizeOf() gives the container's size, or else the daemon's", () => {
  assert.equal(layerSizeOf({}, { layerSizeBytes: undefined }), undefined)
  assert.equal(layerSizeOf({}, { layerSizeBytes: 5 }), 5)
  assert.equal(layerSizeOf({ StorageOpt: { Size: '1G' } }, { layerSizeBytes: 5 }), 1024 ** 3)
})

test('layerSizeOf() refuses other options and texts that are not sizes', () => {
  const none = { layerSizeBytes: undefined }
  assert.throws(() => layerSizeOf({ StorageOpt: { inodes: '1' } }, none), /Unknown option inodes/)
  assert.throws(() => layerSizeOf({ StorageOpt: { size: 'big' } }, none), /invalid size: 'big'/)
})
