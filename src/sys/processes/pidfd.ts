/** Pid descriptors, which watch and signal a process without races. pidfd_open(2) */
import { closeFd } from '../native/fd.ts'
import { syscall } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

// System call numbers above 423 are the same on every architecture.
const numberPidfdSendSignal = 424
const numberPidfdOpen = 434

const syscall2 = syscall('int64_t syscall(int64_t number, int64_t a, int64_t b)')
const syscall4 = syscall('int64_t syscall(int64_t number, int64_t a, int64_t b, void *c, int64_t d)')

/** Opens a close-on-exec descriptor for a process; the caller closes it. Throws ESRCH when there is no such process. */
export function pidfdOpen(pid: number): number {
  return syscall2(numberPidfdOpen, pid, 0)
}

/** Signals the process of the descriptor, never another one with the same pid. Throws ESRCH once it was reaped. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  syscall4(numberPidfdSendSignal, pidfd, signal, null, 0)
}

/** Takes over the descriptor, and calls back once when the process ends (it may not be reaped yet). The descriptor is
 *  then closed. Returns a function that ends the watch and closes the descriptor. Closes it also when it throws. */
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
