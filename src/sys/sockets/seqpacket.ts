/** A client of a SOCK_SEQPACKET unix socket (conmon's attach socket), which `node:net` can't open. Never blocks. */

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

export interface ConnectOptions {
  /** How long a full listen queue is waited for. */
  readonly timeoutMs?: number | undefined
}

/** One connection; each read is one packet of the peer, each write one packet to it. */
export class SeqpacketSocket {
  readonly fd: number
  #poll: FdPoll | undefined
  #closed = false

  private constructor(fd: number) {
    this.fd = fd
  }

  /** Connects; ENOENT and ECONNREFUSED (nobody listens) are thrown at once. */
  static async connect(path: string, { timeoutMs = 5000 }: ConnectOptions = {}): Promise<SeqpacketSocket> {
    const fd = socketCall(afUnix, sockSeqpacket | sockNonblock | sockCloexec, 0)
    try {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        const result = withUnixAddress(path, (address) => connectCall(fd, address, address.byteLength))
        if (result === 0) return new SeqpacketSocket(fd)
        // A non-blocking connect to a unix socket never goes on by itself: EAGAIN means a full queue.
        if (result !== -errno.EAGAIN || Date.now() >= deadline) throw systemError(result, 'connect', path)
        await sleep(2)
      }
    } catch (error) {
      closeFd(fd)
      throw error
    }
  }

  /** Reads one packet: its length (a longer one is cut), 0 at the end, or a negative errno (`-errno.EAGAIN`). */
  read(buffer: Uint8Array): number {
    return this.#closed ? 0 : readFd(this.fd, buffer)
  }

  /** Writes one packet: its length or a negative errno; EAGAIN means to wait for the `write` event. */
  write(data: Uint8Array): number {
    return this.#closed ? -errno.EPIPE : writeFd(this.fd, data)
  }

  /** Starts to watch the socket, or changes what is watched; the callback of the first call stays. */
  watch(events: PollEvents, callback: (events: PollEvents) => void, options: PollOptions = {}): void {
    if (this.#closed) return
    if (this.#poll === undefined) this.#poll = FdPoll.start(this.fd, events, callback, options)
    else this.#poll.update(events)
  }

  /** Changes what is watched, after `watch`. Nothing at all pauses. */
  update(events: PollEvents): void {
    this.#poll?.update(events)
  }

  /** Tells the peer that nothing more will be written; reading goes on. */
  shutdownWrite(): void {
    if (this.#closed) return
    const result = shutdownCall(this.fd, shutWrite)
    // The peer may be gone already, which is what the next read reports.
    if (result < 0 && result !== -errno.ENOTCONN) throw systemError(result, 'shutdown')
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll?.stop()
    closeFd(this.fd)
  }
}
