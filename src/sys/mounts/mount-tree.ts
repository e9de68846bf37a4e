/** Copies of mounts that are held by a descriptor and attached nowhere. open_tree(2), move_mount(2),
 *  mount_setattr(2) */
import { closeFd, oCloexec } from '../native/fd.ts'
import { rawSyscall, systemError } from '../native/ffi.ts'

// The same numbers on every architecture.
const numberOpenTree = 428
const numberMoveMount = 429
const numberMountSetattr = 442
const openTreeClone = 1
const atEmptyPath = 0x1000
const atRecursive = 0x8000
const moveMountEmptyPaths = 0x04 | 0x40
const mountAttrReadOnly = 1n
const mountAttrNoExec = 8n
const mountAttrIdMap = 0x0010_0000n

const openTreeCall = rawSyscall('int64_t syscall(int64_t number, int fd, const char *path, uint32_t flags)')
const moveMountCall = rawSyscall(
  'int64_t syscall(int64_t number, int fromFd, const char *from, int toFd, const char *to, uint32_t flags)',
)
const mountSetattrCall = rawSyscall(
  'int64_t syscall(int64_t number, int fd, const char *path, uint32_t flags, void *attributes, size_t size)',
)

/** How `cloneMountTree` copies. */
export interface MountTreeOptions {
  /** Include all mounts below; default true. */
  readonly recursive?: boolean
  /** Default false. */
  readonly readOnly?: boolean
  /** With `readOnly`: allows programs to run from the copy even if the original mount is noexec, as `/run` often is. */
  readonly executable?: boolean
}

/** Copies the mount that contains `path`, from `path` downward, and returns an O_PATH descriptor of the copy's root. No
 *  other process sees the copy. It disappears with its last descriptor unless it was attached. Throws the system's
 *  error. */
export function cloneMountTree(
  path: string,
  { recursive = true, readOnly = false, executable = false }: MountTreeOptions = {},
): number {
  const depth = recursive ? atRecursive : 0
  const fd = openTreeCall(numberOpenTree, -100, path, openTreeClone | oCloexec | depth)
  if (fd < 0) throw systemError(fd, 'open_tree', path)
  if (!readOnly) return fd
  const attributes = Buffer.alloc(32)
  attributes.writeBigUInt64LE(mountAttrReadOnly, 0)
  if (executable) attributes.writeBigUInt64LE(mountAttrNoExec, 8)
  const result = mountSetattrCall(numberMountSetattr, fd, '', atEmptyPath | depth, attributes, attributes.byteLength)
  if (result >= 0) return fd
  closeFd(fd)
  throw systemError(result, 'mount_setattr', path)
}

/** Mounts a copy that `cloneMountTree` made on an open file or directory (O_PATH is enough), whatever its path is.
 *  Throws EINVAL when one of the two is a directory and the other is not. */
export function attachMountTree(treeFd: number, targetFd: number): void {
  const result = moveMountCall(numberMoveMount, treeFd, '', targetFd, '', moveMountEmptyPaths)
  if (result < 0) throw systemError(result, 'move_mount')
}

/** Makes an ID-mapped copy of the mount that contains `path`, from `path` downward. Owners on disk appear as the user
 *  namespace maps them (0 as the host id of its user 0); owners of files that are created through the copy are mapped
 *  back. Returns a descriptor as `cloneMountTree` does. Throws EINVAL when the file system can't do it (ext4 can since
 *  Linux 5.12, btrfs since 5.15). */
export function cloneIdMapped(path: string, userNamespaceFd: number): number {
  const fd = openTreeCall(numberOpenTree, -100, path, openTreeClone | oCloexec)
  if (fd < 0) throw systemError(fd, 'open_tree', path)
  const attributes = Buffer.alloc(32)
  attributes.writeBigUInt64LE(mountAttrIdMap, 0)
  attributes.writeBigUInt64LE(BigInt(userNamespaceFd), 24)
  const result = mountSetattrCall(numberMountSetattr, fd, '', atEmptyPath, attributes, attributes.byteLength)
  if (result >= 0) return fd
  closeFd(fd)
  throw systemError(result, 'mount_setattr', path)
}
