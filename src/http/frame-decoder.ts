import type { OutputStream } from '../base/index.ts'
import { frameHeaderBytes } from './frames.ts'

export type OnFrame = (stream: OutputStream, chunk: Buffer) => void

/** Takes a multiplexed stream apart, whatever way its bytes are cut. Payload is passed on as it arrives,
 *  so one frame may give several chunks, none of them copied. */
export class FrameDecoder {
  readonly #onFrame: OnFrame
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerUsed = 0
  #stream: OutputStream = 'stdout'
  #remaining = 0

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  /** Takes the next bytes of the stream. Throws on a stream number that doesn't exist. */
  push(bytes: Buffer): void {
    let offset = 0
    while (offset < bytes.length) {
      if (this.#remaining === 0) {
        offset = this.#readHeader(bytes, offset)
        if (this.#remaining === 0) continue
      }
      if (offset === bytes.length) return
      const end = Math.min(bytes.length, offset + this.#remaining)
      this.#remaining -= end - offset
      this.#onFrame(this.#stream, bytes.subarray(offset, end))
      offset = end
    }
  }

  /** True when the stream may end here: not inside a frame. */
  get isComplete(): boolean {
    return this.#headerUsed === 0 && this.#remaining === 0
  }

  #readHeader(bytes: Buffer, offset: number): number {
    if (this.#headerUsed === 0 && bytes.length - offset >= frameHeaderBytes) {
      this.#stream = streamOf(bytes[offset])
      this.#remaining = bytes.readUInt32BE(offset + 4)
      return offset + frameHeaderBytes
    }
    const taken = bytes.copy(this.#header, this.#headerUsed, offset, offset + frameHeaderBytes - this.#headerUsed)
    this.#headerUsed += taken
    if (this.#headerUsed === frameHeaderBytes) {
      this.#headerUsed = 0
      this.#stream = streamOf(this.#header[0])
      this.#remaining = this.#header.readUInt32BE(4)
    }
    return offset + taken
  }
}

function streamOf(number: number | undefined): OutputStream {
  // 0 is stdin echoed by very old servers, 3 the daemon's own error text.
  if (number === 1 || number === 0) return 'stdout'
  if (number === 2 || number === 3) return 'stderr'
  throw new Error(`unrecognized stream: ${number}`)
}
