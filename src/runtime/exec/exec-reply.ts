/** The runtime's reply while it starts a process: the pid, or log lines that say why it failed. Both come through
 *  separate pipes, so that they don't mix with the process's stderr. */
import { closeFd, FdReader, makePipe } from '../../sys/index.ts'

export class RuntimeReply {
  /** Write end for the pid, to be given to the runtime. */
  readonly pidWrite: number
  /** Write end for log lines, to be given to the runtime. */
  readonly logWrite: number
  readonly #pid = Promise.withResolvers<number | undefined>()
  readonly #log: Buffer[] = []
  readonly #readers: FdReader[]

  constructor() {
    const [pidRead, pidWrite] = makePipe()
    const [logRead, logWrite] = makePipe()
    this.pidWrite = pidWrite
    this.logWrite = logWrite
    this.#readers = [
      // The runtime keeps its end open until the process ends, so the message ends with the pid, not with the pipe.
      FdReader.start(
        pidRead,
        {
          onData: (chunk) => {
            this.#readers[0]?.close()
            this.#pid.resolve(Number.parseInt(chunk.toString('latin1'), 10))
          },
          onEnd: () => this.#pid.resolve(undefined),
        },
        { unref: true },
      ),
      FdReader.start(logRead, { onData: (chunk) => this.#log.push(chunk), onEnd() {} }, { unref: true }),
    ]
  }

  /** Closes our copies of the write ends, once the runtime has its own. */
  closeWriteEnds(): void {
    closeFd(this.pidWrite)
    closeFd(this.logWrite)
  }

  /** Resolves with the new process's pid; with undefined when the runtime ended without one. */
  pid(): Promise<number | undefined> {
    return this.#pid.promise
  }

  /** The error messages of a runtime that has ended. */
  message(): string {
    this.#readers[1]?.drain()
    this.close()
    const lines = Buffer.concat(this.#log).toString('utf8').split('\n')
    return lines
      .map(messageOfLogLine)
      .filter((text) => text !== '')
      .join('\n')
  }

  /** Stops reading. Idempotent. */
  close(): void {
    for (const reader of this.#readers) reader.close()
  }
}

function messageOfLogLine(line: string): string {
  try {
    const { msg } = JSON.parse(line) as { msg?: unknown }
    return typeof msg === 'string' ? msg : ''
  } catch {
    return line
  }
}
