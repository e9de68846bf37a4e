/** Reads a pipe, fifo, pty or socket end whenever it has data. No memory is held between events: reads go into one
 *  scratch buffer of the process and each chunk that is handed out is a copy that belongs to the receiver. */

import { closeFd, readFd } from '../native/fd.ts'
import { errno, systemError } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

export interface FdReaderHandlers {
  /** One chunk of up to 64 KiB, which is the receiver's from then on. */
  onData(chunk: Buffer): void
  /** The last call: the writers are gone, or reading failed with `error`. The descriptor is closed by then. */
  onEnd(error?: Error): void
}

const scratchBytes = 64 * 1024
/** Reads per event, so that one busy descriptor does not starve the others. */
const readsPerEvent = 4
/** More than a pipe can hold (1 MiB); a bound, because another process may still be writing. */
const readsPerDrain = 20
let scratch: Buffer | undefined

/** Owns a descriptor and delivers what is read from it until its end. */
export class FdReader {
  readonly fd: number
  readonly #handlers: FdReaderHandlers
  readonly #poll: FdPoll
  #paused = false
  #closed = false

  private constructor(fd: number, handlers: FdReaderHandlers, options: PollOptions) {
    this.fd = fd
    this.#handlers = handlers
    this.#poll = FdPoll.start(fd, { read: true }, () => this.#onReadable(), options)
  }

  /** Takes over the descriptor and starts reading; when this throws, the descriptor is still the caller's. */
  static start(fd: number, handlers: FdReaderHandlers, options: PollOptions = {}): FdReader {
    return new FdReader(fd, handlers, options)
  }

  /** Stops delivering until `resume()`; the writer is held back by the kernel's buffer. */
  pause(): void {
    this.#paused = true
    this.#poll.update({})
  }

  resume(): void {
    this.#paused = false
    this.#poll.update({ read: true })
  }

  /** Delivers what is there now, without waiting for more (for a writer that is known to have ended). */
  drain(): void {
    for (let count = 0; count < readsPerDrain && !this.#closed && this.#readOnce(); count++) {}
  }

  /** Stops and closes the descriptor without calling `onEnd`. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll.stop()
    closeFd(this.fd)
  }

  #onReadable(): void {
    for (let count = 0; count < readsPerEvent && !this.#closed && !this.#paused; count++) {
      if (!this.#readOnce()) return
    }
  }

  /** True when there may be more at once. */
  #readOnce(): boolean {
    const buffer = (scratch ??= Buffer.allocUnsafeSlow(scratchBytes))
    const count = readFd(this.fd, buffer)
    if (count > 0) {
      this.#handlers.onData(Buffer.from(buffer.subarray(0, count)))
      return count === scratchBytes
    }
    if (count === -errno.EAGAIN) return false
    if (count === -errno.EINTR) return true
    this.close()
    // A pty's master reports EIO once nobody has its slave open: that is its end of file.
    this.#handlers.onEnd(count === 0 || count === -errno.EIO ? undefined : systemError(count, 'read'))
    return false
  }
}
