/** Writes to a pipe, fifo, terminal or socket without blocking: data that the kernel does not accept is queued and
 *  written when there is room. */
import { closeFd, setNonBlocking, writeFd } from '../native/fd.ts'
import { errno, systemError } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

/** What an `FdWriter` calls. */
export interface FdWriterHandlers {
  /** Called when the whole queue was written. */
  onDrain?(): void
  /** Called last: after `end()`, or with `error` when the reader is gone (EPIPE). The descriptor is closed by then. */
  onClose?(error?: Error): void
}

/** Owns a descriptor and writes to it in order. Main thread only. */
export class FdWriter {
  readonly fd: number
  readonly #handlers: FdWriterHandlers
  readonly #options: PollOptions
  #queue: Uint8Array[] = []
  #poll: FdPoll | undefined
  #ending = false
  #closed = false

  private constructor(fd: number, handlers: FdWriterHandlers, options: PollOptions) {
    this.fd = fd
    this.#handlers = handlers
    this.#options = options
  }

  /** Takes over the descriptor and makes it non-blocking. */
  static open(fd: number, handlers: FdWriterHandlers = {}, options: PollOptions = {}): FdWriter {
    setNonBlocking(fd)
    return new FdWriter(fd, handlers, options)
  }

  /** Writes or queues. When it returns false, wait for `onDrain` before the next write, and don't change `data` until
   *  then. */
  write(data: Uint8Array): boolean {
    if (this.#closed || this.#ending) return true
    if (this.#queue.length > 0) {
      this.#queue.push(data)
      return false
    }
    const rest = this.#writeNow(data)
    if (rest === undefined) return true
    this.#queue.push(rest)
    this.#watch()
    return false
  }

  /** Closes the descriptor once the whole queue is written. */
  end(): void {
    if (this.#closed || this.#ending) return
    this.#ending = true
    if (this.#queue.length === 0) this.#finish()
  }

  /** Closes at once and drops the queue, without calling `onClose`. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    this.#poll?.stop()
    closeFd(this.fd)
  }

  #watch(): void {
    if (this.#poll === undefined) {
      this.#poll = FdPoll.start(this.fd, { write: true }, () => this.#onWritable(), this.#options)
    } else {
      this.#poll.update({ write: true })
    }
  }

  #onWritable(): void {
    while (this.#queue.length > 0) {
      const [first] = this.#queue
      const rest = first === undefined ? undefined : this.#writeNow(first)
      if (this.#closed) return
      if (rest !== undefined) {
        this.#queue[0] = rest
        return
      }
      this.#queue.shift()
    }
    this.#poll?.update({})
    if (this.#ending) this.#finish()
    else this.#handlers.onDrain?.()
  }

  /** The rest of `data` that the kernel has no room for; undefined when everything is written or the reader is gone. */
  #writeNow(data: Uint8Array): Uint8Array | undefined {
    let rest = data
    while (rest.byteLength > 0) {
      const count = writeFd(this.fd, rest)
      if (count >= 0) rest = rest.subarray(count)
      else if (count === -errno.EAGAIN) return rest
      else if (count !== -errno.EINTR) {
        this.#finish(systemError(count, 'write'))
        return undefined
      }
    }
    return undefined
  }

  #finish(error?: Error): void {
    this.close()
    this.#handlers.onClose?.(error)
  }
}
