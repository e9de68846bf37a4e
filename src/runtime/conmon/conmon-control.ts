/** Messages to a running conmon through the `ctl` fifo of its bundle, and a check whether that conmon runs. */
import { constants } from 'node:fs'
import { conflict, errnoOf, type TerminalSize } from '../../base/index.ts'
import { closeFd, openFd, writeFd } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'

/** conmon refuses anything larger. */
const maxCells = 1000

/** Sets the window size of a container's terminal. Throws `conflict` when the container does not run. */
export function resizeTerminal(bundle: string, { width, height }: TerminalSize): void {
  send(bundle, `1 ${clamp(height)} ${clamp(width)}\n`)
}

/** Makes conmon reopen its log, after the file was renamed. Throws `conflict` when the container does not run. */
export function reopenLog(bundle: string): void {
  send(bundle, '2 0 0\n')
}

/** True while the conmon of this bundle runs. Only conmon reads from its fifo, and a fifo without a reader can't be
 *  opened for writing. This check uses no pid, so a reused pid can't mislead it. */
export function isConmonAlive(bundle: string): boolean {
  const fd = openControl(bundle)
  if (fd === undefined) return false
  closeFd(fd)
  return true
}

function send(bundle: string, message: string): void {
  const fd = openControl(bundle)
  if (fd === undefined) throw conflict('container is not running')
  try {
    // The message is shorter than PIPE_BUF, so it is written completely or not at all (EAGAIN after a flood of
    // resizes).
    writeFd(fd, Buffer.from(message))
  } finally {
    closeFd(fd)
  }
}

function openControl(bundle: string): number | undefined {
  try {
    return openFd(bundleFiles(bundle).control, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENXIO' || code === 'ENOENT') return undefined
    throw error
  }
}

function clamp(cells: number): number {
  return Math.max(0, Math.min(maxCells, Math.trunc(cells)))
}
