/** Output of a process on its way to a client: pushed, with back-pressure. */

/** Which of a process's outputs a chunk came from. With a terminal everything is `stdout`. */
export type OutputStream = 'stdout' | 'stderr'

/** Where output goes (a hijacked connection, a response body, a buffer in a test). */
export interface OutputSink {
  /** Takes one chunk, whose memory is the sink's from then on.
   *  False asks the source to stop until the callback given to `onDrain` runs. */
  write(stream: OutputStream, chunk: Buffer): boolean
  /** Registers the callback that runs each time the sink can take more again. */
  onDrain(callback: () => void): void
  /** Registers the callback that runs once when the receiver has gone; writes after that are dropped. */
  onClose(callback: () => void): void
  /** No more output will come. */
  end(): void
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly width: number
  readonly height: number
}
