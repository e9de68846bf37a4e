import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '../../../oci/index.ts'
import { cacheConfigOf, formatInlineRecords, parseCacheConfig, parseInlineRecords, stepsOf } from './cache-config.ts'
import { parseCacheExport, parseCacheImport } from './cache-option.ts'

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`
const step = (key: string, letter: string) => ({
  key: key.repeat(64),
  diffId: digest(letter),
  blob: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest(letter), size: 5 },
})
const created = '2026-01-02T03:04:05Z'

test("cacheConfigOf writes BuildKit's form, with one entry for what stages share", () => {
  const config = cacheConfigOf(
    [
      [step('1', 'a'), step('2', 'b')],
      [step('1', 'a'), step('3', 'c')],
    ],
    created,
  )
  const annotations = (letter: string) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    diffID: digest(letter),
    size: 5,
    createdAt: created,
  })
  assert.deepEqual(config.layers, [
    { blob: digest('a'), parent: -1, annotations: annotations('a') },
    { blob: digest('b'), annotations: annotations('b') },
    { blob: digest('c'), annotations: annotations('c') },
  ])
  assert.deepEqual(config.records, [
    { digest: digest('1'), layers: [{ layer: 0, createdAt: created }] },
    { digest: digest('2'), layers: [{ layer: 1, createdAt: created }], inputs: [[{ link: 0 }]] },
    { digest: digest('3'), layers: [{ layer: 2, createdAt: created }], inputs: [[{ link: 0 }]] },
  ])
  const read = stepsOf(parseCacheConfig(Buffer.from(JSON.stringify(config))))
  assert.deepEqual(
    [...read.keys()],
    ['1', '2', '3'].map((key) => key.repeat(64)),
  )
  assert.equal(read.get('3'.repeat(64))?.diffId, digest('c'))
})

test('parseCacheConfig skips unknown entries, and refuses text that is not a document', () => {
  const foreign = {
    layers: [{ blob: 'x' }, { blob: digest('a'), parent: -1 }],
    records: [{ digest: digest('1'), layers: [{ layer: 7 }] }, { chains: [] }],
  }
  assert.equal(stepsOf(parseCacheConfig(Buffer.from(JSON.stringify(foreign)))).size, 0)
  assert.throws(() => parseCacheConfig(Buffer.from('x')), /the cache is not JSON/)
  assert.throws(() => parseCacheConfig(Buffer.from('[]')), /not a JSON object/)
})

test('formatInlineRecords counts all layers of the image, including its base', () => {
  const records = parseInlineRecords(
    formatInlineRecords([undefined, 'k'.repeat(64), undefined, 'l'.repeat(64)], created),
  )
  assert.deepEqual(
    records.map(({ digest: key, layers }) => [key, layers?.[0]?.layer]),
    [
      [`sha256:${'k'.repeat(64)}`, 1],
      [`sha256:${'l'.repeat(64)}`, 3],
    ],
  )
})

test('parseCacheExport and parseCacheImport name the option that they refuse', () => {
  assert.equal(parseCacheExport({ type: 'registry', attrs: { ref: 'r.example/c', mode: 'max' } }).mode, 'max')
  assert.throws(() => parseCacheExport({ type: 'registry', attrs: {} }), /ref is required/)
  assert.throws(() => parseCacheExport({ type: 'local', attrs: { mode: 'mid' } }), /invalid mode "mid"/)
  assert.throws(
    () => parseCacheExport({ type: 'local', attrs: { colour: 'red' } }),
    /unknown option "colour" for cache of type local/,
  )
  assert.throws(() => parseCacheImport({ type: 'gha', attrs: {} }), /cache of type gha/)
  assert.throws(() => parseCacheImport({ type: 'tape', attrs: {} }), /unknown cache type "tape"/)
})
