/** Creates files as another user, with the daemon's own permissions. setfsuid(2), prctl(2), capabilities(7) */
import { nativeFunction, rawSyscall, systemError } from '../native/ffi.ts'

const setfsuid = nativeFunction('int setfsuid(uint32_t uid)')
const setfsgid = nativeFunction('int setfsgid(uint32_t gid)')
const prctl = rawSyscall('int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)')
const abort = nativeFunction<void>('void abort()')
const prGetSecurebits = 27
const prSetSecurebits = 28
/** SECBIT_NO_SETUID_FIXUP: capabilities stay when the file system user changes. */
const noSetuidFixup = 4

/** Runs `work`, and makes the files that it creates belong to this user and group of the host. Permissions stay those
 *  of the daemon. In an ID-mapped mount that does not map root, root itself can't create files. `work` must be
 *  synchronous and must not start a process. Returns its result. */
export function asFileOwner<T>({ uid, gid }: { readonly uid: number; readonly gid: number }, work: () => T): T {
  const before = prctl(prGetSecurebits, 0n, 0n, 0n, 0n)
  const result = prctl(prSetSecurebits, BigInt(before | noSetuidFixup), 0n, 0n, 0n)
  if (result < 0) throw systemError(result, 'prctl')
  try {
    setfsgid(gid)
    setfsuid(uid)
    return work()
  } finally {
    setfsuid(0)
    setfsgid(0)
    // The daemon must never continue as another user.
    if (setfsuid(0) !== 0 || setfsgid(0) !== 0) abort()
    prctl(prSetSecurebits, BigInt(before), 0n, 0n, 0n)
  }
}
