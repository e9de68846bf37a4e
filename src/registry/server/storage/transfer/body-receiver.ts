/** Takes one body from its connection into a file. Runs in a worker thread (upload-worker.ts) with one buffer for all
 *  connections: what was read is written and hashed at once, while the processor's cache still has it. */
import { writeSync, writevSync } from 'node:fs'
import { Socket } from 'node:net'
import { BodyDecoder } from './body-decoder.ts'
import { BodyFault } from './body-fault.ts'

export interface BodySource {
  /** Descriptor of the connection, which is closed here. */
  readonly socket: number
  /** What was read from it before. */
  readonly head: Uint8Array
  /** Undefined: it comes in chunks. */
  readonly bodyBytes: number | undefined
  /** A longer one is refused. */
  readonly maxBytes: number | undefined
  /** So long may the client send nothing. */
  readonly idleMs: number
}

export interface BodyTarget {
  /** Descriptor of the file, which stays open. */
  readonly file: number
  /** Where the body begins. */
  readonly offset: number
  /** Hears of pieces that were written, and where; the memory is used again afterwards. */
  onWritten(pieces: readonly Buffer[], offset: number): void
  /** The last call: all of the body is in the file, and `rest` came behind it, or there was an error (BodyFault, or one
   *  of the file's). `sizeBytes` of the body were written. */
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
    // Half-open: the way back is the server's.
    this.#socket = new Socket({ fd, allowHalfOpen: true, onread: { buffer, callback: onData } })
    this.#socket.on('end', this.#onGone).on('error', this.#onGone).on('close', this.#onGone)
    this.#timer = setTimeout(this.#onTimer, idleMs)
    this.#take(Buffer.from(head.buffer, head.byteOffset, head.byteLength))
  }

  /** Ends it as if the client had gone. */
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
      // A copy: the buffer is everybody's.
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

  /** The thread may have been busy for so long with other connections, and bytes of this one be waiting: those are read
   *  before the immediate runs. */
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
  // A full disk says why at the next attempt.
  for (const rest = Buffer.concat(pieces); written < sizeBytes; ) {
    written += writeSync(file, rest, written, sizeBytes - written, position + written)
  }
}
