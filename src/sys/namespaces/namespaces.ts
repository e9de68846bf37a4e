/** Network namespaces that a bind mount on a file keeps alive. A thread enters another namespace only inside one
 *  synchronous block and returns at its end, so no other code runs there. If the return fails, the process aborts,
 *  because it must not continue in a container's network. */
import { closeSync, fstatSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'

const CLONE_NEWNET = 0x40000000
const MS_BIND = 4096
const MNT_DETACH = 2
/** The ioctl that opens the user namespace to which another namespace belongs. ioctl_ns(2) */
const NS_GET_USERNS = 0xb701
/** The inode number of the initial user namespace, the same on every kernel (PROC_USER_INIT_INO). */
const initialUserNamespace = 0xeffffffd

const unshare = syscall('int unshare(int flags)')
const setns = rawSyscall('int setns(int fd, int kind)')
const mountCall = syscall(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
)
const unmountCall = rawSyscall('int umount2(const char *target, int flags)')
const ioctl = syscall('int ioctl(int fd, uint64_t request, void *argument)')
const abort = nativeFunction<void>('void abort()')

const ownNamespace = '/proc/thread-self/ns/net'
let home: number | undefined

/** Creates a network namespace and keeps it at `path`, which must not exist. A new namespace has only a loopback
 *  device, which is down. With `own`, a path in /proc, that existing namespace is kept instead of a new one. `inside`
 *  runs while the thread is in the namespace. Returns its result; if it throws, nothing is left behind. */
export function createNetworkNamespace<T = void>(path: string, inside?: () => T, own?: string): T | undefined {
  closeSync(openSync(path, 'wx', 0o444))
  try {
    return elsewhere(
      () => {
        if (own === undefined) unshare(CLONE_NEWNET)
        else enterNamespace(own)
      },
      () => {
        mountCall(ownNamespace, path, null, MS_BIND, null)
        return inside?.()
      },
    )
  } catch (error) {
    deleteNetworkNamespace(path)
    throw error
  }
}

function enterNamespace(path: string): void {
  const fd = openSync(path, 'r')
  try {
    const result = setns(fd, CLONE_NEWNET)
    if (result < 0) throw systemError(result, 'setns', path)
  } finally {
    closeSync(fd)
  }
}

/** Runs `work`, which must be synchronous, in the network namespace at `path`, and returns its result. */
export function inNetworkNamespace<T>(path: string, work: () => T): T {
  const fd = openSync(path, 'r')
  try {
    return elsewhere(() => {
      const result = setns(fd, CLONE_NEWNET)
      if (result < 0) throw systemError(result, 'setns', path)
    }, work)
  } finally {
    closeSync(fd)
  }
}

/** Runs `work`, which must be synchronous, in a new network namespace, which ends with it, and returns its result. */
export function inNewNetworkNamespace<T>(work: () => T): T {
  return elsewhere(() => unshare(CLONE_NEWNET), work)
}

/** True if the calling thread's network namespace belongs to the initial user namespace. In others, the kernel refuses
 *  some of what it allows there. Throws the system's error. */
export function isInInitialUserNamespace(): boolean {
  const network = openSync(ownNamespace, 'r')
  try {
    const owner = ioctl(network, NS_GET_USERNS, null)
    try {
      return fstatSync(owner).ino === initialUserNamespace
    } finally {
      closeSync(owner)
    }
  } finally {
    closeSync(network)
  }
}

/** Releases the namespace at `path` and removes the file. The namespace ends with its last process or socket; the
 *  kernel then removes its devices later. No error when the path is missing or a plain file. */
export function deleteNetworkNamespace(path: string): void {
  for (;;) {
    const result = unmountCall(path, MNT_DETACH)
    if (result === 0) continue
    if (result === -22 /* EINVAL: not mounted */ || result === -2 /* ENOENT */) break
    throw systemError(result, 'umount2', path)
  }
  rmSync(path, { force: true })
}

/** Writes a sysctl below `net/` in the calling thread's network namespace. Returns false when the kernel does not have
 *  it. */
export function writeNetworkSysctl(name: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/net/${name}`, value)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    throw error
  }
}

function elsewhere<T>(enter: () => void, work: () => T): T {
  home ??= openSync(ownNamespace, 'r')
  enter()
  try {
    return work()
  } finally {
    if (setns(home, CLONE_NEWNET) !== 0) abort()
  }
}
