import assert from 'node:assert/strict'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { formatTarHeader, tarEnd, tarPadding } from '../tar/tar-writer.ts'
import { removeTree } from './remove-tree.ts'
import { TreeWriter } from './tree-writer.ts'

const mtimeNs = 1_000_000_000_000n

function file(path: string, content: string): Buffer {
  const header = formatTarHeader({ type: 'file', path, mode: 0o644, mtimeNs, sizeBytes: content.length })
  return Buffer.concat([header, Buffer.from(content), tarPadding(content.length)])
}

const directory = (path: string): Buffer => formatTarHeader({ type: 'directory', path, mode: 0o755, mtimeNs })

/** Unpacks entries into a foreign tree. */
async function unpack(root: string, entries: readonly Buffer[], pauses: boolean): Promise<void> {
  const fd = openSync(root, 'r')
  try {
    using writer = new TreeWriter(fd, { destination: '', owner: 'writer', shownAs: '/', pauses })
    const parser = new TarParser(writer)
    parser.push(Buffer.concat(entries))
    await writer.settle()
    parser.end()
    writer.finish()
    await writer.settle()
  } finally {
    closeSync(fd)
  }
}

for (const pauses of [true, false]) {
  test(`TreeWriter replaces directories by what the archive has${pauses ? ', with pauses for other work' : ''}`, async (t) => {
    const root = mkdtempSync('/tmp/b-tw-')
    t.after(() => rmSync(root, { recursive: true }))
    for (const name of ['large', 'other']) {
      mkdirSync(join(root, name, 'sub'), { recursive: true })
      for (let at = 0; at < 2000; at++) writeFileSync(join(root, name, at % 2 === 0 ? '.' : 'sub', `f${at}`), '')
    }
    const entries = [
      file('large', 'now a file'),
      file('other', 'a file for a moment'),
      directory('other/'),
      file('other/inside', 'kept'),
      file('last', ''),
    ]
    const turns = await turnsDuring(() => unpack(root, [...entries, tarEnd], pauses))
    assert.equal(turns > 0, pauses)
    assert.deepEqual(readdirSync(root).sort(), ['large', 'last', 'other'])
    assert.equal(readFileSync(join(root, 'large'), 'utf8'), 'now a file')
    assert.deepEqual(readdirSync(join(root, 'other')), ['inside'])
    assert.equal(readFileSync(join(root, 'other', 'inside'), 'utf8'), 'kept')
    for (const name of ['large', 'other']) assert.equal(statSync(join(root, name)).mtimeMs, 1_000_000, name)
  })
}

test('TreeWriter pauses for other work while it sets the times of many directories', async (t) => {
  const root = mkdtempSync('/tmp/b-tw-')
  t.after(() => rmSync(root, { recursive: true }))
  const fd = openSync(root, 'r')
  t.after(() => closeSync(fd))
  using writer = new TreeWriter(fd, { destination: '', owner: 'writer', shownAs: '/', pauses: true })
  const parser = new TarParser(writer)
  for (let at = 0; at < 3000; at++) parser.push(directory(`d${at}/`))
  parser.push(tarEnd)
  parser.end()
  writer.finish()
  assert.notEqual(await turnsDuring(() => writer.settle()), 0)
  for (const name of ['d0', 'd2999']) assert.equal(statSync(join(root, name)).mtimeMs, 1_000_000, name)
})

test('removeTree() leaves no descriptor when it is stopped midway', (t) => {
  const root = mkdtempSync('/tmp/b-tw-')
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'd', 'sub'), { recursive: true })
  writeFileSync(join(root, 'd', 'sub', 'file'), '')
  const fd = openSync(root, 'r')
  t.after(() => closeSync(fd))
  const before = readdirSync('/proc/self/fd').length
  const steps = removeTree(fd, 'd', true)
  steps.next()
  assert.equal(readdirSync('/proc/self/fd').length, before + 2)
  steps.return()
  assert.equal(readdirSync('/proc/self/fd').length, before)
  assert.deepEqual(readdirSync(join(root, 'd', 'sub')), [])
})
