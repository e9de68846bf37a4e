/** Output of a process on its way to a client: pushed, with back-pressure. */

/** The output of a process that a chunk came from. With a terminal, everything is `stdout`. */
export type OutputStream = 'stdout' | 'stderr'

/** A receiver of output: a hijacked connection, a response body, a buffer in a test. */
export interface OutputSink {
  /** Takes one chunk, and with it the ownership of its memory.
   *  False asks the source to stop until the callback given to `onDrain` runs. */
  write(stream: OutputStream, chunk: Buffer): boolean
  /** Registers the callback that runs each time the sink can take more. */
  onDrain(callback: () => void): void
  /** Registers the callback that runs once when the receiver has gone. Later writes are dropped. */
  onClose(callback: () => void): void
  /** Tells the sink that no more output follows. */
  end(): void
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly width: number
  readonly height: number
}
