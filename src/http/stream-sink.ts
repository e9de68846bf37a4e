/** The sending end of output streams: takes chunks as a process writes them and passes them to a socket or a
 *  response, raw or in frames. Small chunks of one turn of the event loop are gathered into blocks, so that a
 *  program that writes short lines costs one system call per block and not one per line; large ones are passed
 *  on without a copy. */
import type { OutputSink, OutputStream } from '../base/index.ts'
import { frameHeaderBytes, writeFrameHeader } from './frames.ts'

/** What a sink writes to: `net.Socket` and `http.ServerResponse` are such. */
export interface ByteOutput {
  readonly destroyed: boolean
  readonly writableEnded: boolean
  write(chunk: Uint8Array): boolean
  end(): unknown
  cork(): void
  uncork(): void
  on(event: 'drain' | 'close' | 'error', listener: () => void): unknown
}

const blockBytes = 64 * 1024
/** Chunks from this size on are written as they are: copying them would cost more than a longer write list. */
const directBytes = 16 * 1024

export interface StreamSinkOptions {
  /** False: chunks are sent without frames and both streams look the same. */
  readonly multiplexed: boolean
}

export class StreamSink implements OutputSink {
  readonly #output: ByteOutput
  readonly #headerBytes: number
  readonly #drainCallbacks: (() => void)[] = []
  readonly #closeCallbacks: (() => void)[] = []
  #block: Buffer | undefined
  #used = 0
  #flushScheduled = false
  #blocked = false
  #closed: boolean

  constructor(output: ByteOutput, { multiplexed }: StreamSinkOptions) {
    this.#output = output
    this.#headerBytes = multiplexed ? frameHeaderBytes : 0
    this.#closed = output.destroyed
    output.on('drain', () => this.#drained())
    output.on('close', () => this.#close())
    // What failed is told by `close`, which follows; without a listener it would end the process.
    output.on('error', () => this.#close())
  }

  write(stream: OutputStream, chunk: Buffer): boolean {
    if (this.#closed || this.#output.writableEnded || chunk.length === 0) return true
    if (chunk.length >= directBytes) this.#writeDirect(stream, chunk)
    else this.#gather(stream, chunk)
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

  #writeDirect(stream: OutputStream, chunk: Buffer): void {
    this.#output.cork()
    const room = this.#makeRoom(0)
    if (this.#headerBytes > 0) {
      writeFrameHeader(room, this.#used, stream, chunk.length)
      this.#used += this.#headerBytes
    }
    this.#flush()
    if (!this.#output.write(chunk)) this.#blocked = true
    this.#output.uncork()
  }

  #gather(stream: OutputStream, chunk: Buffer): void {
    const room = this.#makeRoom(chunk.length)
    if (this.#headerBytes > 0) {
      writeFrameHeader(room, this.#used, stream, chunk.length)
      this.#used += this.#headerBytes
    }
    chunk.copy(room, this.#used)
    this.#used += chunk.length
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    process.nextTick(() => {
      this.#flushScheduled = false
      if (!this.#closed && !this.#output.writableEnded) this.#flush()
    })
  }

  /** The current block, with room for a header and `length` more bytes. */
  #makeRoom(length: number): Buffer {
    if (this.#block !== undefined && this.#used + this.#headerBytes + length > this.#block.length) this.#flush()
    // A first small chunk gets a small block, which a quiet terminal never outgrows.
    this.#block ??= Buffer.allocUnsafe(this.#flushScheduled || this.#blocked ? blockBytes : blockSizeFor(length))
    return this.#block
  }

  #flush(): void {
    if (this.#block === undefined || this.#used === 0) return
    const filled = this.#block.subarray(0, this.#used)
    this.#block = undefined
    this.#used = 0
    if (!this.#output.write(filled)) this.#blocked = true
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
    for (const callback of this.#closeCallbacks.splice(0)) callback()
  }
}

function blockSizeFor(length: number): number {
  return length + frameHeaderBytes <= 4096 ? 4096 : blockBytes
}
