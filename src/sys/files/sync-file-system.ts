/** Having the kernel write all that it keeps of a file system. */
import { constants } from 'node:fs'
import { closeFd, openFd } from '../native/fd.ts'
import { threadedFunction } from '../native/ffi.ts'

const syncfs = threadedFunction('int syncfs(int fd)')

/** Resolves when everything that was written to the file system of `directory` before is on its disk; false: the disk
 *  had errors meanwhile. Waits in a thread of its own. syncfs(2) */
export async function syncFileSystem(directory: string): Promise<boolean> {
  const fd = openFd(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return (await syncfs(fd)) === 0
  } finally {
    closeFd(fd)
  }
}
