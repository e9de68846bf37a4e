/** Starts child processes with posix_spawn(3), which uses vfork and so doesn't copy the daemon's page tables.
 *  The child gets exactly the descriptors in its map; all others are close-on-exec in this process. */
import { closeFd, duplicateFd } from '../native/fd.ts'
import { nativeFunction, systemError } from '../native/ffi.ts'

/** A program to start. */
export interface SpawnOptions {
  /** Path of the program, or a name to look up in PATH. */
  readonly path: string
  /** Arguments after the program's own name. */
  readonly args?: readonly string[] | undefined
  /** The name that the program sees as its own. Default: `path`. */
  readonly argv0?: string | undefined
  /** The whole environment. Default: `defaultEnv`. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  /** Descriptors for the child: its number → ours. 0, 1 and 2 are /dev/null unless they are in the map. */
  readonly fds?: ReadonlyMap<number, number> | undefined
  /** True starts a new session (setsid(2)). */
  readonly setsid?: boolean | undefined
  /** Path of a terminal. It becomes the controlling terminal of a new session, and 0, 1 and 2 unless they are in
   *  `fds`. */
  readonly controllingTty?: string | undefined
  /** False keeps the signal mask and ignored signals; Node ignores SIGPIPE. Default: true. */
  readonly resetSignals?: boolean | undefined
}

/** The default environment of a child: a PATH to find tools, and messages in English. */
export const defaultEnv: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
})

// The structures are opaque, so these sizes are generous: 64-bit glibc needs 80, 336 and 128 bytes, musl no more.
const actionsBytes = 256
const attributesBytes = 512
const sigsetBytes = 256
/** Room for 64 signals. */
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

/** Attributes contain no pointers, so all spawns with the same flags share one object. */
const attributesByFlags = new Map<number, Buffer>()

/** Starts the program and returns its pid. Throws ENOENT, EACCES and so on when it can't be executed. The caller must
 *  reap the child, as `spawnProcess` does. */
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

/** Sets close-on-exec on descriptors that this process inherited from its parent; otherwise a long-lived child would
 *  keep the parent's pipes open. Done once. Kernels before 5.11 refuse; the descriptors are then inherited. */
function markInheritedFds(): void {
  if (inheritedFdsMarked) return
  inheritedFdsMarked = true
  closeRange(numberCloseRange, 3, 0xffffffff, closeRangeCloexec)
}

/** Adds the actions that arrange the child's descriptors. A source whose number is also a target could be overwritten
 *  before it is used. So it is duplicated first (into `moved`, for the caller to close), and the order of the actions
 *  does not matter. */
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
  // The session's leader opens the terminal first, which makes it the controlling terminal.
  const { controllingTty } = options
  const ttyFd = Math.max(limit, ...sources.values()) + 1
  if (controllingTty !== undefined) check(addOpen(actions, ttyFd, controllingTty, oRdwr, 0), 'posix_spawn')
  for (const fd of [0, 1, 2]) {
    if (sources.has(fd)) continue
    if (controllingTty !== undefined) check(addDup2(actions, ttyFd, fd), 'posix_spawn')
    else check(addOpen(actions, fd, '/dev/null', fd === 0 ? oRdonly : oWronly, 0), 'posix_spawn')
  }
  if (controllingTty !== undefined) check(addClose(actions, ttyFd), 'posix_spawn')
  // A descriptor that keeps its number still needs the action: dup2 onto itself clears close-on-exec here.
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
    // sigfillset(3) would leave out the C library's own signals (32 and 33 in glibc), and the child would then ignore
    // them.
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

/** Throws when one of these functions failed. They return the error number instead of setting errno. */
function check(errorNumber: number, path: string): void {
  if (errorNumber !== 0) throw systemError(errorNumber, 'spawn', path)
}
