import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LineWriter } from './line-writer.ts'

test('LineWriter writes every line once, in order, and flush() waits for all', async () => {
  const directory = mkdtempSync('/tmp/b-lw-')
  const path = join(directory, 'log')
  const fd = openSync(path, 'a')
  try {
    const writer = new LineWriter(fd)
    await writer.flush()
    const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ü\n`)
    for (const [index, line] of lines.entries()) {
      writer.write(line)
      if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await writer.flush()
    assert.equal(readFileSync(path, 'utf8'), lines.join(''))
    writer.write('last\n')
    await writer.flush()
    assert.ok(readFileSync(path, 'utf8').endsWith('last\n'))
  } finally {
    closeSync(fd)
    rmSync(directory, { recursive: true })
  }
})

test('LineWriter continues when a write fails', async () => {
  const fd = openSync('/dev/full', 'w')
  try {
    const writer = new LineWriter(fd)
    writer.write('lost\n')
    await writer.flush()
  } finally {
    closeSync(fd)
  }
})
