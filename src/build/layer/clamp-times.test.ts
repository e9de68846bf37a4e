import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { clampTimes } from './clamp-times.ts'

test('clampTimes() lowers later modification times, and does not block the event loop', async (t) => {
  const root = mkdtempSync('/tmp/b-ct-')
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'd'))
  for (let at = 0; at < 2000; at++) writeFileSync(join(root, 'd', `f${at}`), '')
  symlinkSync('nowhere', join(root, 'link'))
  utimesSync(join(root, 'd', 'f0'), 1000, 1000)
  assert.notEqual(await turnsDuring(() => clampTimes(root, 5_000_000_000_000n)), 0)
  assert.equal(lstatSync(join(root, 'd', 'f0')).mtimeMs, 1_000_000)
  for (const path of [root, ...readdirSync(root).map((name) => join(root, name)), join(root, 'd', 'f1999')]) {
    assert.equal(lstatSync(path).mtimeMs, 5_000_000, path)
  }
})
