import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../../test/helpers/wait.ts'
import { fileSystemName, hostInfo, kernelFeatures, parseOsRelease } from '../host.ts'
import { closeFd, openFd } from '../native/fd.ts'
import { runCommand } from '../processes/run-command.ts'
import { watchDirectory } from '../watch/watch-directory.ts'
import { mkdirAt, openAt, openInRoot, readlinkAt, statAt, symlinkAt, truncateFd, unlinkAt, utimesAt } from './at.ts'
import { acquireLock } from './flock.ts'
import { getXattr, listXattrs, setXattr } from './xattr.ts'

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY

async function withDirectory(action: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync('/tmp/sysf-')
  try {
    await action(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('openInRoot: no path leads outside', () =>
  withDirectory((directory) => {
    const root = join(directory, 'root')
    mkdirSync(join(root, 'etc'), { recursive: true })
    writeFileSync(join(root, 'etc/passwd'), 'inside')
    writeFileSync(join(directory, 'outside'), 'outside')
    symlinkSync('/etc/passwd', join(root, 'absolute'))
    symlinkSync('../../../../etc/passwd', join(root, 'climbing'))
    symlinkSync('/', join(root, 'etc/up'))
    const fd = openFd(root, directoryFlags)
    for (const path of ['etc/passwd', '/etc/passwd', 'absolute', 'climbing', '../../etc/passwd', 'etc/up/etc/passwd']) {
      const file = openInRoot(fd, path, constants.O_RDONLY)
      assert.equal(readFileSync(file, 'utf8'), 'inside', path)
      closeSync(file)
    }
    assert.throws(() => openInRoot(fd, '../outside', 0), { code: 'ENOENT' })
    symlinkSync('/proc/self/root/etc/passwd', join(root, 'magic'))
    assert.throws(() => openInRoot(fd, 'magic', 0), { code: 'ENOENT' })
    closeFd(fd)
  }))

test('openAt and the other *At calls work on names in one directory', () =>
  withDirectory((directory) => {
    const fd = openFd(directory, directoryFlags)
    mkdirAt(fd, 'd', 0o755)
    symlinkAt('/etc', fd, 'link')
    assert.throws(() => openAt(fd, 'link', directoryFlags), { code: 'ENOTDIR' })
    assert.equal(readlinkAt(fd, 'link').toString(), '/etc')
    assert.throws(() => mkdirAt(fd, 'd', 0o755), { code: 'EEXIST' })
    const file = openAt(fd, 'file', constants.O_WRONLY | constants.O_CREAT, 0o640)
    truncateFd(file, 5_000_000_000)
    utimesAt(file, null, undefined, -1_500_000_001n)
    utimesAt(fd, 'link', 1n, 2n)
    closeFd(file)
    const status = statAt(fd, 'file')
    assert.equal(status?.sizeBytes, 5_000_000_000)
    assert.equal(status.mtimeNs, -1_500_000_001n)
    assert.equal(status.mode & 0o7777, 0o640)
    assert.equal(statAt(fd, 'link')?.mtimeNs, 2n)
    unlinkAt(fd, 'file')
    assert.equal(statAt(fd, 'file'), undefined)
    unlinkAt(fd, 'd', { directory: true })
    assert.throws(() => unlinkAt(fd, 'gone'), { code: 'ENOENT' })
    closeFd(fd)
  }))

test('setXattr: by path and by descriptor, short and long', () =>
  withDirectory((directory) => {
    const path = join(directory, 'f')
    const fd = openFd(path, constants.O_RDWR | constants.O_CREAT)
    setXattr(path, 'user.short', Buffer.from([0, 1, 2]))
    setXattr(fd, 'user.long', Buffer.alloc(3000, 7))
    assert.deepEqual(getXattr(fd, 'user.short'), Buffer.from([0, 1, 2]))
    assert.deepEqual(getXattr(path, 'user.long'), Buffer.alloc(3000, 7))
    assert.deepEqual(listXattrs(path).sort(), ['user.long', 'user.short'])
    assert.equal(getXattr(fd, 'user.none'), undefined)
    assert.throws(() => getXattr(`${path}x`, 'user.a'), { code: 'ENOENT' })
    closeFd(fd)
  }))

test('acquireLock: one holder, whose pid the others learn', () =>
  withDirectory(async (directory) => {
    const path = join(directory, 'lock')
    const lock = acquireLock(path)
    assert.throws(() => acquireLock(path), { kind: 'conflict', message: `${path} is locked by process ${process.pid}` })
    lock.release()
    lock.release()
    acquireLock(path).release()
    // A holder that dies without releasing leaves no lock behind.
    const module = JSON.stringify(new URL('./flock.ts', import.meta.url).pathname)
    const script = `import { acquireLock } from ${module}; acquireLock(${JSON.stringify(path)}); process.kill(process.pid, 9)`
    assert.equal((await runCommand(process.execPath, ['--input-type=module', '-e', script])).code, 137)
    acquireLock(path).release()
  }))

test('watchDirectory: reports complete and moved files, and the end of the directory', () =>
  withDirectory(async (directory) => {
    const watched = join(directory, 'exits')
    mkdirSync(watched)
    const seen: string[] = []
    const watch = watchDirectory(watched, { onFile: (name) => seen.push(name), onLost: () => seen.push('lost') })
    for (let index = 0; index < 200; index++) writeFileSync(join(watched, `file-${index}`), 'x')
    writeFileSync(join(directory, 'other'), '')
    renameSync(join(directory, 'other'), join(watched, 'moved'))
    await until(() => seen.length > 200, { what: () => `201 files, ${seen.length} seen` })
    assert.deepEqual(seen, [...Array.from({ length: 200 }, (_, index) => `file-${index}`), 'moved'])
    rmSync(watched, { recursive: true })
    await until(() => seen.at(-1) === 'lost', { what: 'the end of the directory' })
    watch.close()
    watch.close()
    assert.throws(() => watchDirectory(join(directory, 'none'), { onFile() {} }), { code: 'ENOENT' })
  }))

test('hostInfo: facts of this host', () => {
  const info = hostInfo()
  assert.match(info.kernelVersion, /^\d+\.\d+/)
  assert.ok(info.cpus >= 1 && info.memoryBytes > 1e8)
  assert.equal(typeof kernelFeatures().overlayfs, 'boolean')
  assert.notEqual(fileSystemName('/proc'), '')
  assert.deepEqual(parseOsRelease('NAME="A \\"B\\""\nVERSION_ID=12\n# x\nID=\'d\'\n'), {
    NAME: 'A "B"',
    VERSION_ID: '12',
    ID: 'd',
  })
})
