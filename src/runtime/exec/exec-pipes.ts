/** Three pipes as an exec's stdio. */
import type { OutputSink } from '../../base/index.ts'
import { closeFd, FdReader, FdWriter, makePipe, openNullDevice } from '../../sys/index.ts'
import type { ExecStdio, ExecStdioOptions } from './exec-stdio.ts'

type Name = 'stdin' | 'stdout' | 'stderr'

export class ExecPipes implements ExecStdio {
  readonly consolePath = undefined
  readonly childEnds = new Map<number, number>()
  readonly #ours = new Map<Name, number>()
  readonly #readers: FdReader[] = []
  #writer: FdWriter | undefined
  #onDrain: (() => void)[] = []

  /** Streams that are not used become a null device that belongs to this process only. */
  constructor({ stdin, output }: ExecStdioOptions) {
    try {
      if (stdin) {
        const [read, write] = makePipe()
        this.#ours.set('stdin', write)
        this.childEnds.set(0, read)
      } else {
        this.childEnds.set(0, openNullDevice())
      }
      for (const [target, name] of [
        [1, 'stdout'],
        [2, 'stderr'],
      ] as const) {
        if (!output) {
          this.childEnds.set(target, openNullDevice())
          continue
        }
        const [read, write] = makePipe()
        this.#ours.set(name, read)
        this.childEnds.set(target, write)
      }
    } catch (error) {
      this.closeChildEnds()
      this.close()
      throw error
    }
  }

  closeChildEnds(): void {
    for (const fd of this.childEnds.values()) closeFd(fd)
    this.childEnds.clear()
  }

  async open(sink: OutputSink | undefined): Promise<void> {
    const stdin = this.#take('stdin')
    if (stdin !== undefined) this.#writer = FdWriter.open(stdin, { onDrain: () => this.#drained() }, { unref: true })
    if (sink === undefined) return
    for (const stream of ['stdout', 'stderr'] as const) {
      const fd = this.#take(stream)
      if (fd === undefined) continue
      const reader: FdReader = FdReader.start(
        fd,
        {
          onData(chunk) {
            if (!sink.write(stream, chunk)) reader.pause()
          },
          onEnd() {},
        },
        { unref: true },
      )
      this.#readers.push(reader)
      sink.onDrain(() => reader.resume())
    }
    // As with Docker, the process continues without its client: its input ends, and its output is read and dropped.
    sink.onClose(() => {
      this.endStdin()
      for (const reader of this.#readers) reader.resume()
    })
  }

  write(chunk: Buffer): boolean {
    return this.#writer?.write(chunk) ?? true
  }

  onDrain(callback: () => void): void {
    this.#onDrain.push(callback)
  }

  endStdin(): void {
    this.#writer?.end()
  }

  resize(): void {
    // Pipes have no size.
  }

  finish(): void {
    for (const reader of this.#readers) reader.drain()
    this.close()
  }

  close(): void {
    this.#writer?.close()
    for (const reader of this.#readers) reader.close()
    for (const fd of this.#ours.values()) closeFd(fd)
    this.#ours.clear()
  }

  /** Our end of a pipe; the caller must close it. */
  #take(name: Name): number | undefined {
    const fd = this.#ours.get(name)
    this.#ours.delete(name)
    return fd
  }

  #drained(): void {
    for (const callback of this.#onDrain) callback()
  }
}
