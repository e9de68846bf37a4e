/** A terminal as an exec's stdio. crun opens it inside the container and sends its master side to the daemon. With
 *  runc, the daemon opens a terminal, and runc copies data between that and one inside the container. */
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

/** A terminal gives at most 4 KiB per read. After the last program's end, no more than this many reads are pending. */
const maxFinalReads = 256
const maxWaitMs = 1000

export class ExecConsole implements ExecStdio {
  readonly childEnds = new Map<number, number>()
  readonly consolePath: string | undefined
  readonly terminalPath: string | undefined
  readonly #socket: ConsoleSocket | undefined
  readonly #pty: Pty | undefined
  readonly #hasStdin: boolean
  readonly #onDrain: (() => void)[] = []
  #reader: FdReader | undefined
  #writer: FdWriter | undefined
  #size: TerminalSize | undefined
  #received = 0
  /** True once the reader owns the terminal, or it is closed. */
  #opened = false

  private constructor(source: ConsoleSocket | Pty, { stdin }: ExecStdioOptions) {
    this.#socket = 'received' in source ? source : undefined
    this.#pty = 'received' in source ? undefined : source
    this.consolePath = this.#socket?.path
    this.terminalPath = this.#pty?.slavePath
    this.#hasStdin = stdin
  }

  /** For crun: receives the terminal through a socket at `path`. */
  static listen(path: string, options: ExecStdioOptions): ExecConsole {
    return new ExecConsole(ConsoleSocket.listen(path), options)
  }

  /** For a runtime that sends no terminal. `size`: the first window size. */
  static own(size: TerminalSize | undefined, options: ExecStdioOptions): ExecConsole {
    return new ExecConsole(openPty(size), options)
  }

  closeChildEnds(): void {
    // There are none: the runtime opens the terminal itself, or gets its path.
  }

  async open(sink: OutputSink | undefined, ended: Promise<unknown>): Promise<void> {
    const master = this.#pty?.masterFd ?? (await this.#sent(ended))
    if (master === undefined || this.#opened) return
    this.#opened = true
    if (this.#size !== undefined) setWindowSize(master, this.#size)
    // One descriptor can't be polled twice, so each direction gets its own.
    if (this.#hasStdin) {
      this.#writer = FdWriter.open(duplicateFd(master), { onDrain: () => this.#drained() }, { unref: true })
    }
    const reader: FdReader = FdReader.start(
      master,
      {
        onData: (chunk) => {
          this.#received += 1
          // Output is read even without a client, or a full terminal would block the program.
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
    // As with Docker, the terminal stays open when its client leaves, by the detach keys or otherwise; closing it would
    // hang up the program. Further output is read and dropped.
    sink?.onClose(() => reader.resume())
  }

  /** The terminal that the runtime sends. It is sent before the process runs, so it arrives even if the process has
   *  ended. The time limit is for a runtime that sends none. */
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

  /** Does nothing: a terminal can't be half-closed. The client itself sends the end-of-input character. */
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
