/** Child processes of the daemon: started with posix_spawn, watched through a pidfd, and reaped here, whether or not a
 *  caller awaits their end. */
import { nativeFunction, rawSyscall } from '../native/ffi.ts'
import type { PollOptions } from '../native/poll.ts'
import { onPidfdExit, pidfdOpen } from './pidfd.ts'
import { posixSpawn, type SpawnOptions } from './posix-spawn.ts'

/** How a process ended. One of the two is null. */
export interface ExitStatus {
  /** Its exit code. */
  readonly code: number | null
  /** Number of the signal that killed it. */
  readonly signal: number | null
}

/** A started child. */
export interface SpawnedProcess {
  readonly pid: number
  /** Resolves once the child has ended and was reaped. Never rejects. */
  readonly exited: Promise<ExitStatus>
  /** Sends a signal to the child. Returns false when it has ended. */
  kill(signal: number): boolean
}

const waitpid = rawSyscall('int waitpid(int pid, _Out_ int *status, int options)')
const killCall = nativeFunction('int kill(int pid, int signal)')
const sigkill = 9

/** Starts a program. Throws ENOENT or EACCES when it can't be executed. With `unref`, this process may exit first. Main
 *  thread only. */
export function spawnProcess(options: SpawnOptions & PollOptions): SpawnedProcess {
  const pid = posixSpawn(options)
  const { promise: exited, resolve } = Promise.withResolvers<ExitStatus>()
  let ended = false
  const onExit = () => {
    ended = true
    resolve(reap(pid))
  }
  // Only this code reaps the child, so the pid is still the child's even if it has ended.
  try {
    onPidfdExit(pidfdOpen(pid), onExit, options)
  } catch (error) {
    // Out of descriptors. A child that can't be watched must not continue.
    killCall(pid, sigkill)
    reap(pid)
    throw error
  }
  return {
    pid,
    exited,
    kill: (signal) => !ended && killCall(pid, signal) === 0,
  }
}

function reap(pid: number): ExitStatus {
  const status = new Int32Array(1)
  // waitpid fails only if other code in this process waited for all children. The status is then lost; 255 means
  // unknown.
  if (waitpid(pid, status, 0) !== pid) return { code: 255, signal: null }
  const value = status[0] ?? 0
  const signal = value & 0x7f
  return signal === 0 ? { code: (value >> 8) & 0xff, signal: null } : { code: null, signal }
}
