/** Splits the frames that attach, exec and logs send without a terminal. A frame has one byte for the stream (1 stdout,
 *  2 stderr, 3 an error of the daemon), three zero bytes, the length as a big-endian 32-bit number, and the data. */
import { BerthError, type OutputStream } from '../../base/index.ts'

const headerBytes = 8

/** Splits one stream of frames. Bytes may arrive in pieces of any size. */
export class Demultiplexer {
  readonly #write: (stream: OutputStream, chunk: Buffer) => void
  readonly #header = Buffer.alloc(headerBytes)
  #headerFill = 0
  #left = 0
  #stream: OutputStream | 'system' = 'stdout'
  #systemText = ''
  #pending: Buffer[] = []
  #pendingStream: OutputStream = 'stdout'

  /** `write` receives the data in order. Neighboring frames of one stream are joined. */
  constructor(write: (stream: OutputStream, chunk: Buffer) => void) {
    this.#write = write
  }

  /** Takes received bytes. Throws `internal` with the daemon's text for a frame of stream 3. */
  push(input: Buffer): void {
    let offset = 0
    while (offset < input.length) {
      if (this.#left === 0) {
        offset = this.#readHeader(input, offset)
        continue
      }
      const end = Math.min(input.length, offset + this.#left)
      this.#emit(input.subarray(offset, end))
      this.#left -= end - offset
      offset = end
      if (this.#left === 0 && this.#stream === 'system') this.#failWithSystemText()
    }
    this.#flush()
  }

  #readHeader(input: Buffer, start: number): number {
    let offset = start
    // The usual case: the header is complete.
    if (this.#headerFill === 0 && input.length - offset >= headerBytes) {
      this.#begin(input, offset)
      return offset + headerBytes
    }
    while (offset < input.length && this.#headerFill < headerBytes) {
      this.#header[this.#headerFill++] = input[offset++] as number
    }
    if (this.#headerFill === headerBytes) {
      this.#headerFill = 0
      this.#begin(this.#header, 0)
    }
    return offset
  }

  #begin(header: Buffer, offset: number): void {
    const kind = header[offset]
    if (kind === undefined || kind > 3) throw new BerthError('dataLoss', `Unrecognized input header: ${kind}`)
    this.#stream = kind === 3 ? 'system' : kind === 2 ? 'stderr' : 'stdout'
    this.#left = header.readUInt32BE(offset + 4)
  }

  #emit(data: Buffer): void {
    if (this.#stream === 'system') {
      this.#systemText += data.toString('utf8')
      return
    }
    if (this.#pendingStream !== this.#stream) {
      this.#flush()
      this.#pendingStream = this.#stream
    }
    this.#pending.push(data)
  }

  #flush(): void {
    const parts = this.#pending
    if (parts.length === 0) return
    this.#pending = []
    this.#write(this.#pendingStream, parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts))
  }

  #failWithSystemText(): never {
    this.#flush()
    throw new BerthError('internal', `error from daemon in stream: ${this.#systemText}`)
  }
}
