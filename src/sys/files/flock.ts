/** A lock file that the kernel releases by itself when the process dies. */

import { constants, ftruncateSync, readFileSync, writeSync } from 'node:fs'
import { conflict } from '../../base/index.ts'
import { closeFd, openFd } from '../native/fd.ts'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

const flockCall = rawSyscall('int flock(int fd, int operation)')
const lockExclusive = 2
const lockNonBlocking = 4

export interface Lock {
  /** Idempotent. The file stays: removing it would let two holders lock two files of one name. */
  release(): void
}

/** Locks an open file for its descriptor and those duplicated from it (flock(2)); false when another one holds the
 *  lock. Closing the descriptor releases it. Costs nothing but the call: the file isn't touched. */
export function tryLockFile(fd: number): boolean {
  const result = flockCall(fd, lockExclusive | lockNonBlocking)
  if (result < 0 && result !== -errno.EWOULDBLOCK) throw systemError(result, 'flock')
  return result >= 0
}

/** Takes the lock or throws a conflict at once that names the holder's pid. The file holds our pid meanwhile. */
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
