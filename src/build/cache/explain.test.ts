import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StepInputs } from './cache-record.ts'
import { explainMiss } from './explain.ts'

const before: StepInputs = {
  parent: 'sha256:aaaaaaaaaaaaaaaa',
  instruction: 'COPY',
  values: { destination: '/d', 'env:A': '1' },
  files: { '0/f': 'f 644 0:0 11111111111111 src/f', '0/g': 'f 644 0:0 22 src/g' },
}

function texts(change: Partial<StepInputs>): string[] {
  return explainMiss(before, { ...before, ...change }).map(({ text }) => text)
}

test('explainMiss names the files that changed', () => {
  assert.deepEqual(texts({ files: { ...before.files, '0/f': 'f 644 0:0 33333333333333 src/f' } }), [
    'src/f changed: 111111111111 became 333333333333',
  ])
  assert.deepEqual(texts({ files: { ...before.files, '0/f': 'f 755 0:0 11111111111111 src/f' } }), [
    'src/f: mode or owner changed',
  ])
  assert.deepEqual(texts({ files: { '0/f': before.files['0/f'] ?? '', '0/h': 'f 644 0:0 4 src/h' } }), [
    'src/g is gone',
    'src/h is new',
  ])
})

test('explainMiss names other inputs that changed', () => {
  assert.deepEqual(texts({ parent: 'sha256:bbbbbbbbbbbbbbbb' }), [
    'the step before it has another result: aaaaaaaaaaaa became bbbbbbbbbbbb',
  ])
  assert.deepEqual(texts({ values: { ...before.values, 'env:A': '2' } }), ['variable A changed from "1" to "2"'])
  assert.deepEqual(texts({}), ['its result was removed from the cache'])
  assert.deepEqual(
    explainMiss(undefined, before).map(({ kind }) => kind),
    ['first'],
  )
})
