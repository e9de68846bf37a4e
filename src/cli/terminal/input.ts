/** Standard input. */
import type { ReadStream } from 'node:tty'
import { fs, tty } from './builtins.ts'

/** The input of a command: what the user types or pipes. */
export interface Input {
  readonly isTerminal: boolean
  /** Passes chunks on until the input ends or the returned function is called. */
  read(onData: (chunk: Buffer) => void, onEnd: () => void): () => void
  /** The whole input, for commands that send it. */
  chunks(): AsyncIterable<Buffer>
  /** Switches the terminal to raw mode: keys arrive one by one and are not echoed, Ctrl-C is a character, and output
   *  is not translated. The returned function undoes that. Does nothing without a terminal. */
  makeRaw(): Promise<() => void>
  /** Continues after `pause`. */
  resume(): void
  pause(): void
}

/** This process's standard input. */
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
    // A descriptor that cannot be read (closed, a directory) counts as empty input.
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
