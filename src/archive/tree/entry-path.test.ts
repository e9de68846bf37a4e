import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeEntry, placePath } from './entry-path.ts'
import { parseWhiteout } from './whiteout.ts'

test('placeEntry() normalizes paths', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['a', '', 'a'],
    ['a/', '', 'a'],
    ['a/b', 'a', 'b'],
    ['./a//b/./c/', 'a/b', 'c'],
    ['/a/b', 'a', 'b'],
    ['a/../b', '', 'b'],
    ['a/b/..', '', 'a'],
    ['.', '', ''],
    ['./', '', ''],
    ['/', '', ''],
    ['..a/b..', '..a', 'b..'],
    ['.hidden/.x', '.hidden', '.x'],
  ]
  for (const [path, parent, name] of cases) assert.deepEqual(placeEntry(path), { parent, name }, path)
  assert.equal(placePath(placeEntry('/a//b/')), 'a/b')
})

test('placeEntry() refuses paths that leave the root, have a NUL, or are too long', () => {
  for (const path of ['..', '../a', 'a/../..', '/..', 'a/./../../b']) assert.throws(() => placeEntry(path), /leaves/)
  assert.throws(() => placeEntry('a\0b'), /NUL/)
  assert.throws(() => placeEntry('a/'.repeat(3000)), /too long/)
})

test('parseWhiteout() distinguishes marks from ordinary names', () => {
  assert.deepEqual(parseWhiteout('.wh.a'), { kind: 'removed', name: 'a' })
  assert.deepEqual(parseWhiteout('.wh..wh..opq'), { kind: 'opaque' })
  for (const name of ['.wh.', '.wh..', '.wh...', '.wh..wh.plnk']) assert.equal(parseWhiteout(name)?.kind, 'metadata')
  for (const name of ['a', '.wh', '.whx', 'a.wh.b']) assert.equal(parseWhiteout(name), undefined)
})
