/** Named pipes. */

import { closeSync, constants, writeSync } from 'node:fs'
import { openFd } from './fd.ts'
import { syscall } from './ffi.ts'

const mkfifoCall = syscall('int mkfifo(const char *path, uint32_t mode)')

/** Makes a named pipe; EEXIST when the path is taken. */
export function makeFifo(path: string, mode = 0o600): void {
  mkfifoCall(path, mode)
}

/** Writes one short message to a fifo that another process reads, without waiting: ENXIO when nobody does. */
export function writeFifo(path: string, message: string): void {
  const fd = openFd(path, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    writeSync(fd, message)
  } finally {
    closeSync(fd)
  }
}

/** Opens a fifo for reading and writing, non-blocking: opening never waits and reading never ends, even while no
 *  other process has it open. */
export function openFifo(path: string): number {
  return openFd(path, constants.O_RDWR | constants.O_NONBLOCK)
}
