import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasherOf } from '../../model/blob-digest.ts'
import { FileHasher } from './file-hasher.ts'

test('FileHasher hashes a growing file, also after it was closed as idle', () => {
  const directory = mkdtempSync('/tmp/br-fh-')
  try {
    const path = join(directory, 'data')
    const hasher = new FileHasher()
    const target = (sizeBytes: number) => ({ id: 'a', path, algorithm: 'sha256' as const, sizeBytes })
    writeFileSync(path, 'first ')
    hasher.advance(target(6))
    assert.equal(openFiles(path), 1)
    hasher.closeIdle()
    assert.equal(openFiles(path), 1, 'used since the last call')
    hasher.closeIdle()
    assert.equal(openFiles(path), 0)
    appendFileSync(path, 'second')
    assert.equal(hasher.finish(target(12)), hasherOf('sha256').update('first second').digest('hex'))
    // Another algorithm than announced, and a file without a running hash.
    hasher.advance(target(6))
    const sha512 = hasher.finish({ ...target(12), algorithm: 'sha512' })
    assert.equal(sha512, hasherOf('sha512').update('first second').digest('hex'))
    assert.equal(openFiles(path), 0)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('FileHasher fails for a missing file and for one that is too short', () => {
  const hasher = new FileHasher()
  const target = { id: 'a', path: '/tmp/br-no-such-file', algorithm: 'sha256' as const, sizeBytes: 1 }
  hasher.advance(target)
  assert.throws(() => hasher.finish(target), { code: 'ENOENT' })
  const directory = mkdtempSync('/tmp/br-fh-')
  try {
    const path = join(directory, 'data')
    writeFileSync(path, 'x')
    assert.throws(() => hasher.finish({ ...target, path, sizeBytes: 2 }), /shorter/)
    assert.equal(openFiles(path), 0)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

function openFiles(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}
