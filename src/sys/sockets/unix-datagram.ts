/** A sender to a datagram unix socket, such as journald's or /dev/log. `node:dgram` can't open these. Never blocks. */
import { closeFd, writeFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'
import { withUnixAddress } from '../native/unix-address.ts'

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const connectCall = rawSyscall('int connect(int fd, const void *address, uint32_t length)')

const afUnix = 1
const sockDgram = 2
const sockNonblock = 0o4000
const sockCloexec = 0o2000000

/** One connected socket. */
export class UnixDatagramSocket {
  readonly #fd: number
  #closed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Connects to the socket at `path`. Throws ENOENT, ECONNREFUSED (no process receives) or EPROTOTYPE (it is a stream
   *  socket). */
  static connect(path: string): UnixDatagramSocket {
    const fd = socketCall(afUnix, sockDgram | sockNonblock | sockCloexec, 0)
    const result = withUnixAddress(path, (address) => connectCall(fd, address, address.byteLength))
    if (result === 0) return new UnixDatagramSocket(fd)
    closeFd(fd)
    throw systemError(result, 'connect', path)
  }

  /** Sends one datagram; waits while the receiver's queue is full. Rejects with a system error (EMSGSIZE,
   *  ECONNREFUSED). Main thread only. */
  async send(data: Uint8Array): Promise<void> {
    for (;;) {
      const result = this.#closed ? -errno.EPIPE : writeFd(this.#fd, data)
      if (result >= 0) return
      if (result !== -errno.EAGAIN) throw systemError(result, 'send')
      await this.#writable()
    }
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeFd(this.#fd)
  }

  async #writable(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const poll = FdPoll.start(this.#fd, { write: true }, () => resolve(), { unref: true })
    try {
      await promise
    } finally {
      poll.stop()
    }
  }
}
