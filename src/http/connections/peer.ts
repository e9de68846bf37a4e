/** Whether somebody is still at the other end of a connection. */
import type { Duplex } from 'node:stream'
import { isHungUp } from '../../sys/index.ts'
import { descriptorOf } from './leave-parser.ts'

const defaultIntervalMs = 10_000

/** Destroys a connection that may be half closed when its client has gone altogether. Both begin alike, with the end of
 *  what the client sends, and one that waits for output in silence would be kept for ever otherwise. Does nothing for
 *  TCP, where only a write tells. */
export function endWithPeer(socket: Duplex, intervalMs = defaultIntervalMs): void {
  socket.once('end', () => {
    const check = (): void => {
      const fd = descriptorOf(socket)
      if (fd !== undefined && isHungUp(fd)) socket.destroy()
    }
    check()
    if (socket.destroyed) return
    // It may close one side now and leave later, which nobody is told.
    const timer = setInterval(check, intervalMs).unref()
    socket.once('close', () => clearInterval(timer))
  })
}
