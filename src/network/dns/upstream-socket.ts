/** A UDP socket to one upstream server, shared by many questions at a time. Answers are told apart by a random id and
 *  their question; the socket, and with it the random source port, is changed after a while, so that somebody who
 *  guesses has little to guess on (RFC 5452). */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { messageOf } from '../../base/index.ts'
import { bindDatagramSocket } from '../../sys/index.ts'
import { isAnswerTo, type Query } from './message.ts'

/** Runs synchronous work in the network namespace that a server is asked from. */
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

  /** Opens a socket in the namespace that `enter` enters. Throws the system's error. */
  static open(address: string, enter: Enter): UpstreamSocket {
    const v6 = isIPv6(address.split('%')[0] ?? '')
    const { fd } = enter(() => bindDatagramSocket(v6 ? '::' : '0.0.0.0'))
    const socket = createSocket(v6 ? 'udp6' : 'udp4')
    const upstream = new UpstreamSocket(socket)
    socket.on('error', (error) => upstream.#fail(error))
    socket.on('message', (message) => upstream.#receive(message))
    socket.bind({ fd })
    // Connected: the kernel drops what others send, and says when nobody listens there.
    socket.once('connect', () => upstream.#start())
    socket.connect(dnsPort, address)
    socket.unref()
    return upstream
  }

  /** Whether more questions should go through a new socket. */
  get worn(): boolean {
    return this.#closed || this.#asked >= maxQuestions || performance.now() - this.#born > maxAgeMs
  }

  /** Asks; `answered` or `failed` is called once at most. Returns what forgets the question. */
  ask(query: Query, answered: (response: Buffer) => void, failed: (error: Error) => void): () => void {
    const id = this.#freeId()
    const bytes = Buffer.from(query.bytes)
    bytes.writeUInt16BE(id, 0)
    this.#asked += 1
    this.#pending.set(id, { query, answered, failed })
    // A failure of `send` says that the kernel refused this message; the socket itself goes on.
    const send = () => this.#socket.send(bytes, (error) => error && this.#take(id)?.failed(error))
    if (this.#connected) send()
    else this.#waiting.push(send)
    return () => {
      this.#take(id)
    }
  }

  /** Takes no more questions, and closes when the last one is answered or forgotten. */
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

  /** The server's host or port can't be reached: no question that waits will be answered. */
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
