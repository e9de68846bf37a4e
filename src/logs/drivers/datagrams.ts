/** Sends datagrams by UDP. They are not confirmed: as in Docker, a missing server goes unnoticed. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { dialError, joinHostPort } from './dial.ts'

/** Sends to one host and port. */
export class UdpSender {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    // "Connection refused" for an earlier datagram.
    socket.on('error', () => {})
    socket.unref()
  }

  /** Resolves the host once. Throws `unavailable` with Go's text. */
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

  /** Resolves when the kernel took the datagram, or refused it because of an earlier one. */
  async send(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.send(bytes, () => resolve())
    })
  }

  close(): void {
    this.#socket.close()
  }
}
