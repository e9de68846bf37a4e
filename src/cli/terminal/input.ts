/** Standard input. */
import type { ReadStream } from 'node:tty'
import { fs, tty } from './builtins.ts'

/** Where a command reads what the user types or pipes. */
export interface Input {
  readonly isTerminal: boolean
  /** Passes chunks on until the end of the input or until the result is called. */
  read(onData: (chunk: Buffer) => void, onEnd: () => void): () => void
  /** The whole input, for commands that send it somewhere. */
  chunks(): AsyncIterable<Buffer>
  /** Keys come one by one and unechoed, Ctrl-C as a character; output is not translated. The result
   *  undoes it. No-op without a terminal. */
  makeRaw(): Promise<() => void>
  /** More room: goes on after `pause`. */
  resume(): void
  pause(): void
}

export class StandardInput implements Input {
  readonly #makeTerminalRaw: (() => Promise<() => void>) | undefined

  constructor(makeTerminalRaw?: () => Promise<() => void>) {
    this.#makeTerminalRaw = makeTerminalRaw
  }

  get isTerminal(): boolean {
    return tty().isatty(0)
  }

  read(onData: (chunk: Buffer) => void, onEnd: () => void): () => void {
    const { stdin } = process
    stdin.on('data', onData)
    stdin.once('end', onEnd)
    // A descriptor that cannot be read (closed, a directory) is an input without content.
    stdin.once('error', onEnd)
    return () => {
      stdin.off('data', onData)
      stdin.off('end', onEnd)
      stdin.pause()
    }
  }

  chunks(): AsyncIterable<Buffer> {
    return fs.createReadStream('/dev/stdin', { fd: 0, autoClose: false, highWaterMark: 1 << 20 })
  }

  async makeRaw(): Promise<() => void> {
    if (!this.isTerminal) return () => undefined
    if (this.#makeTerminalRaw !== undefined) return this.#makeTerminalRaw()
    const stdin = process.stdin as ReadStream
    stdin.setRawMode(true)
    return () => void stdin.setRawMode(false)
  }

  resume(): void {
    process.stdin.resume()
  }

  pause(): void {
    process.stdin.pause()
  }
}
