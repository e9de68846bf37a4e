/** What the daemon keeps in memory about a container: descriptors and watches, which can be rebuilt from files. */
import { errnoOf } from '../../base/index.ts'
import { closeFd, onPidfdExit, pidfdOpen } from '../../sys/index.ts'
import type { OciRuntime } from '../oci-runtime/oci-runtime.ts'
import type { ExitInfo } from './exit-info.ts'

/** A container whose monitor is watched, or that has ended. */
export interface LiveContainer {
  readonly pid: number
  readonly runtime: OciRuntime
  readonly command: string
  /** Pid descriptor of the container's first process; -1 once that has ended. */
  pidfd: number
  exit: ExitInfo | undefined
  readonly ended: PromiseWithResolvers<ExitInfo>
  stopWatching: () => void
  /** How many clients attached so far, and when the last one did (`performance.now()`). */
  early: { readonly clients: number; readonly at: number }
}

const noneEarly = { clients: 0, at: 0 }

/** A container that was just created or found. */
export interface FoundContainer {
  readonly pid: number
  readonly conmonPid: number
  readonly runtime: OciRuntime
  readonly command: string
}

/** Starts to watch a container's monitor. `onMonitorEnd` runs once, when the monitor has ended; soon after this call if
 *  it had ended before. */
export function watchContainer(found: FoundContainer, onMonitorEnd: (live: LiveContainer) => void): LiveContainer {
  const { pid, runtime, command } = found
  const ended = Promise.withResolvers<ExitInfo>()
  const pidfd = tryPidfd(pid)
  const live: LiveContainer = {
    pid,
    runtime,
    command,
    pidfd,
    exit: undefined,
    ended,
    stopWatching() {},
    early: noneEarly,
  }
  const conmon = tryPidfd(found.conmonPid)
  const giveUp = conmon === -1 ? () => {} : onPidfdExit(conmon, () => onMonitorEnd(live), { unref: true })
  live.stopWatching = () => {
    giveUp()
    if (live.pidfd !== -1) closeFd(live.pidfd)
    live.pidfd = -1
  }
  if (conmon === -1) queueMicrotask(() => onMonitorEnd(live))
  return live
}

/** A container that ended before the daemon could watch it. */
export function endedContainer(runtime: OciRuntime, exit: ExitInfo): LiveContainer {
  const ended = Promise.withResolvers<ExitInfo>()
  ended.resolve(exit)
  return { pid: 0, runtime, command: '', pidfd: -1, exit, ended, stopWatching() {}, early: noneEarly }
}

/** Records the end and resolves `ended`. */
export function settle(live: LiveContainer, exit: ExitInfo): void {
  live.exit = exit
  live.stopWatching()
  live.ended.resolve(exit)
}

function tryPidfd(pid: number): number {
  if (pid <= 0) return -1
  try {
    return pidfdOpen(pid)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return -1
    throw error
  }
}
