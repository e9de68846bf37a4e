/** A UDP server. `node:dgram` spends several times more per message than the two system calls take. Here, one turn of
 *  the event loop handles all pending messages. Main thread only (see `poll.ts`). */
import { closeFd } from '../native/fd.ts'
import { errno, rawSyscall } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'

/** Sends an answer to the sender of a message, at any time. An answer that can't be sent is lost, as datagrams may
 *  be. */
export type DatagramReply = (bytes: Buffer) => void

/** Handles a message. `sender` identifies the sender: its address and port, as a `struct sockaddr`. */
export type DatagramHandler = (message: Buffer, reply: DatagramReply, sender: Buffer) => void

const MSG_DONTWAIT = 0x40
const maxDatagram = 65536
const addressSize = 28
/** Messages per event. The limit lets other work run. */
const atOnce = 64

const receiveFrom = rawSyscall(
  'intptr_t recvfrom(int fd, _Out_ void *bytes, size_t length, int flags, _Out_ void *address, _Inout_ uint32_t *addressLength)',
)
const sendTo = rawSyscall(
  'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t addressLength)',
)

/** Shared buffers. Their content is copied before the next message is read. */
const bytes = Buffer.alloc(maxDatagram)
const address = Buffer.alloc(addressSize)
const addressLength = new Uint32Array(1)

/** Serves one socket. */
export class DatagramServer {
  readonly #fd: number
  readonly #onMessage: DatagramHandler
  readonly #poll: FdPoll
  #closed = false

  private constructor(fd: number, onMessage: DatagramHandler) {
    this.#fd = fd
    this.#onMessage = onMessage
    this.#poll = FdPoll.start(fd, { read: true }, () => this.#receive(), { unref: true })
  }

  /** Takes over a bound socket and serves it. It does not keep the process running. */
  static serve(fd: number, onMessage: DatagramHandler): DatagramServer {
    return new DatagramServer(fd, onMessage)
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll.stop()
    closeFd(this.#fd)
  }

  #receive(): void {
    for (let count = 0; count < atOnce && !this.#closed; count += 1) {
      addressLength[0] = addressSize
      const length = receiveFrom(this.#fd, bytes, maxDatagram, MSG_DONTWAIT, address, addressLength)
      if (length === -errno.EAGAIN) return
      // An earlier answer was refused (ECONNREFUSED), or the call was interrupted. Continue with the next message.
      if (length < 0) continue
      const sender = Buffer.from(address.subarray(0, addressLength[0]))
      this.#onMessage(Buffer.from(bytes.subarray(0, length)), (answer) => this.#send(answer, sender), sender)
    }
  }

  #send(answer: Buffer, sender: Buffer): void {
    if (!this.#closed) sendTo(this.#fd, answer, answer.length, MSG_DONTWAIT, sender, sender.length)
  }
}
