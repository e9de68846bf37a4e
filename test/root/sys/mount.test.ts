import assert from 'node:assert/strict'
import { constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  bindMount,
  chownAt,
  closeFd,
  getXattr,
  listMounts,
  mknodAt,
  mount,
  openFd,
  setXattr,
  statAt,
  unmount,
} from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

function withDirectory(action: (directory: string) => void): void {
  const directory = mkdtempSync('/tmp/sysm-')
  try {
    action(directory)
  } finally {
    for (const { mountPoint } of listMounts(directory).reverse()) unmount(mountPoint, { lazy: true })
    rmSync(directory, { recursive: true })
  }
}

function makeDirectories(parent: string, names: readonly string[]): string[] {
  return names.map((name) => {
    mkdirSync(join(parent, name), { recursive: true })
    return join(parent, name)
  })
}

test('mount: tmpfs with flags and data; unmount twice', { skip }, () =>
  withDirectory((directory) => {
    mount({ type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'nosuid', 'ro'] }, directory)
    const [found] = listMounts(directory)
    assert.deepEqual(found?.options.slice(0, 2), ['ro', 'nosuid'])
    assert.ok(found?.superOptions.includes('size=1024k'))
    unmount(directory)
    unmount(directory)
    unmount(join(directory, 'none'))
    assert.deepEqual(listMounts(directory), [])
  }),
)

test('mount: overlay of 127 layers with relative names', { skip }, () =>
  withDirectory((directory) => {
    const layers = Array.from({ length: 127 }, (_, index) => `${100_000 + index}/fs`)
    for (const [index, layer] of layers.entries()) {
      makeDirectories(directory, [layer])
      writeFileSync(join(directory, layer, 'which'), String(index))
      writeFileSync(join(directory, layer, `only-${index}`), '')
    }
    const [upper = '', , merged = ''] = makeDirectories(directory, ['u', 'w', 'm'])
    const options = [`lowerdir=${layers.join(':')}`, 'upperdir=u', 'workdir=w']
    const before = process.cwd()
    mount({ type: 'overlay', source: 'overlay', options, cwd: directory }, merged)
    assert.equal(process.cwd(), before)
    assert.equal(readFileSync(join(merged, 'which'), 'utf8'), '0')
    assert.equal(readFileSync(join(merged, 'only-126'), 'utf8'), '')
    writeFileSync(join(merged, 'new'), 'written')
    assert.equal(readFileSync(join(upper, 'new'), 'utf8'), 'written')
    unmount(merged)
  }),
)

test('mount: options longer than a page, and a missing target', { skip }, () =>
  withDirectory((directory) => {
    const tooLong = { type: 'overlay', source: 'overlay', options: [`lowerdir=${'x'.repeat(4096)}`] }
    assert.throws(() => mount(tooLong, directory), { code: 'E2BIG' })
    const gone = join(directory, 'none')
    assert.throws(() => mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, gone), { code: 'ENOENT', path: gone })
  }),
)

test('bindMount: read-only, of directories and files, undone when a later step fails', { skip }, () =>
  withDirectory((directory) => {
    const [source = '', target = ''] = makeDirectories(directory, ['source', 'target'])
    writeFileSync(join(source, 'file'), 'text')
    bindMount(source, target, { readOnly: true, recursive: true })
    assert.throws(() => writeFileSync(join(target, 'file'), ''), { code: 'EROFS' })
    writeFileSync(join(source, 'file'), 'changed')
    assert.equal(readFileSync(join(target, 'file'), 'utf8'), 'changed')
    unmount(target)
    writeFileSync(join(directory, 'empty'), '')
    bindMount(join(source, 'file'), join(directory, 'empty'))
    assert.equal(readFileSync(join(directory, 'empty'), 'utf8'), 'changed')
    unmount(join(directory, 'empty'))
    assert.deepEqual(listMounts(directory), [])
  }),
)

test('mknodAt, chownAt, security.capability: operations that only root may do', { skip }, () =>
  withDirectory((directory) => {
    const fd = openFd(directory, constants.O_DIRECTORY)
    mknodAt(fd, 'null', 0o020666, 1, 3)
    mknodAt(fd, 'whiteout', 0o020000, 0, 0)
    mknodAt(fd, 'large', 0o060600, 259, 300_000)
    chownAt(fd, 'null', 12, 4_000_000_000)
    const status = statAt(fd, 'null')
    assert.deepEqual([status?.deviceMajor, status?.deviceMinor, status?.uid, status?.gid], [1, 3, 12, 4_000_000_000])
    assert.deepEqual([statAt(fd, 'large')?.deviceMajor, statAt(fd, 'large')?.deviceMinor], [259, 300_000])
    closeFd(fd)
    writeFileSync(join(directory, 'ping'), '')
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(join(directory, 'ping'), 'security.capability', capability)
    assert.deepEqual(getXattr(join(directory, 'ping'), 'security.capability'), capability)
  }),
)
