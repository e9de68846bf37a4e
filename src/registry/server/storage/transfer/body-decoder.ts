/** Extracts a request's body from the bytes of its connection. The body has a known size or chunked transfer encoding.
 *  https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
import { BodyFault } from './body-fault.ts'

/** Limit of a chunk's size line and of all trailers together. */
const maxLineBytes = 16 * 1024
/** Shorter pieces are joined with the one before, because fewer and longer pieces are cheaper to hash and write. */
const minPieceBytes = 8 * 1024
const maxSizeDigits = 12
const lineFeed = 10
const carriageReturn = 13
const semicolon = 59

type State = 'size' | 'extension' | 'size-end' | 'data' | 'data-return' | 'data-end' | 'trailer' | 'trailer-end' | 'end'

export class BodyDecoder {
  readonly #isChunked: boolean
  #state: State
  /** Bytes left of the body, or of the current chunk. */
  #leftBytes: number
  #digits = 0
  #lineBytes = 0
  #trailerBytes = 0

  /** `sizeBytes` is undefined for a chunked body. */
  constructor(sizeBytes: number | undefined) {
    this.#isChunked = sizeBytes === undefined
    this.#leftBytes = sizeBytes ?? 0
    this.#state = this.#isChunked ? 'size' : sizeBytes === 0 ? 'end' : 'data'
  }

  /** True after the last byte of the body. */
  get isEnded(): boolean {
    return this.#state === 'end'
  }

  /** Finds the body's bytes in `bytes`, within which they may be moved. `endOffset` is the offset of the first byte
   *  after the body, or the length of `bytes` if the body goes on. Throws BodyFault `malformed`. */
  decode(bytes: Buffer): { readonly pieces: readonly Buffer[]; readonly endOffset: number } {
    const pieces: Buffer[] = []
    let offset = 0
    while (offset < bytes.length && this.#state !== 'end') {
      if (this.#state !== 'data') {
        this.#step(bytes[offset] ?? 0)
        offset += 1
        continue
      }
      const end = Math.min(bytes.length, offset + this.#leftBytes)
      addPiece(pieces, bytes, offset, end)
      this.#leftBytes -= end - offset
      offset = end
      if (this.#leftBytes === 0) this.#state = this.#isChunked ? 'data-return' : 'end'
    }
    return { pieces, endOffset: offset }
  }

  /** Reads one byte of the framing around the chunks. */
  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#onSize(byte)
        break
      case 'extension':
        this.#count()
        if (byte === carriageReturn) this.#state = 'size-end'
        else if (byte === lineFeed) throw malformed()
        break
      case 'size-end':
        expect(byte, lineFeed)
        this.#lineBytes = 0
        this.#digits = 0
        this.#state = this.#leftBytes === 0 ? 'trailer' : 'data'
        break
      case 'data-return':
        expect(byte, carriageReturn)
        this.#state = 'data-end'
        break
      case 'data-end':
        expect(byte, lineFeed)
        this.#state = 'size'
        break
      case 'trailer':
        this.#count()
        if (byte === carriageReturn) this.#state = 'trailer-end'
        else if (byte === lineFeed) throw malformed()
        else this.#trailerBytes += 1
        break
      case 'trailer-end':
        expect(byte, lineFeed)
        this.#state = this.#trailerBytes === 0 ? 'end' : 'trailer'
        this.#trailerBytes = 0
        break
    }
  }

  #onSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== undefined) {
      this.#digits += 1
      if (this.#digits > maxSizeDigits) throw malformed()
      this.#leftBytes = this.#leftBytes * 16 + digit
    } else if (this.#digits === 0) throw malformed()
    else if (byte === carriageReturn) this.#state = 'size-end'
    else if (byte === semicolon) this.#state = 'extension'
    else throw malformed()
  }

  #count(): void {
    this.#lineBytes += 1
    if (this.#lineBytes > maxLineBytes) throw malformed()
  }
}

/** Adds a piece. A short one is moved to the end of the last piece, over framing bytes that were already read. */
function addPiece(pieces: Buffer[], bytes: Buffer, start: number, end: number): void {
  const last = pieces.at(-1)
  if (last === undefined || end - start >= minPieceBytes) {
    pieces.push(bytes.subarray(start, end))
    return
  }
  const from = last.byteOffset - bytes.byteOffset
  const to = from + last.length
  bytes.copyWithin(to, start, end)
  pieces[pieces.length - 1] = bytes.subarray(from, to + end - start)
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : undefined
}

function expect(byte: number, expected: number): void {
  if (byte !== expected) throw malformed()
}

function malformed(): BodyFault {
  return new BodyFault('malformed')
}
