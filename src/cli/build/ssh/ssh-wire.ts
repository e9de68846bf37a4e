/** SSH's encoding of values: lengths are big-endian 32-bit numbers. https://www.rfc-editor.org/rfc/rfc4251#section-5 */

/** Encodes a string or bytes. */
export function packString(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Encodes a number that is not negative: no leading zeros, except for one before a byte of 0x80 or more. */
export function packNumber(value: Buffer): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const bare = first === -1 ? Buffer.alloc(0) : value.subarray(first)
  return packString(((bare[0] ?? 0) & 0x80) === 0 ? bare : Buffer.concat([Buffer.alloc(1), bare]))
}

/** Reads values one after another. Throws `RangeError` at the end of the bytes. */
export class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Reads a 32-bit number. */
  number32(): number {
    const value = this.#bytes.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  /** Reads the bytes of a string. */
  string(): Buffer {
    const length = this.number32()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('a value is longer than what holds it')
    const value = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return value
  }

  /** Reads a string as text. */
  text(): string {
    return this.string().toString('utf8')
  }
}
