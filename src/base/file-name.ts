/** File names are bytes, and most are UTF-8. Berth holds a name as a string in which each byte that is not valid UTF-8
 *  is one lone surrogate (0xE9 is U+DCE9). So names compare and join as strings do, and still give back the exact
 *  bytes. */
import { isAscii, isUtf8 } from 'node:buffer'

/** The string for the bytes of a name. */
export function decodeName(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString()
  return decodeMixed(bytes)
}

/** The form in which a system call takes a name: a string, or for a name that is not UTF-8, its bytes and a final
 *  NUL. */
export function encodeName(name: string): string | Buffer {
  return name.isWellFormed() ? name : Buffer.concat([encodeMixed(name), Buffer.alloc(1)])
}

/** The exact bytes of a name, without a final NUL. */
export function nameBytes(name: string): Buffer {
  return name.isWellFormed() ? Buffer.from(name) : encodeMixed(name)
}

function decodeMixed(bytes: Buffer): string {
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const length = validLengthAt(bytes, at)
    text += length > 0 ? bytes.toString('utf8', at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += length || 1
  }
  return text
}

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function validLengthAt(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    if (isUtf8(bytes.subarray(at, at + length))) return length
  }
  return 0
}

function encodeMixed(name: string): Buffer {
  const parts: Buffer[] = []
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}
