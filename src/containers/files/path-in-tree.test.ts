import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { absolutePath, resolveIn, statIn } from './path-in-tree.ts'

async function inTree(work: (rootFd: number, root: string) => void): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'bt-path-'))
  const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    mkdirSync(join(root, 'dir'))
    writeFileSync(join(root, 'dir', 'file'), 'text', { mode: 0o640 })
    symlinkSync('/dir', join(root, 'link'))
    symlinkSync('../../../dir/file', join(root, 'dir', 'up'))
    symlinkSync('loop', join(root, 'loop'))
    work(rootFd, root)
  } finally {
    closeSync(rootFd)
    rmSync(root, { recursive: true })
  }
}

test('absolutePath() starts at the root, and keeps a trailing slash or dot', () => {
  const cases = { '': '/', '/': '/', 'a/../b': '/b', '../a': '/a', 'a/': '/a/', '/a/.': '/a/.', '.': '/.' }
  for (const [path, expected] of Object.entries(cases)) assert.equal(absolutePath(path), expected)
})

test('statIn() describes a symlink itself, or its target if the path asks for a directory', () =>
  inTree((rootFd, root) => {
    utimesSync(join(root, 'dir', 'file'), 1, 1.5)
    const file = statIn(rootFd, '/dir/file')
    assert.deepEqual(file, {
      value: { name: 'file', size: 4, mode: 0o640, mtime: '1970-01-01T00:00:01.5Z', linkTarget: '' },
      isDirectory: false,
    })
    const link = statIn(rootFd, '/link')
    assert.equal(link.value.linkTarget, '/dir')
    assert.equal(link.value.mode >>> 27, 1)
    assert.equal(statIn(rootFd, '/link/').isDirectory, true)
    assert.equal(statIn(rootFd, '/').value.name, '/')
    assert.throws(() => statIn(rootFd, '/dir/none'), /ENOENT|No such file/i)
  }))

test('resolveIn() follows symlinks without leaving the root, and stops at a loop', () =>
  inTree((rootFd) => {
    assert.equal(resolveIn(rootFd, '/link/up'), '/dir/file')
    assert.equal(resolveIn(rootFd, '/link/none/x'), '/dir/none/x')
    assert.equal(resolveIn(rootFd, '/../..'), '/')
    assert.equal(resolveIn(rootFd, '/loop'), '/loop')
  }))
