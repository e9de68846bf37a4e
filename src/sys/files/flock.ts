/** File locks that the kernel releases when the process dies. */
import { constants, ftruncateSync, readFileSync, writeSync } from 'node:fs'
import { conflict } from '../../base/index.ts'
import { closeFd, openFd } from '../native/fd.ts'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

const flockCall = rawSyscall('int flock(int fd, int operation)')
const lockExclusive = 2
const lockNonBlocking = 4

/** A lock that is held. */
export interface Lock {
  /** Releases the lock. Idempotent. The file stays: if it were removed, two processes could lock two files of the same
   *  name. */
  release(): void
}

/** Locks an open file for this descriptor and its duplicates (flock(2)). Returns false when another descriptor holds
 *  the lock. Closing the descriptor releases the lock. The file's content is not used. */
export function tryLockFile(fd: number): boolean {
  const result = flockCall(fd, lockExclusive | lockNonBlocking)
  if (result < 0 && result !== -errno.EWOULDBLOCK) throw systemError(result, 'flock')
  return result >= 0
}

/** Locks the file at `path`, which is created if it is missing, and writes this process's pid to it. Throws `conflict`
 *  without waiting when another process holds the lock; the error names that process. */
export function acquireLock(path: string): Lock {
  const fd = openFd(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  let isLocked = false
  try {
    isLocked = tryLockFile(fd)
  } finally {
    if (!isLocked) closeFd(fd)
  }
  if (!isLocked) {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    const holder = Number.isNaN(pid) ? 'another process' : `process ${pid}`
    throw conflict(`${path} is locked by ${holder}`, { details: { path, pid } })
  }
  ftruncateSync(fd, 0)
  writeSync(fd, `${process.pid}\n`, 0)
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      closeFd(fd)
    },
  }
}
