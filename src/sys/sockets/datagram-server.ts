/** A UDP socket that answers. What `node:dgram` does around each message costs several times more than the two system
 *  calls; here a turn of the event loop takes all messages that wait. Main thread only (see `poll.ts`). */
import { closeFd } from '../native/fd.ts'
import { errno, rawSyscall } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'

/** Sends an answer to where a message came from, now or later. An answer that can't be sent is lost, as datagrams are. */
export type DatagramReply = (bytes: Buffer) => void

/** Takes a message; `sender` tells senders apart (their address and port, as the kernel has it). */
export type DatagramHandler = (message: Buffer, reply: DatagramReply, sender: Buffer) => void

const MSG_DONTWAIT = 0x40
const maxDatagram = 65536
const addressSize = 28
/** After so many messages others have their turn. */
const atOnce = 64

const receiveFrom = rawSyscall(
  'intptr_t recvfrom(int fd, _Out_ void *bytes, size_t length, int flags, _Out_ void *address, _Inout_ uint32_t *addressLength)',
)
const sendTo = rawSyscall(
  'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t addressLength)',
)

/** Shared: everything in it is copied before the next message is read. */
const bytes = Buffer.alloc(maxDatagram)
const address = Buffer.alloc(addressSize)
const addressLength = new Uint32Array(1)

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

  /** Serves a bound socket, which it owns from here on. It does not keep the process running. */
  static serve(fd: number, onMessage: DatagramHandler): DatagramServer {
    return new DatagramServer(fd, onMessage)
  }

  /** Idempotent. */
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
      // An earlier answer found nobody (ECONNREFUSED), or the call was interrupted: the next message is as good as any.
      if (length < 0) continue
      const sender = Buffer.from(address.subarray(0, addressLength[0]))
      this.#onMessage(Buffer.from(bytes.subarray(0, length)), (answer) => this.#send(answer, sender), sender)
    }
  }

  #send(answer: Buffer, sender: Buffer): void {
    if (!this.#closed) sendTo(this.#fd, answer, answer.length, MSG_DONTWAIT, sender, sender.length)
  }
}
