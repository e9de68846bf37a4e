/** posix_spawn(3): a child process without copying the daemon's page tables (vfork underneath).
 *  The child gets exactly the descriptors of its map; all others are close-on-exec in this process. */

import { closeFd, duplicateFd } from '../native/fd.ts'
import { nativeFunction, systemError } from '../native/ffi.ts'

export interface SpawnOptions {
  /** The program: a path, or a name that is looked up in PATH. */
  readonly path: string
  /** Arguments after the program's own name. */
  readonly args?: readonly string[] | undefined
  /** What the program sees as its own name; `path` by default. */
  readonly argv0?: string | undefined
  /** The whole environment; by default only a standard PATH. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  /** Child descriptor ← our descriptor. 0, 1 and 2 are /dev/null unless named here. */
  readonly fds?: ReadonlyMap<number, number> | undefined
  /** True starts a new session. */
  readonly setsid?: boolean | undefined
  /** Path of a terminal that becomes the controlling one (implies `setsid`) and 0, 1, 2 unless those are in `fds`. */
  readonly controllingTty?: string | undefined
  /** False keeps ignored signals ignored (Node ignores SIGPIPE) and the signal mask; true by default. */
  readonly resetSignals?: boolean | undefined
}

/** The environment of a child when none is given: enough for tools to find each other, and stable messages. */
export const defaultEnv: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
})

// Sizes on 64-bit glibc are 80, 336 and 128 bytes; musl's are smaller or equal in sum. Generous, since both are opaque.
const actionsBytes = 256
const attributesBytes = 512
const sigsetBytes = 256
/** 64 signals. */
const kernelSigsetBytes = 8

const flagSetSigDef = 0x04
const flagSetSigMask = 0x08
const flagSetSid = 0x80

const oRdonly = 0
const oWronly = 1
const oRdwr = 2

const posixSpawnp = nativeFunction(
  'int posix_spawnp(_Out_ int *pid, const char *file, void *actions, void *attributes, const char **argv, const char **env)',
)
const actionsInit = nativeFunction('int posix_spawn_file_actions_init(void *actions)')
const actionsDestroy = nativeFunction('int posix_spawn_file_actions_destroy(void *actions)')
const addOpen = nativeFunction(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint32_t mode)',
)
const addClose = nativeFunction('int posix_spawn_file_actions_addclose(void *actions, int fd)')
const addDup2 = nativeFunction('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)')
const addChdir = nativeFunction('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)')
const attributesInit = nativeFunction('int posix_spawnattr_init(void *attributes)')
const attributesSetFlags = nativeFunction('int posix_spawnattr_setflags(void *attributes, int16_t flags)')
const attributesSetSigDefault = nativeFunction('int posix_spawnattr_setsigdefault(void *attributes, void *set)')
const attributesSetSigMask = nativeFunction('int posix_spawnattr_setsigmask(void *attributes, void *set)')
const sigemptyset = nativeFunction('int sigemptyset(void *set)')

const closeRange = nativeFunction('int64_t syscall(int64_t number, uint32_t first, uint32_t last, uint32_t flags)')
const numberCloseRange = 436
const closeRangeCloexec = 4
let inheritedFdsMarked = false

/** Attributes hold no pointers, so one object per set of flags serves all spawns. */
const attributesByFlags = new Map<number, Buffer>()

/** Starts the program and returns its pid. A program that can't be executed throws here (ENOENT, EACCES, …).
 *  The caller must reap the child; `spawnProcess` does. */
export function posixSpawn(options: SpawnOptions): number {
  markInheritedFds()
  const actions = Buffer.alloc(actionsBytes)
  check(actionsInit(actions), 'posix_spawn')
  const moved: number[] = []
  try {
    addFileActions(actions, options, moved)
    const pid = new Int32Array(1)
    const argv = [options.argv0 ?? options.path, ...(options.args ?? []), null]
    check(posixSpawnp(pid, options.path, actions, attributesFor(options), argv, envStrings(options.env)), options.path)
    return pid[0] ?? -1
  } finally {
    actionsDestroy(actions)
    for (const fd of moved) closeFd(fd)
  }
}

/** Descriptors that this process itself got from whoever started it may lack close-on-exec; a child that lives long
 *  would keep its pipes open. Done once; a kernel older than 5.11 refuses, and then they are inherited further. */
function markInheritedFds(): void {
  if (inheritedFdsMarked) return
  inheritedFdsMarked = true
  closeRange(numberCloseRange, 3, 0xffffffff, closeRangeCloexec)
}

/** Sources whose number is also a target would be overwritten before their turn: they are moved out of the way
 *  (into `moved`, for the caller to close) first, so that the order of the actions does not matter. */
function addFileActions(actions: Buffer, options: SpawnOptions, moved: number[]): void {
  const fds = options.fds ?? new Map<number, number>()
  const limit = Math.max(2, ...fds.keys()) + 1
  const sources = new Map<number, number>()
  for (const [child, parent] of fds) {
    const clashes = parent !== child && (parent <= 2 || fds.has(parent))
    if (clashes) {
      const copy = duplicateFd(parent, limit)
      moved.push(copy)
      sources.set(child, copy)
    } else {
      sources.set(child, parent)
    }
  }
  // The tty is opened first and by the session's leader, which makes it the controlling terminal.
  const { controllingTty } = options
  const ttyFd = Math.max(limit, ...sources.values()) + 1
  if (controllingTty !== undefined) check(addOpen(actions, ttyFd, controllingTty, oRdwr, 0), 'posix_spawn')
  for (const fd of [0, 1, 2]) {
    if (sources.has(fd)) continue
    if (controllingTty !== undefined) check(addDup2(actions, ttyFd, fd), 'posix_spawn')
    else check(addOpen(actions, fd, '/dev/null', fd === 0 ? oRdonly : oWronly, 0), 'posix_spawn')
  }
  if (controllingTty !== undefined) check(addClose(actions, ttyFd), 'posix_spawn')
  // An equal number still needs its action: dup2 onto itself clears close-on-exec here.
  for (const [child, parent] of sources) check(addDup2(actions, parent, child), 'posix_spawn')
  if (options.cwd !== undefined) check(addChdir(actions, options.cwd), 'posix_spawn')
}

function attributesFor(options: SpawnOptions): Buffer {
  const newSession = options.setsid === true || options.controllingTty !== undefined
  const signals = options.resetSignals ?? true
  const flags = (newSession ? flagSetSid : 0) | (signals ? flagSetSigDef | flagSetSigMask : 0)
  let attributes = attributesByFlags.get(flags)
  if (attributes === undefined) {
    attributes = Buffer.alloc(attributesBytes)
    check(attributesInit(attributes), 'posix_spawn')
    check(attributesSetFlags(attributes, flags), 'posix_spawn')
    const set = Buffer.alloc(sigsetBytes)
    // Not by sigfillset(3): it leaves out the C library's own signals (32 and 33 of glibc), and posix_spawn has a child
    // ignore those that are not named here.
    set.fill(0xff, 0, kernelSigsetBytes)
    check(attributesSetSigDefault(attributes, set), 'posix_spawn')
    sigemptyset(set)
    check(attributesSetSigMask(attributes, set), 'posix_spawn')
    attributesByFlags.set(flags, attributes)
  }
  return attributes
}

function envStrings(env: Readonly<Record<string, string>> = defaultEnv): (string | null)[] {
  const strings: (string | null)[] = []
  for (const [name, value] of Object.entries(env)) strings.push(`${name}=${value}`)
  strings.push(null)
  return strings
}

/** These functions return the error number instead of setting errno. */
function check(errorNumber: number, path: string): void {
  if (errorNumber !== 0) throw systemError(errorNumber, 'spawn', path)
}
