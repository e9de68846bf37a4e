/** Reads a pipe, fifo, terminal or socket whenever it has data. No memory is held between events: all readers share one
 *  scratch buffer, and each delivered chunk is a copy that belongs to the receiver. */
import { closeFd, readFd } from '../native/fd.ts'
import { errno, systemError } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

/** What an `FdReader` calls. */
export interface FdReaderHandlers {
  /** Called with each chunk, of up to 64 KiB. The chunk belongs to the receiver. */
  onData(chunk: Buffer): void
  /** Called last: at the end of the data, or when reading failed with `error`. The descriptor is closed by then. */
  onEnd(error?: Error): void
}

const scratchBytes = 64 * 1024
/** Reads per event. The limit keeps one busy descriptor from starving the others. */
const readsPerEvent = 4
/** Reads per drain: more than a pipe can hold (1 MiB). The limit is for a process that continues to write. */
const readsPerDrain = 20
let scratch: Buffer | undefined

/** Owns a descriptor and delivers its data until the end. Main thread only. */
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

  /** Takes over the descriptor and starts to read. If this throws, the descriptor still belongs to the caller. */
  static start(fd: number, handlers: FdReaderHandlers, options: PollOptions = {}): FdReader {
    return new FdReader(fd, handlers, options)
  }

  /** Stops delivering until `resume()`. The writer is blocked once the kernel's buffer is full. */
  pause(): void {
    this.#paused = true
    this.#poll.update({})
  }

  /** Continues after `pause()`. */
  resume(): void {
    this.#paused = false
    this.#poll.update({ read: true })
  }

  /** Delivers the data that is there now, without waiting for more. For a writer that is known to have ended. */
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

  /** Returns true when there may be more data to read at once. */
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
    // A terminal's master reports EIO when no process has its slave open. That is its end of file.
    this.#handlers.onEnd(count === 0 || count === -errno.EIO ? undefined : systemError(count, 'read'))
    return false
  }
}
