/** The sending end of output streams: takes chunks as a process writes them, and passes them to a socket or a
 *  response, raw or in frames. Small chunks of one turn of the event loop are gathered into blocks, and those of one
 *  stream into one frame. So a program that writes short lines costs one system call per block instead of one per
 *  line, here and in the client: the docker CLI, which writes once per frame, took 6.7 s for 100 MB in lines of 100
 *  bytes, and takes 0.3 s with joined frames. Large chunks are passed on without a copy. */
import type { OutputSink, OutputStream } from '../../base/index.ts'
import { frameHeaderBytes, writeFrameHeader } from './frames.ts'

/** What a sink writes to, such as a `net.Socket` or an `http.ServerResponse`. */
export interface ByteOutput {
  readonly destroyed: boolean
  readonly writableEnded: boolean
  write(chunk: Uint8Array, written?: () => void): boolean
  end(): unknown
  cork(): void
  uncork(): void
  on(event: 'drain' | 'close' | 'error', listener: () => void): unknown
}

const blockBytes = 64 * 1024
/** Chunks of this size or more are written without a copy, which would cost more than a longer list of buffers. */
const directBytes = 16 * 1024
const maxSpares = 2
const lineFeed = 0x0a
/** Frames are joined up to this size, with which the buffers of Go's clients start. */
const maxFrameBytes = 32 * 1024

/** How a StreamSink writes. */
export interface StreamSinkOptions {
  /** False: chunks are sent without frames, and the two streams can't be told apart. */
  readonly multiplexed: boolean
  /** Puts each line in a frame of its own, instead of as many as fit. */
  readonly framePerLine?: boolean
}

/** An OutputSink that writes to a socket or a response. */
export class StreamSink implements OutputSink {
  readonly #output: ByteOutput
  readonly #headerBytes: number
  readonly #framePerLine: boolean
  readonly #drainCallbacks: (() => void)[] = []
  readonly #closeCallbacks: (() => void)[] = []
  #block: Buffer | undefined
  /** Blocks that were sent and can be filled again. */
  readonly #spares: Buffer[] = []
  #used = 0
  /** Where the last frame of the block begins, and its stream, while the frame can still grow. */
  #frameStart = -1
  #frameStream: OutputStream = 'stdout'
  #flushScheduled = false
  #blocked = false
  #closed: boolean

  constructor(output: ByteOutput, { multiplexed, framePerLine = false }: StreamSinkOptions) {
    this.#output = output
    this.#framePerLine = framePerLine && multiplexed
    this.#headerBytes = multiplexed ? frameHeaderBytes : 0
    this.#closed = output.destroyed
    output.on('drain', () => this.#drained())
    output.on('close', () => this.#close())
    // `close` follows and reports the failure. Without a listener, the error would end the process.
    output.on('error', () => this.#close())
  }

  write(stream: OutputStream, chunk: Buffer): boolean {
    if (this.#closed || this.#output.writableEnded || chunk.length === 0) return true
    if (this.#framePerLine) this.#writeLines(stream, chunk)
    else this.#pass(stream, chunk)
    return !this.#blocked
  }

  onDrain(callback: () => void): void {
    this.#drainCallbacks.push(callback)
  }

  onClose(callback: () => void): void {
    if (this.#closed) queueMicrotask(callback)
    else this.#closeCallbacks.push(callback)
  }

  end(): void {
    if (this.#closed || this.#output.writableEnded) return
    this.#flush()
    this.#output.end()
  }

  #writeLines(stream: OutputStream, chunk: Buffer): void {
    for (let start = 0; start < chunk.length; ) {
      const feed = chunk.indexOf(lineFeed, start)
      const end = feed === -1 ? chunk.length : feed + 1
      this.#pass(stream, chunk.subarray(start, end))
      this.#closeFrame()
      start = end
    }
  }

  #pass(stream: OutputStream, chunk: Buffer): void {
    if (chunk.length >= directBytes) this.#writeDirect(stream, chunk)
    else this.#gather(stream, chunk)
  }

  #writeDirect(stream: OutputStream, chunk: Buffer): void {
    this.#output.cork()
    this.#closeFrame()
    if (this.#headerBytes > 0) {
      const room = this.#makeRoom(0)
      writeFrameHeader(room, this.#used, stream, chunk.length)
      this.#used += this.#headerBytes
    }
    this.#flush()
    if (!this.#output.write(chunk)) this.#blocked = true
    this.#output.uncork()
  }

  #gather(stream: OutputStream, chunk: Buffer): void {
    const grown = this.#used - this.#frameStart + chunk.length
    if (this.#frameStart === -1 || this.#frameStream !== stream || grown > maxFrameBytes) this.#closeFrame()
    const room = this.#makeRoom(chunk.length)
    if (this.#frameStart === -1) this.#openFrame(stream)
    chunk.copy(room, this.#used)
    this.#used += chunk.length
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    process.nextTick(() => {
      this.#flushScheduled = false
      if (!this.#closed && !this.#output.writableEnded) this.#flush()
    })
  }

  #openFrame(stream: OutputStream): void {
    if (this.#headerBytes === 0) return
    this.#frameStart = this.#used
    this.#frameStream = stream
    this.#used += this.#headerBytes
  }

  #closeFrame(): void {
    if (this.#frameStart === -1 || this.#block === undefined) return
    const length = this.#used - this.#frameStart - this.#headerBytes
    writeFrameHeader(this.#block, this.#frameStart, this.#frameStream, length)
    this.#frameStart = -1
  }

  /** The current block, with room for a header and `length` more bytes. */
  #makeRoom(length: number): Buffer {
    if (this.#block !== undefined && this.#used + this.#headerBytes + length > this.#block.length) this.#flush()
    // A small first chunk gets a small block, which is enough for a quiet terminal.
    const isBusy = this.#flushScheduled || this.#blocked
    this.#block ??= this.#spares.pop() ?? Buffer.allocUnsafe(isBusy ? blockBytes : blockSizeFor(length))
    return this.#block
  }

  #flush(): void {
    this.#closeFrame()
    if (this.#block === undefined || this.#used === 0) return
    const block = this.#block
    const filled = block.subarray(0, this.#used)
    this.#block = undefined
    this.#used = 0
    const isWritable = this.#output.write(filled, () => {
      if (block.length === blockBytes && this.#spares.length < maxSpares) this.#spares.push(block)
    })
    if (!isWritable) this.#blocked = true
  }

  #drained(): void {
    this.#blocked = false
    if (!this.#closed && !this.#output.writableEnded) this.#flush()
    if (this.#blocked) return
    for (const callback of this.#drainCallbacks) callback()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#block = undefined
    this.#used = 0
    this.#frameStart = -1
    for (const callback of this.#closeCallbacks.splice(0)) callback()
  }
}

function blockSizeFor(length: number): number {
  return length + frameHeaderBytes <= 4096 ? 4096 : blockBytes
}
