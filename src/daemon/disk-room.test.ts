import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lackOf } from './disk-room.ts'

const much = 1024 ** 3

test('lackOf() tells bytes from inodes, and says what to do', () => {
  assert.equal(lackOf({ bytes: much, inodes: 100_000 }), undefined)
  assert.match(lackOf({ bytes: 4096, inodes: 100_000 }) ?? '', /is full \(4 kB free\): remove containers/)
  assert.match(lackOf({ bytes: much, inodes: 3 }) ?? '', /no room for more files \(3 inodes free\): remove containers/)
})

test('lackOf() takes a file system without a number of inodes for one that has enough', () => {
  assert.equal(lackOf({ bytes: much, inodes: undefined }), undefined)
})
