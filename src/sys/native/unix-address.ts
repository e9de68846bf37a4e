/** Addresses of unix sockets. The kernel accepts paths of up to 107 bytes. Longer paths go through a descriptor of
 *  their directory. unix(7) */
import { constants } from 'node:fs'
import { basename, dirname } from 'node:path'
import { closeFd, oPath, openFd } from './fd.ts'
import { errno, systemError } from './ffi.ts'

const afUnix = 1
const maxPathBytes = 107

/** Calls `use` with a `struct sockaddr_un` for `path` that is valid during the call, and returns its result. A path
 *  that begins with a null byte is an abstract name, without a file. Throws ENAMETOOLONG when the file's own name is
 *  too long. */
export function withUnixAddress<T>(path: string, use: (address: Buffer) => T): T {
  if (Buffer.byteLength(path) <= maxPathBytes) return use(formatAddress(path))
  const directory = openFd(dirname(path), oPath | constants.O_DIRECTORY)
  try {
    const short = `/proc/self/fd/${directory}/${basename(path)}`
    if (Buffer.byteLength(short) > maxPathBytes) throw systemError(errno.ENAMETOOLONG, 'connect', path)
    return use(formatAddress(short))
  } finally {
    closeFd(directory)
  }
}

function formatAddress(path: string): Buffer {
  const bytes = Buffer.from(path)
  // The length of the address ends an abstract name; a null byte ends a path.
  const address = Buffer.alloc(2 + bytes.byteLength + (path.startsWith('\0') ? 0 : 1))
  address.writeUInt16LE(afUnix, 0)
  bytes.copy(address, 2)
  return address
}
