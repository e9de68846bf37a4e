/** Room on the disk for a file, taken before it is needed. */
import { fstatSync, writeSync } from 'node:fs'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

const fallocate = rawSyscall('int fallocate(int fd, int mode, int64_t offset, int64_t length)')
const zeros = Buffer.alloc(64 * 1024)

/** Makes a file at least `sizeBytes` long, with blocks for all of it, so that no later write below that size fails with
 *  ENOSPC (except on copy-on-write file systems). The new part reads as zeros. Throws ENOSPC and EDQUOT if there is not
 *  enough room; the file may then be longer than before. fallocate(2) */
export function preallocate(fd: number, sizeBytes: number): void {
  const result = fallocate(fd, 0, 0, sizeBytes)
  if (result === 0) return
  if (result !== -errno.EOPNOTSUPP && result !== -errno.ENOSYS) throw systemError(result, 'fallocate')
  for (let at = fstatSync(fd).size; at < sizeBytes; ) {
    at += writeSync(fd, zeros, 0, Math.min(zeros.length, sizeBytes - at), at)
  }
}
