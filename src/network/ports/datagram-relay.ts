/** Relays published UDP ports that the packet filter can't translate: at ::1 (see `loopback-relay.ts`), and at IPv6
 *  addresses of the host for a container with IPv4 only. The daemon keeps a socket for each client, so that answers go
 *  back to the right one. Idle clients are dropped. */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { DatagramServer } from '../../sys/index.ts'
import type { Relay, RelayTarget } from './loopback-relay.ts'

/** A client that neither sent nor got an answer for this time is dropped, as in Docker's proxy. */
const idleMs = 90_000
/** Of one port. Above this the client that was idle longest is dropped: source addresses can be forged. */
const maxClients = 1024

interface Client {
  readonly socket: Socket
  lastUsed: number
}

/** Relays the datagrams of a bound socket, which the relay owns from now on. `target` is called for each datagram;
 *  without a target the datagram is dropped. */
export function relayDatagrams(fd: number, target: () => RelayTarget | undefined): Relay {
  /** By the container's and the client's addresses. The first one was idle longest. */
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
    // A datagram that can't be sent is lost, as UDP allows.
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
