/** Detects that the other end of a half-closed connection has gone. */
import type { Duplex } from 'node:stream'
import { isHungUp } from '../../sys/index.ts'
import { descriptorOf } from './leave-parser.ts'

const defaultIntervalMs = 10_000

/** Destroys a connection once its client has closed both directions. A client that closes only its sending side, to
 *  wait for output, looks the same at first; without a check, a connection without output would be kept forever.
 *  Does nothing for TCP, where only a write shows the difference. */
export function endWithPeer(socket: Duplex, intervalMs = defaultIntervalMs): void {
  socket.once('end', () => {
    const check = (): void => {
      const fd = descriptorOf(socket)
      if (fd !== undefined && isHungUp(fd)) socket.destroy()
    }
    check()
    if (socket.destroyed) return
    // The client may close the other direction later, and no event reports that.
    const timer = setInterval(check, intervalMs).unref()
    socket.once('close', () => clearInterval(timer))
  })
}
