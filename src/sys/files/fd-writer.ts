/** Writes to a pipe, fifo, pty or socket end without ever blocking: what the kernel does not take is queued
 *  and written when there is room. */

import { closeFd, setNonBlocking, writeFd } from '../native/fd.ts'
import { errno, systemError } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

export interface FdWriterHandlers {
  /** Everything queued was written; `write` may be called again. */
  onDrain?(): void
  /** The last call: closed after `end()`, or the reader is gone (`error`, EPIPE). The descriptor is closed by then. */
  onClose?(error?: Error): void
}

/** Owns a descriptor and writes to it in order. */
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

  /** Takes over the descriptor. */
  static open(fd: number, handlers: FdWriterHandlers = {}, options: PollOptions = {}): FdWriter {
    setNonBlocking(fd)
    return new FdWriter(fd, handlers, options)
  }

  /** Writes or queues; false asks the caller to wait for `onDrain`. The memory is the writer's until then. */
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

  /** Closes the descriptor once everything is written. */
  end(): void {
    if (this.#closed || this.#ending) return
    this.#ending = true
    if (this.#queue.length === 0) this.#finish()
  }

  /** Closes at once, dropping what is queued, without calling `onClose`. Idempotent. */
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

  /** What is left of `data` when the kernel is full, or undefined when it is all written or the reader is gone. */
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
