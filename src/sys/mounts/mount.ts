/** Mounts. The `Mount` value connects the producers of file systems (snapshots, volumes) with the code that mounts
 *  them; neither side knows the other. Calls are synchronous and take well under a millisecond. */
import { constants } from 'node:fs'
import { asFileOwner } from '../files/file-owner.ts'
import { closeFd, oPath, openFd } from '../native/fd.ts'
import { errno, loadKoffi, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { parseMountOptions } from './mount-options.ts'

/** One mount as data. */
export interface Mount {
  /** Type of the file system ('overlay', 'tmpfs', …), or 'bind'. */
  readonly type: string
  readonly source: string
  /** The intended mount point. `mount()` ignores it: its target is a separate argument. */
  readonly target?: string | undefined
  /** Option words of mount(8): 'ro', 'rbind', 'rprivate', 'lowerdir=…'. */
  readonly options: readonly string[]
  /** Directory for relative paths in `source` and `options`. Short paths keep the options of an overlay with many
   *  layers within the one page that the kernel accepts. */
  readonly cwd?: string | undefined
  /** The user who mounts. An overlay on ID-mapped layers creates its own files as this user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
}

/** How mounts propagate between a mount point and its copies (mount_namespaces(7)). */
export type Propagation = 'private' | 'shared' | 'slave' | 'unbindable'

const rawMount = rawSyscall(
  'int mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data)',
)
const umountPrototype = 'int umount2(const char *target, int flags)'
const umount2 = rawSyscall(umountPrototype)
const chdirCall = syscall('int chdir(const char *path)')
const fchdirCall = syscall('int fchdir(int fd)')

const msRemount = 32
const msBind = 4096
const msRec = 16384
const propagationFlags: Readonly<Record<Propagation, number>> = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
}
const mntDetach = 2
const umountNofollow = 8
/** The kernel accepts one page, including the terminating zero. */
const maxDataBytes = 4095

/** Mounts `value` on `target`, which must exist. Read-only binds and propagation take further system calls; if one of
 *  them fails, the mount is undone. Throws the system's error, with the target as its path. */
export function mount(value: Mount, target: string): void {
  if (value.owner === undefined) mountAsOwner(value, target)
  else asFileOwner(value.owner, () => mountAsOwner(value, target))
}

function mountAsOwner(value: Mount, target: string): void {
  const { flags, data, propagation } = parseMountOptions(value.options)
  const bind = value.type === 'bind' || (flags & msBind) !== 0
  if (Buffer.byteLength(data) > maxDataBytes) throw systemError(errno.E2BIG, 'mount', target)
  if (value.cwd === undefined) {
    mountOnce(value, target, bind, flags, data)
  } else {
    inDirectory(value.cwd, () => mountOnce(value, target, bind, flags, data))
  }
  try {
    const restrictions = flags & ~(msBind | msRec)
    // The first call of a bind ignores all other flags.
    if (bind && restrictions !== 0 && (flags & msRemount) === 0) {
      mountCall(null, target, null, msRemount | msBind | restrictions, null)
    }
    for (const change of propagation) mountCall(null, target, null, change, null)
  } catch (error) {
    unmount(target, { lazy: true })
    throw error
  }
}

/** Removes the topmost mount on `target`. No error when nothing is mounted there, or the path does not exist. `lazy`
 *  also detaches a busy mount; without it, a busy mount throws EBUSY. */
export function unmount(target: string, { lazy = false }: { readonly lazy?: boolean } = {}): void {
  const result = umount2(target, umountNofollow | (lazy ? mntDetach : 0))
  if (result === 0 || result === -errno.EINVAL || result === -errno.ENOENT) return
  throw systemError(result, 'umount', target)
}

/** Does the same as `unmount` with `lazy`, in the thread pool. The last unmount of an overlay writes back all dirty
 *  data of the file system below it, which may take seconds. */
export async function unmountInBackground(target: string): Promise<void> {
  backgroundUmount ??= loadKoffi().load(null).func(umountPrototype).async as BackgroundUmount
  const start = backgroundUmount
  const result = await new Promise<number>((resolve, reject) => {
    start(target, umountNofollow | mntDetach, (error, value) => (error === null ? resolve(value) : reject(error)))
  })
  // errno belongs to the other thread. A second call finds the reason; a failing call is cheap.
  if (result !== 0) unmount(target, { lazy: true })
}

type BackgroundUmount = (target: string, flags: number, done: (error: Error | null, result: number) => void) => void
let backgroundUmount: BackgroundUmount | undefined

/** Makes `source` visible at `target`; both are directories or both are files. `recursive` includes the mounts below
 *  `source`. Throws as `mount` does. */
export function bindMount(
  source: string,
  target: string,
  { readOnly = false, recursive = false }: { readonly readOnly?: boolean; readonly recursive?: boolean } = {},
): void {
  const options = [recursive ? 'rbind' : 'bind', ...(readOnly ? ['ro'] : [])]
  mount({ type: 'bind', source, options }, target)
}

/** Sets the propagation of a mount point; `recursive` includes all mounts below. */
export function setPropagation(
  target: string,
  propagation: Propagation,
  { recursive = false }: { readonly recursive?: boolean } = {},
): void {
  mountCall(null, target, null, propagationFlags[propagation] | (recursive ? msRec : 0), null)
}

function mountOnce(value: Mount, target: string, bind: boolean, flags: number, data: string): void {
  // The kernel ignores type and data of a bind.
  if (bind) mountCall(value.source, target, null, (flags & (msRec | msRemount)) | msBind, null)
  else mountCall(value.source, target, value.type, flags, data === '' ? null : data)
}

/** Throws errors with the target's path, which is more helpful than the source's. */
function mountCall(
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  data: string | null,
): void {
  const result = rawMount(source, target, type, flags, data)
  if (result < 0) throw systemError(result, 'mount', target)
}

/** Runs `action` in another working directory. The working directory belongs to the whole process, but the block is
 *  synchronous, and all other paths in the daemon are absolute. */
function inDirectory(path: string, action: () => void): void {
  const back = openFd('.', oPath | constants.O_DIRECTORY)
  try {
    chdirCall(path)
    try {
      action()
    } finally {
      fchdirCall(back)
    }
  } finally {
    closeFd(back)
  }
}
