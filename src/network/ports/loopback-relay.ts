/** Relays published TCP ports at ::1, and at IPv6 addresses of the host for a container with IPv4 only. The kernel
 *  sends no packet from or to ::1 through another device than loopback (RFC 4291, 2.5.3), so the packet filter can't
 *  translate it; nor can it translate between the families. The daemon carries these connections. All others go
 *  through the packet filter and don't depend on the daemon. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** An address and port in a container. */
export interface RelayTarget {
  readonly address: string
  readonly port: number
}

/** A listening relay. */
export interface Relay {
  /** Closes the relay and all its connections. Idempotent. */
  close(): void
}

/** Accepts connections on a bound socket, which the relay owns from now on. `target` is called for each connection;
 *  without a target the connection is reset. */
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
  // EADDRINUSE: another program with SO_REUSEADDR bound the port first. It keeps the port at this address.
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

/** One direction: passes on bytes and the end of the stream. A failure closes both sockets. */
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
