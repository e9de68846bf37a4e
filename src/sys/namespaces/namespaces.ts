/** Network namespaces kept by a bind mount on a file. A thread enters another namespace only inside one
 *  synchronous block and is back when it returns, so no other code ever runs there. Coming back cannot be
 *  allowed to fail: the process ends at once rather than run on in a container's network. */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'

const CLONE_NEWNET = 0x40000000
const MS_BIND = 4096
const MNT_DETACH = 2

const unshare = syscall('int unshare(int flags)')
const setns = rawSyscall('int setns(int fd, int kind)')
const mountCall = syscall(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
)
const unmountCall = rawSyscall('int umount2(const char *target, int flags)')
const abort = nativeFunction<void>('void abort()')

const ownNamespace = '/proc/thread-self/ns/net'
let home: number | undefined

/** Makes a network namespace and keeps it at `path`, which must not exist. `inside` runs while the thread is in it;
 *  when that throws, nothing stays behind. With `own`, the namespace is not new but the one of that path in /proc. Processes get no device but a loopback that is down. */
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

/** Runs `work` in the network namespace kept at `path`. `work` must be synchronous. */
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

/** Gives up the namespace at `path`. It dies with its last process or socket; the kernel then takes its
 *  devices away on its own time. A path that is gone, or is a plain file, is no error. */
export function deleteNetworkNamespace(path: string): void {
  for (;;) {
    const result = unmountCall(path, MNT_DETACH)
    if (result === 0) continue
    if (result === -22 /* EINVAL: not mounted */ || result === -2 /* ENOENT */) break
    throw systemError(result, 'umount2', path)
  }
  rmSync(path, { force: true })
}

/** Writes a sysctl of the calling thread's network namespace; a kernel without it is no error. */
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
