/** Child processes of the daemon: started with posix_spawn, watched through a pidfd, reaped here.
 *  Every child is reaped, whether or not somebody awaits its end. */

import { nativeFunction, rawSyscall } from '../native/ffi.ts'
import type { PollOptions } from '../native/poll.ts'
import { onPidfdExit, pidfdOpen } from './pidfd.ts'
import { posixSpawn, type SpawnOptions } from './posix-spawn.ts'

/** How a process ended: one of the two is null. */
export interface ExitStatus {
  readonly code: number | null
  /** The number of the signal that killed it. */
  readonly signal: number | null
}

/** A started child. */
export interface SpawnedProcess {
  readonly pid: number
  /** Settles once the child has ended and was reaped; never rejects. */
  readonly exited: Promise<ExitStatus>
  /** Signals the child; false when it has ended. */
  kill(signal: number): boolean
}

const waitpid = rawSyscall('int waitpid(int pid, _Out_ int *status, int options)')
const killCall = nativeFunction('int kill(int pid, int signal)')
const sigkill = 9

/** Starts a program. Throws with code ENOENT or EACCES when it can't be executed. `unref` lets this process end first. */
export function spawnProcess(options: SpawnOptions & PollOptions): SpawnedProcess {
  const pid = posixSpawn(options)
  const { promise: exited, resolve } = Promise.withResolvers<ExitStatus>()
  let ended = false
  const onExit = () => {
    ended = true
    resolve(reap(pid))
  }
  // The child can't be reaped by anybody else, so its pid is still its own here even if it has ended.
  try {
    onPidfdExit(pidfdOpen(pid), onExit, options)
  } catch (error) {
    // Out of descriptors: a child that nobody can watch must not run on.
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
  // Negative only if foreign code waited for all children; the status is lost then, and 255 says "unknown".
  if (waitpid(pid, status, 0) !== pid) return { code: 255, signal: null }
  const value = status[0] ?? 0
  const signal = value & 0x7f
  return signal === 0 ? { code: (value >> 8) & 0xff, signal: null } : { code: null, signal }
}
