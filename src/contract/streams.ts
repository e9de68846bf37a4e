/** Streams that a client is joined to after the server has answered: attach, exec and logs. */
import type { Readable } from 'node:stream'
import type { OutputSink } from '../base/index.ts'

/** The client's end of an attached stream. The server makes it after it has sent its answer's headers. */
export interface AttachIo {
  readonly sink: OutputSink
  /** The client's raw input; its end is the end of the process's stdin. Absent when stdin was not asked for. */
  readonly input?: Readable | undefined
}

/** A stream that is ready to carry bytes. The server sends its headers, then calls `run`. */
export interface OutputSource<Io> {
  /** Whether the process has a terminal, so that its output is one raw stream without frames. */
  readonly tty: boolean
  /** Carries the bytes until one side ends; rejects when the engine fails. The server ends the sink afterwards, also
   *  after a failure. */
  run(io: Io): Promise<void>
}
