/** The DNS server of one container. Its sockets are at 127.0.0.11 in the container's namespace and are served by the
 *  daemon. They have random ports, and port 53 of that address is redirected to them. So the container can still run a
 *  DNS server on port 53 of all addresses. */
import { createServer, type Server, type Socket } from 'node:net'
import { errnoOf, type Logger } from '../../base/index.ts'
import {
  type BoundSocket,
  bindDatagramSocket,
  DatagramServer,
  inNetworkNamespace,
  listenOnSocket,
} from '../../sys/index.ts'
import { framed, MessageReader } from './framing.ts'
import type { Transport } from './message.ts'
import { earlierRedirects, PortRedirect } from './port-redirect.ts'

/** Gives the answer to one message; undefined for no answer. */
export type Answer = (message: Buffer, transport: Transport) => Buffer | undefined | Promise<Buffer | undefined>

/** The address of the embedded DNS in every container, the same as Docker's. */
export const serverAddress = '127.0.0.11'
const idleMs = 10_000
const maxConnections = 128
/** With more unread answers, a TCP client's further questions are not read. */
const maxUnsentBytes = 256 * 1024

export class DnsServer {
  readonly #datagrams: DatagramServer
  readonly #streams: Server
  readonly #connections = new Set<Socket>()
  readonly #answer: Answer
  #redirect: PortRedirect | undefined
  #closed = false

  private constructor(udp: BoundSocket, tcp: BoundSocket, answer: Answer) {
    this.#answer = answer
    this.#datagrams = DatagramServer.serve(udp.fd, (message, reply) => this.#serve(message, 'udp', reply))
    this.#streams = createServer((socket) => this.#accept(socket))
    this.#streams.maxConnections = maxConnections
    this.#streams.on('error', ignore)
    this.#streams.listen({ fd: tcp.fd })
    this.#streams.unref()
  }

  /** Opens the sockets at once. `ready` resolves when port 53 leads to them. Throws the system's error. If `ready`
   *  rejects, the caller calls `close`. */
  static open(
    netnsPath: string,
    answer: Answer,
    logger: Logger,
  ): { readonly server: DnsServer; readonly ready: Promise<void> } {
    return inNetworkNamespace(netnsPath, () => {
      const earlier = earlierRedirects()
      const udp = bindOrElse((port) => bindDatagramSocket(serverAddress, port), earlier.ports.udp)
      const tcp = bindOrElse((port) => listenOnSocket(serverAddress, port), earlier.ports.tcp)
      const server = new DnsServer(udp, tcp, answer)
      const ports = { udp: udp.port, tcp: tcp.port }
      const { redirect, ready } = PortRedirect.open({ netnsPath, address: serverAddress, ports, logger }, earlier)
      server.#redirect = redirect
      return { server, ready }
    })
  }

  /** Closes all sockets at once, so that the namespace can be removed. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#redirect?.close()
    this.#datagrams.close()
    this.#streams.close()
    for (const connection of this.#connections) connection.destroy()
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket)
    socket.unref()
    socket.setTimeout(idleMs, () => socket.destroy())
    socket.on('close', () => this.#connections.delete(socket))
    // The client reset the connection and needs no answer.
    socket.on('error', ignore)
    socket.on('drain', () => socket.resume())
    const reader = new MessageReader((message) => {
      this.#serve(message, 'tcp', (response) => {
        if (socket.destroyed) return
        socket.write(framed(response))
        if (socket.writableLength > maxUnsentBytes) socket.pause()
      })
    })
    socket.on('data', (chunk: Buffer) => reader.push(chunk))
  }

  #serve(message: Buffer, transport: Transport, send: (response: Buffer) => void): void {
    const response = this.#answer(message, transport)
    if (response === undefined) return
    if (Buffer.isBuffer(response)) send(response)
    else void response.then((late) => late !== undefined && !this.#closed && send(late))
  }
}

/** Binds to `port` if it is free, else to another one; 0 stands for any. */
function bindOrElse(bind: (port: number) => BoundSocket, port: number): BoundSocket {
  try {
    return bind(port)
  } catch (error) {
    // A program of the container took the port while no daemon ran.
    if (port === 0 || errnoOf(error) === undefined) throw error
    return bind(0)
  }
}

function ignore(): void {}
