/** /dev/null for processes of containers. The host's own must not reach them by a descriptor: whoever is root there, or
 *  the user to whom a runtime gives the standard streams of its process (older crun), changes its mode or owner for
 *  the whole host. So each gets a node of its own, in a file system that is mounted nowhere.
 *  fsopen(2), fsmount(2), mknod(2) */
import { constants, fchmodSync } from 'node:fs'
import { closeFd } from '../native/fd.ts'
import { syscall } from '../native/ffi.ts'
import { mknodAt, openAt, unlinkAt } from './at.ts'

const fsopen = syscall('int64_t syscall(int64_t number, const char *type, uint32_t flags)')
const fsconfig = syscall(
  'int64_t syscall(int64_t number, int fd, uint32_t command, const char *key, const void *value, int extra)',
)
const fsmount = syscall('int64_t syscall(int64_t number, int fd, uint32_t flags, uint32_t attributes)')
const numberFsopen = 430
const numberFsconfig = 431
const numberFsmount = 432
const cloexec = 1
const fsconfigCmdCreate = 6

const [nullMajor, nullMinor] = [1, 3]
const anybody = 0o666

let home: number | undefined
let count = 0

/** A new null device, open for reading and writing; the caller closes it. Throws a SystemError. */
export function openNullDevice(): number {
  home ??= detachedTmpfs()
  const name = String(count++)
  mknodAt(home, name, constants.S_IFCHR | anybody, nullMajor, nullMinor)
  try {
    const fd = openAt(home, name, constants.O_RDWR)
    // Whatever this process's umask is.
    fchmodSync(fd, anybody)
    return fd
  } finally {
    unlinkAt(home, name)
  }
}

/** A descriptor of a tmpfs that lives as long as the descriptor, or what was opened below it. */
function detachedTmpfs(): number {
  const fd = fsopen(numberFsopen, 'tmpfs', cloexec)
  try {
    fsconfig(numberFsconfig, fd, fsconfigCmdCreate, null, null, 0)
    return fsmount(numberFsmount, fd, cloexec, 0)
  } finally {
    closeFd(fd)
  }
}
