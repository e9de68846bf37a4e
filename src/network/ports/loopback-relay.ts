/** Published ports at ::1. The kernel takes no packet from or to ::1 off the loopback device (RFC 4291, 2.5.3), whatever
 *  the packet filter makes of it, so TCP connections of the host's own programs to ::1 are carried by the daemon.
 *  All other addresses go through the packet filter and don't depend on the daemon. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Where connections go. */
export interface RelayTarget {
  readonly address: string
  readonly port: number
}

/** A listening relay. */
export interface Relay {
  /** Ends it with all its connections. Idempotent. */
  close(): void
}

/** Accepts on a bound socket, which belongs to the relay from now on. `target` is asked for each connection; without one
 *  it is refused. */
export function relayConnections(fd: number, target: () => RelayTarget | undefined): Relay {
  const open = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const to = target()
    if (to === undefined) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: to.address, port: to.port, allowHalfOpen: true })
    join(client, upstream, open)
    join(upstream, client, open)
  })
  // EADDRINUSE: a program that reuses addresses came in between; it has the port at ::1 then.
  server.on('error', () => server.close())
  server.listen({ fd })
  server.unref()
  return {
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** One direction: bytes and the end pass on, a failure ends both. */
function join(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from)
  from.unref()
  from.setNoDelay(true)
  from.on('error', () => to.destroy())
  from.on('close', () => {
    open.delete(from)
    if (!from.readableEnded) to.destroy()
  })
  from.pipe(to)
}
