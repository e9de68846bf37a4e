import type { Readable } from 'node:stream'
import type { ByteOutput } from './stream-sink.ts'

/** A connection that carries a raw stream from now on, in both directions. */
export interface HijackedConnection {
  readonly output: ByteOutput
  /** What the client sends; ends when the client has closed its sending side. */
  readonly input: Readable
  /** From now on the connection is closed when the client has gone altogether, also while there is nothing to send to it. */
  endWithPeer(): void
  /** Ends both directions once all output was handed over. */
  finish(): void
}
