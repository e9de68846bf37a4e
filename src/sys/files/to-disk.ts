/** Makes the kernel write changed pages to the disk. Both calls wait in a thread of the pool. */
import { constants } from 'node:fs'
import { closeFd, openFd } from '../native/fd.ts'
import { threadedFunction } from '../native/ffi.ts'

const syncfs = threadedFunction('int syncfs(int fd)')
const syncFileRange = threadedFunction('int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags)')
const syncFileRangeWrite = 2

/** Resolves when everything that was written to the file system of `directory` before the call is on its disk. Resolves
 *  with false when the disk had errors. Rejects when the directory can't be opened. syncfs(2) */
export async function syncFileSystem(directory: string): Promise<boolean> {
  const fd = openFd(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return (await syncfs(fd)) === 0
  } finally {
    closeFd(fd)
  }
}

/** Starts to write a range of an open file to the disk, so that a later `fdatasync` takes less time. (By itself, the
 *  kernel starts only when a tenth of the memory is changed pages.) Guarantees nothing: that `fdatasync` reports
 *  errors. The descriptor must stay open until the promise resolves; the call blocks its thread while the disk's queue
 *  is full. sync_file_range(2) */
export async function beginWriteback(fd: number, offset: number, sizeBytes: number): Promise<void> {
  await syncFileRange(fd, offset, sizeBytes, syncFileRangeWrite)
}
