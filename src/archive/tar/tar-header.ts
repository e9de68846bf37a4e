/** The 512-byte header block: USTAR, GNU and old (v7) forms.
 *  https://www.gnu.org/software/tar/manual/html_node/Standard.html */
import { decodeName } from '../../base/index.ts'
import { tarError } from './tar-error.ts'

/** The fields of a header block, before PAX records and GNU long names override them. */
export interface RawHeader {
  readonly typeFlag: string
  readonly path: string
  readonly linkPath: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  readonly deviceMajor: number
  readonly deviceMinor: number
  readonly dialect: 'v7' | 'ustar' | 'gnu'
}

/** Parses a header block. Undefined for a block of zeros, which marks the end of the archive. Throws when the checksum
 *  or a number is wrong. */
export function parseHeader(block: Buffer): RawHeader | undefined {
  const sums = checksums(block)
  if (sums.unsigned === zeroSum && isZero(block)) return undefined
  const stored = parseNumber(block, 148, 8)
  // Some old programs added signed bytes.
  if (stored !== sums.unsigned && stored !== sums.signed) throw tarError('header checksum does not match')
  const dialect = dialectOf(block)
  const name = parseText(block, 0, 100)
  const prefix = dialect === 'ustar' ? parseText(block, 345, hasStarTrailer(block) ? 131 : 155) : ''
  const hasDevice = dialect !== 'v7'
  return {
    typeFlag: String.fromCharCode(block[156] ?? 0),
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkPath: parseText(block, 157, 100),
    mode: parseNumber(block, 100, 8),
    uid: parseNumber(block, 108, 8),
    gid: parseNumber(block, 116, 8),
    sizeBytes: parseNumber(block, 124, 12),
    mtimeSeconds: parseNumber(block, 136, 12),
    deviceMajor: hasDevice ? parseNumber(block, 329, 8) : 0,
    deviceMinor: hasDevice ? parseNumber(block, 337, 8) : 0,
    dialect,
  }
}

/** Parses a numeric field: octal text, or big-endian two's complement if its first bit is set (GNU). */
export function parseNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0
  if (first >= 0x80) return parseBinary(block, offset, length, first)
  let at = offset
  const end = offset + length
  while (at < end && block[at] === 0x20) at += 1
  let value = 0
  for (; at < end; at += 1) {
    const digit = (block[at] ?? 0) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  const rest = block[at] ?? 0
  if (at < end && rest !== 0 && rest !== 0x20) throw tarError('header has a number that is not octal')
  return value
}

function parseBinary(block: Buffer, offset: number, length: number, first: number): number {
  const negative = (first & 0x40) !== 0
  // The mark bit is not part of the number; for a negative number, the sign fills it.
  let value = BigInt(negative ? first | 0x80 : first & 0x7f)
  if (negative) value -= 256n
  for (let at = offset + 1; at < offset + length; at += 1) value = value * 256n + BigInt(block[at] ?? 0)
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw tarError('header has a number that is too large')
  return number
}

/** Parses a text field, up to its first NUL. */
function parseText(block: Buffer, offset: number, length: number): string {
  if (block[offset] === 0) return ''
  const nul = block.indexOf(0, offset)
  const end = nul < 0 || nul > offset + length ? offset + length : nul
  return decodeName(block.subarray(offset, end))
}

function dialectOf(block: Buffer): RawHeader['dialect'] {
  const magic = block.toString('latin1', 257, 263)
  if (magic === 'ustar\0') return 'ustar'
  return magic === 'ustar ' ? 'gnu' : 'v7'
}

/** True for headers of star, which have times at the end of USTAR's prefix field, and a mark. */
function hasStarTrailer(block: Buffer): boolean {
  return block.toString('latin1', 508, 512) === 'tar\0'
}

const zeroSum = 8 * 0x20

/** Sums of the block's bytes, with its checksum field counted as spaces. */
function checksums(block: Buffer): { readonly unsigned: number; readonly signed: number } {
  let unsigned = zeroSum
  let high = 0
  for (let at = 0; at < 512; at += 1) {
    if (at === 148) at = 156
    const byte = block[at] ?? 0
    unsigned += byte
    if (byte > 127) high += 256
  }
  return { unsigned, signed: unsigned - high }
}

function isZero(block: Buffer): boolean {
  for (const byte of block) if (byte !== 0) return false
  return true
}

/** The checksum of a header block to write. */
export function headerChecksum(block: Buffer): number {
  return checksums(block).unsigned
}
