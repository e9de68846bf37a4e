/** A terminal as an exec's stdio. The runtime makes it inside the container and sends us its master side; or, as runc
 *  does, it runs on a terminal of ours and carries what goes on between the two. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutputSink, TerminalSize } from '../../base/index.ts'
import {
  ConsoleSocket,
  closeFd,
  duplicateFd,
  FdReader,
  FdWriter,
  openPty,
  type Pty,
  setWindowSize,
} from '../../sys/index.ts'
import type { ExecStdio, ExecStdioOptions } from './exec-stdio.ts'

/** A terminal hands out 4 KiB at a time; no more than this many are waiting after the last program has ended. */
const maxFinalReads = 256
const maxWaitMs = 1000

export class ExecConsole implements ExecStdio {
  readonly childEnds = new Map<number, number>()
  readonly #socket: ConsoleSocket | undefined
  readonly #pty: Pty | undefined
  readonly #hasStdin: boolean
  readonly #onDrain: (() => void)[] = []
  #reader: FdReader | undefined
  #writer: FdWriter | undefined
  #size: TerminalSize | undefined
  #received = 0
  /** The terminal of our own is the reader's by now, or closed. */
  #opened = false

  private constructor(source: ConsoleSocket | Pty, { stdin }: ExecStdioOptions) {
    this.#socket = 'received' in source ? source : undefined
    this.#pty = 'received' in source ? undefined : source
    this.#hasStdin = stdin
  }

  static listen(path: string, options: ExecStdioOptions): ExecConsole {
    return new ExecConsole(ConsoleSocket.listen(path), options)
  }

  /** For a runtime that sends none. */
  static own(size: TerminalSize | undefined, options: ExecStdioOptions): ExecConsole {
    return new ExecConsole(openPty(size), options)
  }

  get consolePath(): string | undefined {
    return this.#socket?.path
  }

  get terminalPath(): string | undefined {
    return this.#pty?.slavePath
  }

  closeChildEnds(): void {
    // The child makes its own.
  }

  async open(sink: OutputSink | undefined, ended: Promise<unknown>): Promise<void> {
    const master = this.#pty?.masterFd ?? (await this.#sent(ended))
    if (master === undefined || this.#opened) return
    this.#opened = true
    if (this.#size !== undefined) setWindowSize(master, this.#size)
    // One descriptor can't be polled twice, so each direction has its own.
    if (this.#hasStdin) {
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
    // The terminal stays when its client leaves, by the detach keys or otherwise, as with Docker: else the program
    // would be hung up. What it still prints is read for nobody.
    sink?.onClose(() => reader.resume())
  }

  /** The terminal was sent before the process ran, so even after its end it is on its way; the limit is for a runtime
   *  that broke its word. */
  async #sent(ended: Promise<unknown>): Promise<number | undefined> {
    const limit = ended.then(() => sleep(maxWaitMs, undefined, { ref: false }))
    return await Promise.race([this.#socket?.received, limit])
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
    this.#socket?.close()
    if (this.#pty !== undefined && !this.#opened) closeFd(this.#pty.masterFd)
    this.#opened = true
    this.#writer?.close()
    this.#reader?.close()
    this.#reader = undefined
  }

  #drained(): void {
    for (const callback of this.#onDrain) callback()
  }
}
