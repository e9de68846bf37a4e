import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { BuildContextFile, BuildWalkPattern } from '../../../api/index.ts'
import { IgnoreMatcher } from '../../../build/dockerfile/index.ts'
import { packContents } from './context-contents.ts'
import { walkContext } from './context-walk.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'b-walk-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function put(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), path)
  }
}

function listed(roots: readonly string[], ...ignore: readonly string[]): string[] {
  return walk(roots, ignore).map(({ p, t }) => (t === 'd' ? `${p}/` : p))
}

function walk(
  roots: readonly string[],
  ignore: readonly string[] = [],
  patterns: readonly BuildWalkPattern[] = [],
): BuildContextFile[] {
  const lines = walkContext(directory, { roots, patterns, ignore: new IgnoreMatcher(ignore) })
  return [...lines].map((line) => JSON.parse(line) as BuildContextFile)
}

test("walkContext() lists parents before their contents, in order of the names' bytes", () => {
  put('b/x', 'a.txt', 'b.c', 'B/y', 'b/sub/z')
  assert.deepEqual(listed(['.']), ['B/', 'B/y', 'a.txt', 'b/', 'b/sub/', 'b/sub/z', 'b/x', 'b.c'])
})

test('walkContext() lists only the wanted paths', () => {
  put('src/a', 'src/deep/b', 'docs/c', 'other/d')
  assert.deepEqual(listed(['src/deep', './docs/c', 'missing/x']), [
    'docs/',
    'docs/c',
    'src/',
    'src/deep/',
    'src/deep/b',
  ])
  assert.deepEqual(listed(['src/deep/b', 'src']), ['src/', 'src/a', 'src/deep/', 'src/deep/b'])
  assert.deepEqual(listed([]), [])
})

test('walkContext() lists what patterns match and everything below, and the directories on the way', () => {
  put('package.json', 'a/package.json', 'a/deep/package.json', 'a/deep/other', 'b.json/x', 'huge/1', 'huge/2')
  const matched = (directory: string, pattern: string, { doubleStar = false, roots = [] as string[] } = {}) =>
    walk(roots, [], [{ directory, pattern, doubleStar }]).map(({ p, t }) => (t === 'd' ? `${p}/` : p))
  assert.deepEqual(matched('.', '*.json'), ['b.json/', 'b.json/x', 'package.json'])
  assert.deepEqual(matched('.', '*/package.json'), ['a/', 'a/package.json', 'b.json/', 'huge/'])
  assert.deepEqual(matched('a', 'd*/o*', { roots: ['huge/2'] }), ['a/', 'a/deep/', 'a/deep/other', 'huge/', 'huge/2'])
  assert.deepEqual(matched('a', '**/package.json', { doubleStar: true }), [
    'a/',
    'a/deep/',
    'a/deep/package.json',
    'a/package.json',
  ])
  assert.deepEqual(matched('.', 'h*', { roots: ['huge/2', 'a/deep'] }), [
    'a/',
    'a/deep/',
    'a/deep/other',
    'a/deep/package.json',
    'huge/',
    'huge/1',
    'huge/2',
  ])
  assert.deepEqual(matched('missing', '*'), [])
})

test('walkContext() leaves ignored files out, but not the directories above an exception', () => {
  put('node_modules/a/x', 'node_modules/keep/y', 'src/a', 'logs/1.log', 'Dockerfile')
  const rules = ['node_modules', '!node_modules/keep', '**/*.log', 'Dockerfile']
  assert.deepEqual(listed(['.'], ...rules), [
    'logs/',
    'node_modules/',
    'node_modules/keep/',
    'node_modules/keep/y',
    'src/',
    'src/a',
  ])
})

test('walkContext() does not follow symlinks, and finds hard links', () => {
  put('real/file')
  symlinkSync('real', join(directory, 'link'))
  linkSync(join(directory, 'real/file'), join(directory, 'real/same'))
  const files = walk(['link/file', 'real'])
  assert.deepEqual(
    files.map(({ p, t, l, n }) => [p, t, l ?? n]),
    [
      ['link', 'l', 'real'],
      ['real', 'd', undefined],
      ['real/file', 'f', undefined],
      ['real/same', 'f', 'real/file'],
    ],
  )
})

test('walkContext() keeps names that are not UTF-8', () => {
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]), 'x')
  assert.deepEqual(listed(['.']), ['caf\udce9'])
  assert.deepEqual(JSON.parse(JSON.stringify(listed(['.']))), ['caf\udce9'])
  assert.equal(Buffer.concat([...packContents(directory, ['caf\udce9'])]).toString('latin1'), '\0\0\0\0\0\0\0\x01x')
})

test("packContents() gives sizes and bytes, and reports files that can't be read", () => {
  put('a', 'empty')
  writeFileSync(join(directory, 'empty'), '')
  writeFileSync(join(directory, 'big'), Buffer.alloc(1_500_000, 7))
  const bytes = Buffer.concat([...packContents(directory, ['a', 'missing', 'empty', 'big'])])
  assert.equal(bytes.readBigUInt64BE(0), 1n)
  assert.equal(bytes.toString('utf8', 8, 9), 'a')
  assert.equal(bytes.readBigUInt64BE(9), 2n ** 64n - 1n)
  const length = bytes.readUInt32BE(17)
  assert.equal(bytes.toString('utf8', 21, 21 + length), 'open missing: no such file or directory')
  const next = 21 + length
  assert.equal(bytes.readBigUInt64BE(next), 0n)
  assert.equal(bytes.readBigUInt64BE(next + 8), 1_500_000n)
  assert.equal(bytes.length, next + 16 + 1_500_000)
})
