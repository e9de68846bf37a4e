import type { Readable } from 'node:stream'
import type { OutputSink } from '../../base/index.ts'

/** The client's end of an attachment. */
export interface AttachIo {
  readonly sink: OutputSink
  /** Raw input; its end is the end of the process's stdin. */
  readonly input?: Readable | undefined
}

/** A stream that was found and armed; `run` carries its bytes until one side ends. */
export interface OutputSource<Io> {
  readonly tty: boolean
  run(io: Io): Promise<void>
}
