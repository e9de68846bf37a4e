/** Standard output and error, written synchronously to the file descriptor. Creating the stream `process.stdout` takes
 *  longer than most commands need to print. Besides, all output is written when the process ends. */
import { errnoOf } from '../../base/index.ts'
import { fs, tty } from './builtins.ts'

/** Where a command prints. */
export interface Output {
  readonly isTerminal: boolean
  /** The width of the terminal; 80 without one. */
  readonly columns: number
  readonly rows: number
  write(text: string | Uint8Array): void
}

/** Thrown when the reader of the output has gone (`berth logs … | head`). */
export class OutputClosed extends Error {}

const retryMs = 2

/** An output on a file descriptor. */
export class FdOutput implements Output {
  readonly #fd: number
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4))
  #isTerminal: boolean | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  get isTerminal(): boolean {
    return (this.#isTerminal ??= tty().isatty(this.#fd))
  }

  get columns(): number {
    return this.#size()[0]
  }

  get rows(): number {
    return this.#size()[1]
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
    let written = 0
    while (written < bytes.length) written += this.#writeSome(bytes, written)
  }

  #writeSome(bytes: Uint8Array, offset: number): number {
    try {
      return fs.writeSync(this.#fd, bytes, offset)
    } catch (error) {
      const code = errnoOf(error)
      if (code === 'EPIPE') throw new OutputClosed('output closed', { cause: error })
      if (code !== 'EAGAIN') throw error
      // The descriptor is non-blocking, because another program shares it. Its reader needs a moment.
      Atomics.wait(this.#sleep, 0, 0, retryMs)
      return 0
    }
  }

  #size(): readonly [number, number] {
    if (!this.isTerminal) return [80, 24]
    // A new stream each time, because the size changes, and a permanent one would keep the terminal open.
    const stream = new (tty().WriteStream)(this.#fd)
    const [columns, rows] = stream.getWindowSize()
    return columns > 0 ? [columns, rows] : [80, 24]
  }
}
