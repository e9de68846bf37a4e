import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLogOptions } from './log-options.ts'

test('parseLogOptions() reads sizes and counts', () => {
  assert.equal(parseLogOptions({ Type: 'json-file', Config: {} }), undefined)
  assert.deepEqual(parseLogOptions({ Type: 'json-file', Config: { 'max-size': '10k' } }), {
    maxSizeBytes: 10_240,
    maxFiles: 1,
  })
  assert.deepEqual(parseLogOptions({ Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '3' } }), {
    maxSizeBytes: 1_048_576,
    maxFiles: 3,
  })
  assert.deepEqual(parseLogOptions({ Type: 'local', Config: {} }), { maxSizeBytes: 20 * 1024 ** 2, maxFiles: 5 })
})

test('parseLogOptions() names what is unknown, wrong or not there yet', () => {
  const config = (Config: Record<string, string>) => ({ Type: 'json-file', Config })
  assert.throws(() => parseLogOptions(config({ 'max-sise': '1m' })), /unknown log opt 'max-sise' for json-file/)
  assert.equal(parseLogOptions(config({ 'max-file': '3' })), undefined)
  assert.throws(() => parseLogOptions(config({ 'max-size': 'big' })), /invalid size: 'big'/)
  assert.throws(() => parseLogOptions(config({ 'max-size': '1m', 'max-file': '0' })), /max-file cannot be less than 1/)
  assert.throws(() => parseLogOptions(config({ tag: 'x' })), /log option tag is not implemented/)
})
