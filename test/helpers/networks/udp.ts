/** UDP in the test's own process, in any network namespace: a server that sends everything back, and a client. */
import { createSocket, type Socket } from 'node:dgram'
import { bindDatagramSocket, inNetworkNamespace } from '../../../src/sys/index.ts'

const ownNamespace = '/proc/self/ns/net'

/** Sends back every datagram until it is closed. */
export class UdpEcho implements Disposable {
  readonly #socket: Socket
  readonly clients = new Set<string>()

  /** Listens on all addresses of the namespace. */
  constructor(netns: string, port: number) {
    const { fd } = inNetworkNamespace(netns, () => bindDatagramSocket('::', port))
    this.#socket = createSocket('udp6').bind({ fd })
    this.#socket.on('message', (message, from) => {
      this.clients.add(from.address)
      this.#socket.send(message, from.port, from.address)
    })
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

/** One client on one port. It only receives from its peer, like a connected socket. */
export class UdpClient implements Disposable {
  readonly #socket: Socket
  readonly #address: string
  readonly #port: number

  constructor(address: string, port: number, netns = ownNamespace) {
    const isIpv6 = address.includes(':')
    const { fd } = inNetworkNamespace(netns, () => bindDatagramSocket(isIpv6 ? '::' : '0.0.0.0'))
    this.#socket = createSocket(isIpv6 ? 'udp6' : 'udp4').bind({ fd })
    this.#address = address
    this.#port = port
  }

  /** Sends a text; returns the next answer, or '' if none comes. */
  ask(text: string, waitMs = 1000): Promise<string> {
    return new Promise((resolve) => {
      const done = (answer: string) => {
        clearTimeout(timer)
        this.#socket.removeAllListeners('message')
        resolve(answer)
      }
      const timer = setTimeout(done, waitMs, '')
      this.#socket.on('message', (message, from) => {
        if (from.address === this.#address && from.port === this.#port) done(message.toString())
      })
      this.#socket.send(text, this.#port, this.#address)
    })
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}
