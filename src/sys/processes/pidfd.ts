/** Pid descriptors: the race-free way to watch and signal a process. */

import { closeFd } from '../native/fd.ts'
import { syscall } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

// System call numbers above 423 are the same on every architecture.
const numberPidfdSendSignal = 424
const numberPidfdOpen = 434

const syscall2 = syscall('int64_t syscall(int64_t number, int64_t a, int64_t b)')
const syscall4 = syscall('int64_t syscall(int64_t number, int64_t a, int64_t b, void *c, int64_t d)')

/** A close-on-exec descriptor for a process; ESRCH when there is none. */
export function pidfdOpen(pid: number): number {
  return syscall2(numberPidfdOpen, pid, 0)
}

/** Signals the very process that the descriptor stands for; ESRCH once it was reaped. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  syscall4(numberPidfdSendSignal, pidfd, signal, null, 0)
}

/** Calls back once when the process ends (its exit status may still wait to be reaped), then closes the descriptor
 *  (it does that as well when it throws). Returns a function that gives up the watch. */
export function onPidfdExit(pidfd: number, callback: () => void, options: PollOptions = {}): () => void {
  let poll: FdPoll | undefined
  let active = true
  const stop = () => {
    if (!active) return
    active = false
    poll?.stop()
    closeFd(pidfd)
  }
  const onExit = () => {
    stop()
    callback()
  }
  try {
    poll = FdPoll.start(pidfd, { read: true }, onExit, options)
  } catch (error) {
    stop()
    throw error
  }
  return stop
}
