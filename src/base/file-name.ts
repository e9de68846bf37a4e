/** File names are bytes; most are UTF-8. A name is held as a string in which every byte that is no valid
 *  UTF-8 stands as a lone surrogate (0xE9 as U+DCE9), so that strings compare and join as usual and still
 *  give back the exact bytes. */
import { isAscii, isUtf8 } from 'node:buffer'

/** The name that these bytes are. */
export function decodeName(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString()
  return decodeMixed(bytes)
}

/** What a system call takes for a name: the string itself, or its bytes with a NUL when it isn't UTF-8. */
export function encodeName(name: string): string | Buffer {
  return name.isWellFormed() ? name : Buffer.concat([encodeMixed(name), Buffer.alloc(1)])
}

/** The bytes of a name. */
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
