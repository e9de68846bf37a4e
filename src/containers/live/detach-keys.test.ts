import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DetachDetector, parseDetachKeys } from './detach-keys.ts'

test('parseDetachKeys() knows letters, control keys and the default', () => {
  assert.deepEqual([...parseDetachKeys(undefined)], [16, 17])
  assert.deepEqual([...parseDetachKeys('ctrl-a,x,ctrl-]')], [1, 120, 29])
  assert.throws(() => parseDetachKeys('ctrl-1'), /Invalid detach keys/)
  assert.throws(() => parseDetachKeys('home'), /Invalid detach keys \(home\)/)
})

test('DetachDetector finds the sequence across chunks and passes everything else', () => {
  const detector = new DetachDetector(parseDetachKeys('ctrl-p,ctrl-q'))
  assert.deepEqual(detector.push(Buffer.from('ls\n')), { pass: Buffer.from('ls\n'), detached: false })
  assert.deepEqual(detector.push(Buffer.from('a\x10')), { pass: Buffer.from('a'), detached: false })
  assert.deepEqual(detector.push(Buffer.from('b')), { pass: Buffer.from('\x10b'), detached: false })
  assert.deepEqual(detector.push(Buffer.from('\x10\x10')), { pass: Buffer.from('\x10'), detached: false })
  assert.deepEqual(detector.push(Buffer.from('\x11rest')), { pass: Buffer.from(''), detached: true })
})
