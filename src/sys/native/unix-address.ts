/** Addresses of unix sockets. The kernel takes 107 bytes; longer paths go through a descriptor of their directory. */

import { constants } from 'node:fs'
import { basename, dirname } from 'node:path'
import { closeFd, oPath, openFd } from './fd.ts'
import { errno, systemError } from './ffi.ts'

const afUnix = 1
const maxPathBytes = 107

/** Calls back with a sockaddr_un for `path` that is valid during the call. A path that begins with a null byte is a
 *  name without a file (unix(7), abstract). */
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
  // A name ends with the address, a path with a null byte.
  const address = Buffer.alloc(2 + bytes.byteLength + (path.startsWith('\0') ? 0 : 1))
  address.writeUInt16LE(afUnix, 0)
  bytes.copy(address, 2)
  return address
}
