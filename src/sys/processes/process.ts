/** Checks, signals and awaits processes that need not be children of this one. */
import { readFileSync } from 'node:fs'
import { errnoOf, settlesWithin } from '../../base/index.ts'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'
import { onPidfdExit, pidfdOpen } from './pidfd.ts'

const killCall = rawSyscall('int kill(int pid, int signal)')
const zombieStates = 'ZX'

/** Signals a process; a negative pid means a process group. Returns false when there is none. Throws other system
 *  errors. */
export function signalProcess(pid: number, signal: number): boolean {
  const result = killCall(pid, signal)
  if (result === -errno.ESRCH) return false
  if (result < 0) throw systemError(result, 'kill')
  return true
}

/** The start time of a process, in clock ticks since boot; undefined when there is no such process, or only its zombie.
 *  Together with the pid it identifies a process: a reused pid has another start time. */
export function processStartTime(pid: number): string | undefined {
  const fields = statFields(pid)
  return fields === undefined || zombieStates.includes(fields[0] ?? 'Z') ? undefined : fields[19]
}

/** True while the process runs; with `startTime`, while it is still the same process. */
export function isProcessAlive(pid: number, startTime?: string): boolean {
  const found = processStartTime(pid)
  return found !== undefined && (startTime === undefined || found === startTime)
}

/** Waits until all these processes have ended. Resolves with false when some still run after `timeoutMs`. */
export async function waitAll(pids: Iterable<number>, timeoutMs: number): Promise<boolean> {
  const stops: (() => void)[] = []
  try {
    const ends = [...pids].map((pid) => watchUntil(pid, stops))
    return await settlesWithin(Promise.all(ends), timeoutMs)
  } finally {
    for (const stop of stops) stop()
  }
}

function watchUntil(pid: number, stops: (() => void)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    try {
      stops.push(onPidfdExit(pidfdOpen(pid), resolve))
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') resolve()
      else reject(error)
    }
  })
}

/** The fields of /proc/PID/stat after the second, which may contain spaces and brackets. The first one is the state. */
function statFields(pid: number): string[] | undefined {
  const text = readProc(pid, 'stat')
  return text?.slice(text.lastIndexOf(') ') + 2).split(' ')
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
