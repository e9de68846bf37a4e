/** Runs a host program as a filter: a stream goes to its stdin, and its stdout comes back. Both sides respect
 *  backpressure. Main thread only, as for everything that polls. */
import { type AbortOptions, BerthError, errnoOf } from '../../base/index.ts'
import { FdReader } from '../files/fd-reader.ts'
import { FdWriter } from '../files/fd-writer.ts'
import { closeFd, makePipe } from '../native/fd.ts'
import { type SpawnedProcess, spawnProcess } from './spawn.ts'

/** With more unread output than this, the program is blocked. */
const maxWaitingBytes = 1 << 20
const maxStderrBytes = 4096
const sigkill = 9

/** Filters `source` through `program`. Throws `notImplemented` when the program is not installed, `invalidArgument`
 *  with the program's message when it fails, and the error of `source` or of the signal. If the reader stops early, the
 *  program is killed. */
export async function* filterThrough(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  { signal }: AbortOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  using stage = Stage.start(program, args)
  const onAbort = () => stage.kill()
  signal?.addEventListener('abort', onAbort, { once: true })
  let sourceError: unknown
  const feeding = feed(source, stage).catch((error: unknown) => {
    sourceError = error
    stage.kill()
  })
  try {
    yield* stage.output()
    // The program may end before the source does. The rest of the source is read, because its sender waits for that.
    await feeding
    if (sourceError !== undefined) throw sourceError
    signal?.throwIfAborted()
    await stage.checkEnd()
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stage.kill()
  }
}

async function feed(source: AsyncIterable<Uint8Array>, stage: Stage): Promise<void> {
  for await (const chunk of source) {
    if (stage.isDone) return
    await stage.write(chunk)
  }
  stage.endInput()
}

class Stage implements Disposable {
  readonly #program: string
  readonly #child: SpawnedProcess
  readonly #writer: FdWriter
  readonly #readers: FdReader[] = []
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #stderr = ''
  #hasEnded = false
  #isDone = false
  #wakeReader = () => {}
  #wakeWriter = () => {}

  private constructor(
    program: string,
    child: SpawnedProcess,
    [stdin, stdout, stderr]: readonly [number, number, number],
  ) {
    this.#program = program
    this.#child = child
    const onRoom = () => this.#wakeWriter()
    this.#writer = FdWriter.open(stdin, { onDrain: onRoom, onClose: onRoom })
    const onEnd = () => {
      this.#hasEnded = true
      this.#wakeReader()
    }
    this.#readers.push(
      FdReader.start(stdout, { onData: (chunk) => this.#take(chunk), onEnd }),
      FdReader.start(stderr, { onData: (chunk) => this.#note(chunk), onEnd() {} }),
    )
  }

  static start(program: string, args: readonly string[]): Stage {
    const [childStdin, stdin] = makePipe()
    const [stdout, childStdout] = makePipe()
    const [stderr, childStderr] = makePipe()
    const fds = new Map([
      [0, childStdin],
      [1, childStdout],
      [2, childStderr],
    ])
    try {
      return new Stage(program, spawnProcess({ path: program, args, fds }), [stdin, stdout, stderr])
    } catch (cause) {
      for (const fd of [stdin, stdout, stderr]) closeFd(fd)
      if (errnoOf(cause) !== 'ENOENT') throw cause
      throw new BerthError('notImplemented', `${program} is not installed on this host`, { cause })
    } finally {
      for (const fd of fds.values()) closeFd(fd)
    }
  }

  /** True when the output is not needed any more. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Resolves when there is room for more, or the program reads no more. */
  async write(chunk: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeWriter = resolve
    if (!this.#writer.write(chunk)) await promise
  }

  endInput(): void {
    this.#writer.end()
  }

  async *output(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const ready = this.#waiting
      this.#waiting = []
      this.#waitingBytes = 0
      if (ready.length > 0) yield* ready
      else if (this.#hasEnded) return
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wakeReader = resolve
        this.#readers[0]?.resume()
        await promise
      }
    }
  }

  /** Throws `invalidArgument` unless the program succeeded. */
  async checkEnd(): Promise<void> {
    const { code, signal } = await this.#child.exited
    if (code === 0) return
    const said = this.#stderr.trim()
    const how = signal === undefined || signal === null ? `exit code ${code}` : `signal ${signal}`
    const text = said.startsWith(`${this.#program}: `) ? said : `${this.#program}: ${said === '' ? how : said}`
    throw new BerthError('invalidArgument', text)
  }

  kill(): void {
    this.#child.kill(sigkill)
  }

  [Symbol.dispose](): void {
    this.#isDone = true
    this.#writer.close()
    this.#wakeWriter()
    for (const reader of this.#readers) reader.close()
  }

  #take(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes > maxWaitingBytes) this.#readers[0]?.pause()
    this.#wakeReader()
  }

  #note(chunk: Buffer): void {
    if (this.#stderr.length < maxStderrBytes) this.#stderr += chunk.toString('utf8')
  }
}
