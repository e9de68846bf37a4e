/** Messages to a running conmon through the `ctl` fifo of its bundle, and a check whether that conmon runs. */
import { constants } from 'node:fs'
import { conflict, errnoOf, type TerminalSize } from '../../base/index.ts'
import { closeFd, openFd, unreadBytes, writeFd } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'

/** conmon refuses anything larger. */
const maxCells = 1000

/** How often to look whether conmon has read a message, and how long to wait for that, in milliseconds. */
const lookMs = 2
const patienceMs = 5000

/** Messages that conmon has not got yet. Of several sizes only the latest one is sent. */
interface Messages {
  size: string | undefined
  reopen: boolean
}

/** By bundle; an entry stays until conmon has read everything. */
const queues = new Map<string, Messages>()

/** Sets the window size of a container's terminal. Of several sizes at once the latest one counts. Throws `conflict`
 *  when the container does not run. */
export function resizeTerminal(bundle: string, { width, height }: TerminalSize): void {
  send(bundle, { size: `1 ${clamp(height)} ${clamp(width)}\n` })
}

/** Makes conmon reopen its log, after the file was renamed. Throws `conflict` when the container does not run. */
export function reopenLog(bundle: string): void {
  send(bundle, { reopen: true })
}

/** True while the conmon of this bundle runs. Only conmon reads from its fifo, and a fifo without a reader can't be
 *  opened for writing. This check uses no pid, so a reused pid can't mislead it. */
export function isConmonAlive(bundle: string): boolean {
  const fd = openControl(bundle)
  if (fd === undefined) return false
  closeFd(fd)
  return true
}

/** Sends messages, or adds them to those that wait. */
function send(bundle: string, { size, reopen = false }: { readonly size?: string; readonly reopen?: boolean }): void {
  if (!isConmonAlive(bundle)) throw conflict('container is not running')
  const queue = queues.get(bundle)
  if (queue === undefined) {
    const messages = { size, reopen }
    queues.set(bundle, messages)
    deliver(bundle, messages, Date.now())
  } else {
    queue.size = size ?? queue.size
    queue.reopen ||= reopen
  }
}

/** conmon handles one message per read. If one read gives it two, it carries out the first one twice and never the
 *  second one. It passes sizes on to itself through a second fifo, with the same fault. So a message is written only
 *  when both fifos are empty. `sinceMs`: when the last one was written. */
function deliver(bundle: string, messages: Messages, sinceMs: number): void {
  const fd = openControl(bundle)
  const isDue = fd !== undefined && (isAllRead(bundle, fd) || Date.now() - sinceMs > patienceMs)
  const message = messages.reopen ? '2 0 0\n' : messages.size
  if (fd === undefined || (isDue && message === undefined)) {
    queues.delete(bundle)
    if (fd !== undefined) closeFd(fd)
    return
  }
  if (isDue && message !== undefined) {
    // The message is shorter than PIPE_BUF, so it is written completely or not at all.
    writeFd(fd, Buffer.from(message))
    if (messages.reopen) messages.reopen = false
    else messages.size = undefined
  }
  closeFd(fd)
  setTimeout(() => deliver(bundle, messages, isDue ? Date.now() : sinceMs), lookMs).unref()
}

/** True when conmon has read both fifos to their ends. Only a container with a terminal has the second one. */
function isAllRead(bundle: string, control: number): boolean {
  if (unreadBytes(control) > 0) return false
  const fd = openFifo(bundleFiles(bundle).windowSize)
  if (fd === undefined) return true
  const count = unreadBytes(fd)
  closeFd(fd)
  return count === 0
}

function openControl(bundle: string): number | undefined {
  return openFifo(bundleFiles(bundle).control)
}

/** Opens a fifo for writing. Undefined when it does not exist or nothing reads from it. */
function openFifo(path: string): number | undefined {
  try {
    return openFd(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENXIO' || code === 'ENOENT') return undefined
    throw error
  }
}

function clamp(cells: number): number {
  return Math.max(0, Math.min(maxCells, Math.trunc(cells)))
}
