/** A client of a SOCK_SEQPACKET unix socket, such as conmon's attach socket. `node:net` can't open these. Never
 *  blocks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { closeFd, readFd, writeFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { FdPoll, type PollEvents, type PollOptions } from '../native/poll.ts'
import { withUnixAddress } from '../native/unix-address.ts'

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const connectCall = rawSyscall('int connect(int fd, const void *address, uint32_t length)')
const shutdownCall = rawSyscall('int shutdown(int fd, int how)')

const afUnix = 1
const sockSeqpacket = 5
const sockNonblock = 0o4000
const sockCloexec = 0o2000000
const shutWrite = 1

/** Options of `SeqpacketSocket.connect`. */
export interface ConnectOptions {
  /** How long to wait while the listen queue is full. Default: 5000. */
  readonly timeoutMs?: number | undefined
}

/** One connection. Each read gets one packet, each write sends one. */
export class SeqpacketSocket {
  readonly fd: number
  #poll: FdPoll | undefined
  #closed = false

  private constructor(fd: number) {
    this.fd = fd
  }

  /** Connects to the socket at `path`. Rejects with ENOENT or ECONNREFUSED when no process listens there, and with
   *  EAGAIN when the listen queue stays full. */
  static async connect(path: string, { timeoutMs = 5000 }: ConnectOptions = {}): Promise<SeqpacketSocket> {
    const fd = socketCall(afUnix, sockSeqpacket | sockNonblock | sockCloexec, 0)
    try {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        const result = withUnixAddress(path, (address) => connectCall(fd, address, address.byteLength))
        if (result === 0) return new SeqpacketSocket(fd)
        // EAGAIN means that the queue is full. The kernel does not continue the connect by itself.
        if (result !== -errno.EAGAIN || Date.now() >= deadline) throw systemError(result, 'connect', path)
        await sleep(2)
      }
    } catch (error) {
      closeFd(fd)
      throw error
    }
  }

  /** Reads one packet. Returns its length (a packet longer than the buffer is cut), 0 at the end, or a negative errno
   *  (`-errno.EAGAIN` when there is none). */
  read(buffer: Uint8Array): number {
    return this.#closed ? 0 : readFd(this.fd, buffer)
  }

  /** Writes one packet. Returns its length or a negative errno; after `-errno.EAGAIN`, wait for the `write` event. */
  write(data: Uint8Array): number {
    return this.#closed ? -errno.EPIPE : writeFd(this.fd, data)
  }

  /** Starts to watch the socket. Further calls only change the events; the callback of the first call stays. Main
   *  thread only. */
  watch(events: PollEvents, callback: (events: PollEvents) => void, options: PollOptions = {}): void {
    if (this.#closed) return
    if (this.#poll === undefined) this.#poll = FdPoll.start(this.fd, events, callback, options)
    else this.#poll.update(events)
  }

  /** Changes the watched events, after `watch`. `{}` pauses. */
  update(events: PollEvents): void {
    this.#poll?.update(events)
  }

  /** Ends the sending side, which the peer sees as the end of the data. Reading continues. */
  shutdownWrite(): void {
    if (this.#closed) return
    const result = shutdownCall(this.fd, shutWrite)
    // The peer may be gone; the next read reports that.
    if (result < 0 && result !== -errno.ENOTCONN) throw systemError(result, 'shutdown')
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll?.stop()
    closeFd(this.fd)
  }
}
