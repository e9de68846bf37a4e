/** Reads one body from its connection and writes it to a file. Runs in a worker thread (upload-worker.ts). All
 *  connections share one buffer: its bytes are written and hashed at once, while they are in the processor's cache. */
import { writeSync, writevSync } from 'node:fs'
import { Socket } from 'node:net'
import { BodyDecoder } from './body-decoder.ts'
import { BodyFault } from './body-fault.ts'

/** Where a body comes from. */
export interface BodySource {
  /** Descriptor of the connection. The receiver closes it. */
  readonly socket: number
  /** Bytes that were already read from the connection. */
  readonly head: Uint8Array
  /** The body's size; undefined for a chunked body. */
  readonly bodyBytes: number | undefined
  /** A longer body fails with `tooLong`. */
  readonly maxBytes: number | undefined
  /** If the client sends nothing for this time, the body fails with `silent`. */
  readonly idleMs: number
}

/** Where a body goes. */
export interface BodyTarget {
  /** Descriptor of the file, which stays open. */
  readonly file: number
  /** Offset in the file at which the body begins. */
  readonly offset: number
  /** Called after pieces were written at `offset`. Their memory is reused after the call. */
  onWritten(pieces: readonly Buffer[], offset: number): void
  /** Called once at the end. Either all of the body is in the file and `rest` are the bytes after it, or there was an
   *  error: a BodyFault or an error of the file. `sizeBytes` of the body were written. */
  onEnd(end: { readonly sizeBytes: number; readonly rest: Uint8Array } | BodyFailure): void
}

export interface BodyFailure {
  readonly sizeBytes: number
  readonly error: unknown
}

const buffer = Buffer.allocUnsafeSlow(256 * 1024)

export class BodyReceiver {
  readonly #source: BodySource
  readonly #target: BodyTarget
  readonly #decoder: BodyDecoder
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #sizeBytes = 0
  #reads = 0
  #isOver = false

  constructor(source: BodySource, target: BodyTarget) {
    this.#source = source
    this.#target = target
    this.#decoder = new BodyDecoder(source.bodyBytes)
  }

  /** Begins; `onEnd` may be called before this returns. */
  start(): void {
    const { socket: fd, head, idleMs } = this.#source
    const onData = (count: number): boolean => {
      this.#take(buffer.subarray(0, count))
      return !this.#isOver
    }
    // Half-open, because the server still sends the answer.
    this.#socket = new Socket({ fd, allowHalfOpen: true, onread: { buffer, callback: onData } })
    this.#socket.on('end', this.#onGone).on('error', this.#onGone).on('close', this.#onGone)
    this.#timer = setTimeout(this.#onTimer, idleMs)
    this.#take(Buffer.from(head.buffer, head.byteOffset, head.byteLength))
  }

  /** Ends the body with the fault `gone`. */
  cancel(): void {
    this.#fail(new BodyFault('gone'))
  }

  #take(bytes: Buffer): void {
    this.#reads += 1
    this.#timer?.refresh()
    try {
      const { pieces, endOffset } = this.#decoder.decode(bytes)
      this.#write(pieces)
      if (!this.#decoder.isEnded) return
      // A copy, because other connections use the buffer, too.
      this.#finish({ sizeBytes: this.#sizeBytes, rest: new Uint8Array(bytes.subarray(endOffset)) })
    } catch (error) {
      this.#fail(error)
    }
  }

  #write(pieces: readonly Buffer[]): void {
    const { offset, file } = this.#target
    const count = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (count === 0) return
    if (this.#sizeBytes + count > (this.#source.maxBytes ?? Number.POSITIVE_INFINITY)) throw new BodyFault('tooLong')
    const position = offset + this.#sizeBytes
    writeAll(file, pieces, count, position)
    this.#sizeBytes += count
    this.#target.onWritten(pieces, position)
  }

  #fail(error: unknown): void {
    this.#finish({ sizeBytes: this.#sizeBytes, error })
  }

  #finish(end: Parameters<BodyTarget['onEnd']>[0]): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
    this.#target.onEnd(end)
  }

  readonly #onGone = (): void => this.#fail(new BodyFault('gone'))

  /** The thread may have been busy with other connections while bytes of this one were waiting. They are read before
   *  the immediate runs. */
  readonly #onTimer = (): void => {
    const before = this.#reads
    setImmediate(() => {
      if (this.#reads === before) this.#fail(new BodyFault('silent'))
    })
  }
}

function writeAll(file: number, pieces: readonly Buffer[], sizeBytes: number, position: number): void {
  let written = writevSync(file, pieces, position)
  if (written === sizeBytes) return
  // If the disk is full, the next attempt throws the reason.
  for (const rest = Buffer.concat(pieces); written < sizeBytes; ) {
    written += writeSync(file, rest, written, sizeBytes - written, position + written)
  }
}
