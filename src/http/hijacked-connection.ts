import type { Readable } from 'node:stream'
import type { ByteOutput } from './stream-sink.ts'

/** A connection that carries a raw stream from now on, in both directions. */
export interface HijackedConnection {
  readonly output: ByteOutput
  /** What the client sends; ends when the client has closed its sending side. */
  readonly input: Readable
  /** Ends both directions once all output was handed over. */
  finish(): void
}
