/** Published UDP ports where the packet filter can't translate: at ::1 (see `loopback-relay.ts`), and at IPv6 addresses
 *  of the host for a container that has IPv4 alone. The daemon carries these datagrams, with a socket for each client, so
 *  that answers find their way. Nothing but the port's own socket is kept while nobody sends. */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { DatagramServer } from '../../sys/index.ts'
import type { Relay, RelayTarget } from './loopback-relay.ts'

/** A client that has neither sent nor been answered for so long is forgotten; Docker's proxy has the same. */
const idleMs = 90_000
/** Of one port. With more, the one that was silent for longest is forgotten: senders' addresses can be made up. */
const maxClients = 1024

interface Client {
  readonly socket: Socket
  lastUsed: number
}

/** Serves a bound socket, which belongs to the relay from now on. `target` is asked for each datagram; without one it is
 *  lost. */
export function relayDatagrams(fd: number, target: () => RelayTarget | undefined): Relay {
  /** By the container's address and the client's, the one that was silent for longest first. */
  const clients = new Map<string, Client>()
  let sweeper: NodeJS.Timeout | undefined

  function forget(key: string): void {
    clients.get(key)?.socket.close()
    clients.delete(key)
    if (clients.size > 0) return
    clearInterval(sweeper)
    sweeper = undefined
  }

  function touch(key: string, client: Client): void {
    client.lastUsed = performance.now()
    clients.delete(key)
    clients.set(key, client)
  }

  function sweep(): void {
    const limit = performance.now() - idleMs
    for (const [key, { lastUsed }] of clients) {
      if (lastUsed > limit) return
      forget(key)
    }
  }

  function open(key: string, { address }: RelayTarget, reply: (bytes: Buffer) => void): Client {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const client = { socket, lastUsed: 0 }
    socket.unref()
    socket.on('message', (message, from) => {
      const to = target()
      if (to?.address !== from.address || to.port !== from.port) return
      touch(key, client)
      reply(message)
    })
    // What can't be sent is lost, as datagrams are.
    socket.on('error', () => {
      if (clients.get(key) === client) forget(key)
    })
    const [oldest] = clients.keys()
    if (clients.size >= maxClients && oldest !== undefined) forget(oldest)
    sweeper ??= setInterval(sweep, idleMs / 3).unref()
    return client
  }

  const server = DatagramServer.serve(fd, (message, reply, sender) => {
    const to = target()
    if (to === undefined) return
    const key = `${to.address} ${sender.toString('latin1')}`
    const client = clients.get(key) ?? open(key, to, reply)
    touch(key, client)
    client.socket.send(message, to.port, to.address, () => {})
  })
  return {
    close() {
      server.close()
      for (const key of clients.keys()) forget(key)
    },
  }
}
