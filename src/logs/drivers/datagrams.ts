/** Sending datagrams by UDP. Nobody confirms them: a server that is not there goes unnoticed, as with Docker. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { dialError, joinHostPort } from './dial.ts'

export class UdpSender {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    // "Connection refused" of an earlier datagram.
    socket.on('error', () => {})
    socket.unref()
  }

  /** Looks the host up once. Throws `unavailable` in Go's words. */
  static async open(host: string, port: number): Promise<UdpSender> {
    try {
      const { address, family } = await lookup(host === '' ? 'localhost' : host)
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      await new Promise<void>((resolve) => socket.connect(port, address, resolve))
      return new UdpSender(socket)
    } catch (error) {
      throw dialError('udp', joinHostPort(host, port), error)
    }
  }

  /** Resolves when the kernel took it, or refused it for what happened to an earlier one. */
  async send(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.send(bytes, () => resolve())
    })
  }

  close(): void {
    this.#socket.close()
  }
}
