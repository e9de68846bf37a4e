/** A terminal as an exec's stdio. The runtime makes it inside the container and sends us its master side. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ConsoleSocket, duplicateFd, FdReader, FdWriter, setWindowSize } from '../sys/index.ts'
import type { TerminalSize } from './conmon-control.ts'
import type { ExecStdio, ExecStdioOptions } from './exec-stdio.ts'

/** A terminal hands out 4 KiB at a time; no more than this many are waiting after the last program has ended. */
const maxFinalReads = 256
const maxWaitMs = 1000

export class ExecConsole implements ExecStdio {
  readonly childEnds = new Map<number, number>()
  readonly #socket: ConsoleSocket
  readonly #options: ExecStdioOptions
  readonly #onDrain: (() => void)[] = []
  #reader: FdReader | undefined
  #writer: FdWriter | undefined
  #size: TerminalSize | undefined
  #received = 0

  private constructor(socket: ConsoleSocket, options: ExecStdioOptions) {
    this.#socket = socket
    this.#options = options
  }

  static listen(path: string, options: ExecStdioOptions): ExecConsole {
    return new ExecConsole(ConsoleSocket.listen(path), options)
  }

  get consolePath(): string {
    return this.#socket.path
  }

  closeChildEnds(): void {
    // The child makes its own.
  }

  async open(ended: Promise<unknown>): Promise<void> {
    const { sink, stdin } = this.#options
    // The terminal was sent before the process ran, so even after its end it is on its way; the limit is for a
    // runtime that broke its word.
    const master = await Promise.race([
      this.#socket.received,
      ended.then(() => sleep(maxWaitMs, undefined, { ref: false })),
    ])
    if (master === undefined) return
    if (this.#size !== undefined) setWindowSize(master, this.#size)
    // One descriptor can't be polled twice, so each direction has its own.
    if (stdin) {
      this.#writer = FdWriter.open(duplicateFd(master), { onDrain: () => this.#drained() }, { unref: true })
    }
    const reader: FdReader = FdReader.start(
      master,
      {
        onData: (chunk) => {
          this.#received += 1
          // Without a client the output must still be read, or the program would stop on a full terminal.
          if (sink?.write('stdout', chunk) === false) reader.pause()
        },
        onEnd: () => {
          this.#reader = undefined
        },
      },
      { unref: true },
    )
    this.#reader = reader
    sink?.onDrain(() => reader.resume())
    sink?.onClose(() => this.close())
  }

  write(chunk: Buffer): boolean {
    return this.#writer?.write(chunk) ?? true
  }

  onDrain(callback: () => void): void {
    this.#onDrain.push(callback)
  }

  /** A terminal has no half-close: end of input is a character that the client sends itself. */
  endStdin(): void {}

  resize(size: TerminalSize): void {
    this.#size = size
    if (this.#reader !== undefined) setWindowSize(this.#reader.fd, size)
  }

  finish(): void {
    for (let count = 0; count < maxFinalReads; count++) {
      const before = this.#received
      this.#reader?.drain()
      if (this.#received === before) break
    }
    this.close()
  }

  close(): void {
    this.#socket.close()
    this.#writer?.close()
    this.#reader?.close()
    this.#reader = undefined
  }

  #drained(): void {
    for (const callback of this.#onDrain) callback()
  }
}
