/** Mounts that have no place in the file system yet, or any more. open_tree(2), move_mount(2), mount_setattr(2) */
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

export interface MountTreeOptions {
  /** With all that is mounted below; default true. */
  readonly recursive?: boolean
  readonly readOnly?: boolean
  /** Programs in a read-only copy may be run whatever the original's mount says (`/run` is often noexec). */
  readonly executable?: boolean
}

/** Copies the mount that `path` is in, from `path` downwards, and gives a descriptor (as of O_PATH) of the copy's root.
 *  The copy is nobody else's, and goes with its last descriptor unless it was attached. */
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

/** Mounts a copy that `cloneMountTree` made on an open file or directory (O_PATH is enough), whatever its path is by
 *  now. Fails with EINVAL when one of the two is a directory and the other is none. */
export function attachMountTree(treeFd: number, targetFd: number): void {
  const result = moveMountCall(numberMoveMount, treeFd, '', targetFd, '', moveMountEmptyPaths)
  if (result < 0) throw systemError(result, 'move_mount')
}

/** A copy of the mount that `path` is in, from `path` downwards, that shows other owners: 0 becomes what the user
 *  namespace says that its 0 is, and what is made through it is stored the other way round. Gives a descriptor as
 *  `cloneMountTree` does. Fails with EINVAL where the file system can't (Linux 5.12 for ext4, 5.15 for btrfs, …). */
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
