/** Telling the kernel to begin writing a file's changed pages to the disk. */
import { threadedFunction } from '../native/ffi.ts'

const syncFileRange = threadedFunction('int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags)')
const syncFileRangeWrite = 2

/** Begins to write these bytes of an open file to the disk and waits for nothing, so that an `fdatasync` later has
 *  less to wait for; the kernel by itself begins when a tenth of the memory is changed pages. Promises nothing: errors
 *  (a file system that can't do it) are for that `fdatasync` to find. sync_file_range(2); it runs in a thread, as it
 *  blocks while the disk's queue is full. The descriptor must stay open until the promise resolves. */
export async function beginWriteback(fd: number, offset: number, sizeBytes: number): Promise<void> {
  await syncFileRange(fd, offset, sizeBytes, syncFileRangeWrite)
}
