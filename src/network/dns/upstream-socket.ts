/** A UDP socket to one upstream server, shared by many questions. A random id and the question assign each answer. The
 *  socket, and with it the random source port, is replaced after some time, so that forged answers are hard to guess
 *  (RFC 5452). */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { messageOf } from '../../base/index.ts'
import { bindDatagramSocket } from '../../sys/index.ts'
import { isAnswerTo, type Query } from './message.ts'

/** Runs synchronous work in the network namespace from which a server is asked. */
export type Enter = <T>(work: () => T) => T

interface Pending {
  readonly query: Query
  readonly answered: (response: Buffer) => void
  readonly failed: (error: Error) => void
}

const dnsPort = 53
const maxQuestions = 2000
const maxAgeMs = 10_000

export class UpstreamSocket {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  readonly #born = performance.now()
  #asked = 0
  #connected = false
  #waiting: (() => void)[] = []
  #retired = false
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Opens a socket in the namespace of `enter`. Throws the system's error. */
  static open(address: string, enter: Enter): UpstreamSocket {
    const v6 = isIPv6(address.split('%')[0] ?? '')
    const { fd } = enter(() => bindDatagramSocket(v6 ? '::' : '0.0.0.0'))
    const socket = createSocket(v6 ? 'udp6' : 'udp4')
    const upstream = new UpstreamSocket(socket)
    socket.on('error', (error) => upstream.#fail(error))
    socket.on('message', (message) => upstream.#receive(message))
    socket.bind({ fd })
    // On a connected socket the kernel drops other senders' datagrams, and reports a closed port.
    socket.once('connect', () => upstream.#start())
    socket.connect(dnsPort, address)
    socket.unref()
    return upstream
  }

  /** True if further questions should use a new socket. */
  get worn(): boolean {
    return this.#closed || this.#asked >= maxQuestions || performance.now() - this.#born > maxAgeMs
  }

  /** Sends a question. `answered` or `failed` is called at most once. Returns a function that gives the question up. */
  ask(query: Query, answered: (response: Buffer) => void, failed: (error: Error) => void): () => void {
    const id = this.#freeId()
    const bytes = Buffer.from(query.bytes)
    bytes.writeUInt16BE(id, 0)
    this.#asked += 1
    this.#pending.set(id, { query, answered, failed })
    // If `send` fails, the kernel refused this message only. The socket stays usable.
    const send = () => this.#socket.send(bytes, (error) => error && this.#take(id)?.failed(error))
    if (this.#connected) send()
    else this.#waiting.push(send)
    return () => {
      this.#take(id)
    }
  }

  /** Closes the socket when its last question is answered or given up. */
  retire(): void {
    this.#retired = true
    if (this.#pending.size === 0) this.close()
  }

  /** Closes at once. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = []
    this.#pending.clear()
    this.#socket.close()
  }

  #start(): void {
    if (this.#closed) return
    this.#connected = true
    for (const send of this.#waiting) send()
    this.#waiting = []
  }

  #receive(message: Buffer): void {
    if (message.length < 2) return
    const id = message.readUInt16BE(0)
    const pending = this.#pending.get(id)
    if (pending === undefined || !isAnswerTo(message, pending.query, id)) return
    this.#take(id)?.answered(message)
  }

  /** Fails all open questions: the server's host or port can't be reached. */
  #fail(cause: Error): void {
    const error = new Error(messageOf(cause), { cause })
    const all = [...this.#pending.values()]
    this.#pending.clear()
    if (!this.#connected || this.#retired) this.close()
    for (const pending of all) pending.failed(error)
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#retired && this.#pending.size === 0) this.close()
    return pending
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(65536)
      if (!this.#pending.has(id)) return id
    }
  }
}
