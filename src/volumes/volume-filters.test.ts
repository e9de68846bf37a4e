import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VolumeSummary } from './record/volume-record.ts'
import { volumeTest } from './volume-filters.ts'

const volume = { name: 'data', driver: 'local', labels: { team: 'a' }, users: 0 } as unknown as VolumeSummary

test('volumeTest() matches volumes that fit all filters', () => {
  const matching = [
    {},
    { name: ['^da'] },
    { name: ['x', 'data'], driver: ['local'] },
    { dangling: ['true'] },
    { dangling: [] },
    { label: ['team', 'team=a'] },
    { 'label!': ['team=b'] },
  ]
  for (const filters of matching) assert.ok(volumeTest(filters)(volume), JSON.stringify(filters))
  const others = [{ name: ['^ta'] }, { driver: ['nfs'] }, { dangling: ['0'] }, { label: ['x'] }, { 'label!': ['team'] }]
  for (const filters of others) assert.ok(!volumeTest(filters)(volume), JSON.stringify(filters))
})

test('volumeTest() refuses wrong filters before it sees a volume', () => {
  assert.throws(() => volumeTest({ dangling: ['maybe'] }), { message: "invalid filter 'dangling=[maybe]'" })
  assert.throws(() => volumeTest({ color: ['red'] }), { message: "invalid filter 'color'" })
})
