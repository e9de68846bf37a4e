/** A disk with project quotas, in a file, for tests of size limits. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeFd, errno, openFd, rawSyscall } from '../../../src/sys/index.ts'

const formats = {
  ext4: ['mkfs.ext4', '-q', '-O', 'project,quota', '-E', 'quotatype=prjquota'],
  xfs: ['mkfs.xfs', '-q'],
} as const

export type QuotaFileSystem = keyof typeof formats

/** The smallest size that mkfs.xfs accepts. */
const diskBytes = 320 * 1024 * 1024

const quotactlFd = rawSyscall('int64_t syscall(int64_t number, int fd, uint32_t command, uint32_t id, void *value)')
/** Q_XGETNEXTQUOTA for projects. */
const nextQuota = ((('X'.charCodeAt(0) << 8) | 9) << 8) | 2

export class QuotaDisk implements Disposable {
  /** The mount point. */
  readonly path: string
  readonly #home: string

  private constructor(home: string) {
    this.#home = home
    this.path = join(home, 'm')
  }

  /** Creates and mounts one, or returns a text that says why this machine cannot. */
  static make(kind: QuotaFileSystem): QuotaDisk | string {
    const home = mkdtempSync('/tmp/b-q-')
    const disk = new QuotaDisk(home)
    const file = join(home, 'disk')
    mkdirSync(disk.path)
    writeFileSync(file, '')
    truncateSync(file, diskBytes)
    const [program, ...args] = formats[kind]
    for (const [name = '', ...words] of [
      [program, ...args, file],
      ['mount', '-o', 'loop,prjquota', file, disk.path],
    ]) {
      const { status, stderr, error } = spawnSync(name, words, { encoding: 'utf8' })
      if (status === 0) continue
      rmSync(home, { recursive: true, force: true })
      return `no quotas of projects in ${kind} on this machine: ${(error?.message ?? stderr).trim().split('\n')[0]}`
    }
    return disk
  }

  /** The limits that the file system has, in bytes. */
  limits(): readonly number[] {
    const fd = openFd(this.path, 0)
    const found: number[] = []
    try {
      for (let id = 1; ; ) {
        const record = Buffer.alloc(112)
        const result = quotactlFd(443, fd, nextQuota, id, record)
        if (result === -errno.ENOENT || result === -errno.ESRCH) return found.sort((a, b) => a - b)
        if (result < 0) throw new Error(`Q_XGETNEXTQUOTA: errno ${-result}`)
        const bytes = Number(record.readBigUInt64LE(8)) * 512
        if (bytes > 0) found.push(bytes)
        id = record.readUInt32LE(4) + 1
      }
    } finally {
      closeFd(fd)
    }
  }

  [Symbol.dispose](): void {
    const below = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => path === this.path || path.startsWith(`${this.path}/`))
    for (const path of below.reverse()) spawnSync('umount', [path])
    rmSync(this.#home, { recursive: true, force: true })
  }
}
