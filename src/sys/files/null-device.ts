/** /dev/null for processes in containers. They must not get a descriptor of the host's own device: the container's root
 *  user, or an older crun that makes the container's user its owner, would change its mode or owner for the whole host.
 *  So each process gets a separate device node, in a file system that is mounted nowhere.
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

/** Creates a null device and opens it for reading and writing; the caller closes the descriptor. Throws a
 *  SystemError. */
export function openNullDevice(): number {
  home ??= detachedTmpfs()
  const name = String(count++)
  mknodAt(home, name, constants.S_IFCHR | anybody, nullMajor, nullMinor)
  try {
    const fd = openAt(home, name, constants.O_RDWR)
    // mknod(2) applied the umask.
    fchmodSync(fd, anybody)
    return fd
  } finally {
    unlinkAt(home, name)
  }
}

/** Creates a tmpfs that lasts as long as this descriptor, or any descriptor of a file in it. */
function detachedTmpfs(): number {
  const fd = fsopen(numberFsopen, 'tmpfs', cloexec)
  try {
    fsconfig(numberFsconfig, fd, fsconfigCmdCreate, null, null, 0)
    return fsmount(numberFsmount, fd, cloexec, 0)
  } finally {
    closeFd(fd)
  }
}
