import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildPruneOptions } from '../../contract/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { CacheRecord } from './cache-record.ts'
import { prunable, type RecordUse } from './prune.ts'

const digest = `sha256:${'1'.repeat(64)}` as Digest

function record(key: string, lastUsedMs: number, more: Partial<CacheRecord> = {}): CacheRecord {
  const blob = { mediaType: '', digest, size: 0 }
  const fixed = {
    version: 1,
    slot: key,
    type: 'regular',
    description: `RUN ${key}`,
    blob,
    createdMs: 0,
    uses: 1,
  } as const
  return { ...fixed, key, diffId: digest, chainId: digest, sizeBytes: 100, lastUsedMs, ...more }
}

const now = Date.now()
const records = [record('c', now - 1_000), record('a', now - 3_000_000), record('b', now - 2_000_000)]

function pruned(
  options: Partial<BuildPruneOptions>,
  uses: Readonly<Record<string, Partial<RecordUse>>> = {},
  free = 0,
) {
  const useOf = ({ key, sizeBytes }: CacheRecord) => ({ inUse: false, shared: false, sizeBytes, ...uses[key] })
  return prunable(records, useOf, { all: false, filters: {}, ...options }, free).map(({ key }) => key)
}

test('prunable without limits selects everything, the oldest first', () => {
  assert.deepEqual(pruned({}), ['a', 'b', 'c'])
})

test('prunable keeps records in use, and those of images unless all is set', () => {
  const uses = { a: { inUse: true }, b: { shared: true } }
  assert.deepEqual(pruned({}, uses), ['c'])
  assert.deepEqual(pruned({ all: true }, uses), ['b', 'c'])
})

test('prunable stops once the limits are met', () => {
  assert.deepEqual(pruned({ reservedBytes: 100 }), ['a', 'b'])
  assert.deepEqual(pruned({ reservedBytes: 300 }), [])
  assert.deepEqual(pruned({ reservedBytes: 50, maxUsedBytes: 200 }), ['a'])
  assert.deepEqual(pruned({ minFreeBytes: 150 }), ['a', 'b'])
  assert.deepEqual(pruned({ minFreeBytes: 150 }, {}, 1_000), [])
})

test('prunable applies filters', () => {
  assert.deepEqual(pruned({ filters: { until: ['20m'] } }), ['a', 'b'])
  assert.deepEqual(pruned({ filters: { id: ['b'] } }), ['b'])
  assert.deepEqual(pruned({ filters: { type: ['source.local'] } }), [])
  assert.deepEqual(pruned({ filters: { description: ['RUN c'] } }), ['c'])
  assert.throws(() => pruned({ filters: { no: ['x'] } }), /invalid filter 'no'/)
})
