import type { Readable } from 'node:stream'
import type { ByteOutput } from './stream-sink.ts'

/** A connection that now carries raw bytes in both directions. */
export interface HijackedConnection {
  readonly output: ByteOutput
  /** The bytes that the client sends. It ends when the client closes its sending side. */
  readonly input: Readable
  /** From this call on, the connection is closed once the client has closed both directions, even if the server has
   *  nothing to send. */
  endWithPeer(): void
  /** Closes both directions after all output is sent. */
  finish(): void
}
