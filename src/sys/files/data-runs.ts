import { errno, rawSyscall, systemError } from '../native/ffi.ts'

const lseek = rawSyscall('int64_t lseek(int fd, int64_t offset, int whence)')
const seekData = 3
const seekHole = 4

/** The parts of a file of `sizeBytes` that contain data (lseek(2), SEEK_DATA). Everything between them is a hole, which
 *  reads as zeros. A file system without holes gives one run. Moves the descriptor's position. Throws the system's
 *  error. */
export function dataRuns(fd: number, sizeBytes: number): { readonly offset: number; readonly length: number }[] {
  const runs: { offset: number; length: number }[] = []
  for (let at = 0; at < sizeBytes; ) {
    const offset = lseek(fd, at, seekData)
    // The rest of the file is a hole.
    if (offset === -errno.ENXIO) break
    if (offset < 0) throw systemError(offset, 'lseek')
    const end = lseek(fd, offset, seekHole)
    if (end < 0) throw systemError(end, 'lseek')
    const length = Math.min(end, sizeBytes) - offset
    if (length > 0) runs.push({ offset, length })
    at = end
  }
  return runs
}
