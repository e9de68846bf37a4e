/** A sender to a datagram unix socket (journald's, /dev/log), which `node:dgram` can't open. Never blocks. */
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

  /** Throws a system error: ENOENT, ECONNREFUSED (nobody receives), EPROTOTYPE (a stream socket is there). */
  static connect(path: string): UnixDatagramSocket {
    const fd = socketCall(afUnix, sockDgram | sockNonblock | sockCloexec, 0)
    const result = withUnixAddress(path, (address) => connectCall(fd, address, address.byteLength))
    if (result === 0) return new UnixDatagramSocket(fd)
    closeFd(fd)
    throw systemError(result, 'connect', path)
  }

  /** Sends one datagram, waiting while the receiver's queue is full. Throws a system error (EMSGSIZE, ECONNREFUSED). */
  async send(data: Uint8Array): Promise<void> {
    for (;;) {
      const result = this.#closed ? -errno.EPIPE : writeFd(this.#fd, data)
      if (result >= 0) return
      if (result !== -errno.EAGAIN) throw systemError(result, 'send')
      await this.#writable()
    }
  }

  /** Idempotent. */
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
