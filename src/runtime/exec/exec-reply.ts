/** What a runtime says while it starts a process: a pid, or nothing and then log lines. Both come through pipes of their
 *  own, so that the process's stderr carries nothing of ours. */
import { closeFd, FdReader, makePipe } from '../../sys/index.ts'

export class RuntimeReply {
  readonly pidWrite: number
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
      // The runtime keeps its end until the process has ended: the pid itself is the end of the message.
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

  /** Closes our copies of what the runtime got. */
  closeWriteEnds(): void {
    closeFd(this.pidWrite)
    closeFd(this.logWrite)
  }

  /** The new process's pid, or undefined when the runtime ended without one. */
  pid(): Promise<number | undefined> {
    return this.#pid.promise
  }

  /** The error texts of a runtime that has ended. */
  message(): string {
    this.#readers[1]?.drain()
    this.close()
    const lines = Buffer.concat(this.#log).toString('utf8').split('\n')
    return lines
      .map(messageOfLogLine)
      .filter((text) => text !== '')
      .join('\n')
  }

  /** Listens no more. Idempotent. */
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
