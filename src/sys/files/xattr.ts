/** Extended attributes, by path or by descriptor. If a path ends in a symlink, the link itself is used. xattr(7) */
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

const lgetxattrCall = rawSyscall(
  'int64_t lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)',
)
const fgetxattrCall = rawSyscall('int64_t fgetxattr(int fd, const char *name, _Out_ uint8_t *value, size_t size)')
const llistxattrCall = rawSyscall('int64_t llistxattr(const char *path, _Out_ uint8_t *list, size_t size)')
const flistxattrCall = rawSyscall('int64_t flistxattr(int fd, _Out_ uint8_t *list, size_t size)')
const lsetxattrCall = rawSyscall(
  'int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)',
)
const fsetxattrCall = rawSyscall(
  'int fsetxattr(int fd, const char *name, const uint8_t *value, size_t size, int flags)',
)

/** The largest value and the longest list of names that the kernel allows. */
const maxBytes = 65536

/** True for attributes that belong to a file's place and must not be copied with the file: overlayfs's own marks, which
 *  another overlay would obey, and SELinux labels, which each host assigns by its own policy. */
export function isForeignXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.') || name === 'security.selinux'
}

/** The value of an attribute; undefined when it is not set, or the file system has no attributes. Throws the system's
 *  error. */
export function getXattr(file: string | number, name: string): Buffer | undefined {
  const read = (value: Buffer) =>
    typeof file === 'string'
      ? lgetxattrCall(file, name, value, value.byteLength)
      : fgetxattrCall(file, name, value, value.byteLength)
  const value = readSized(read)
  if (typeof value !== 'number') return value
  if (value === -errno.ENODATA || value === -errno.ENOTSUP) return undefined
  throw systemError(value, 'getxattr', pathOf(file))
}

/** The names of all attributes; none when the file system has no attributes. Throws the system's error. */
export function listXattrs(file: string | number): string[] {
  const read = (list: Buffer | null, size: number) =>
    typeof file === 'string' ? llistxattrCall(file, list, size) : flistxattrCall(file, list, size)
  // Most files have none. That check needs no buffer.
  if (read(null, 0) === 0) return []
  const list = readSized((buffer) => read(buffer, buffer.byteLength))
  if (typeof list !== 'number') return list.toString('utf8').split('\0').slice(0, -1)
  if (list === -errno.ENOTSUP) return []
  throw systemError(list, 'listxattr', pathOf(file))
}

/** Sets an attribute. A path like `/proc/self/fd/N/name` reaches a file relative to an open directory. Throws the
 *  system's error. */
export function setXattr(file: string | number, name: string, value: Uint8Array): void {
  const result =
    typeof file === 'string'
      ? lsetxattrCall(file, name, value, value.byteLength, 0)
      : fsetxattrCall(file, name, value, value.byteLength, 0)
  if (result < 0) throw systemError(result, 'setxattr', pathOf(file))
}

/** Most values are short: try a small buffer before the largest one. */
function readSized(read: (buffer: Buffer) => number): Buffer | number {
  for (const size of [256, maxBytes]) {
    const buffer = Buffer.allocUnsafe(size)
    const count = read(buffer)
    if (count >= 0) return Buffer.from(buffer.subarray(0, count))
    if (count !== -errno.ERANGE) return count
  }
  return -errno.ERANGE
}

function pathOf(file: string | number): string | undefined {
  return typeof file === 'string' ? file : undefined
}
