/** Contents of a context's files, encoded for a build session: `u64be size` and the bytes, one file after the other.
 *  For a file that can't be read, the size is all ones, and `u32be length` and a message follow. */

import { errnoOf, messageOf, nameBytes } from '../../../base/index.ts'
import { fs } from '../../terminal/builtins.ts'

const unreadable = Buffer.alloc(8, 0xff)
/** Small files are joined, and large ones split, into pieces of about this size. */
const pieceBytes = 512 * 1024

/** Packs files. Throws when a large file becomes shorter while it is read. */
export function* packContents(directory: string, paths: readonly string[]): Generator<Buffer, void, void> {
  let gathered: Buffer[] = []
  let size = 0
  for (const path of paths) {
    for (const piece of contentOf(directory, path)) {
      gathered.push(piece)
      size += piece.length
      if (size < pieceBytes) continue
      yield Buffer.concat(gathered)
      gathered = []
      size = 0
    }
  }
  if (size > 0) yield Buffer.concat(gathered)
}

function* contentOf(directory: string, path: string): Generator<Buffer, void, void> {
  const whole = `${directory}/${path}`
  let fd: number
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
    fd = fs.openSync(whole.isWellFormed() ? whole : nameBytes(whole), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    yield refusal(`open ${path}: ${reasonOf(error)}`)
    return
  }
  try {
    const status = fs.fstatSync(fd)
    if (!status.isFile()) yield refusal(`open ${path}: not a regular file`)
    else if (status.size <= pieceBytes) yield smallFile(fd, path, status.size)
    else yield* largeFile(fd, path, status.size)
  } finally {
    fs.closeSync(fd)
  }
}

/** Reads a small file before its size is sent, so that a change meanwhile does no harm. */
function smallFile(fd: number, path: string, sizeBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(8 + sizeBytes)
  let done = 0
  try {
    while (done < sizeBytes) {
      const count = fs.readSync(fd, buffer, 8 + done, sizeBytes - done, null)
      if (count === 0) break
      done += count
    }
  } catch (error) {
    return refusal(`read ${path}: ${reasonOf(error)}`)
  }
  buffer.writeBigUInt64BE(BigInt(done), 0)
  return buffer.subarray(0, 8 + done)
}

function* largeFile(fd: number, path: string, sizeBytes: number): Generator<Buffer, void, void> {
  const head = Buffer.alloc(8)
  head.writeBigUInt64BE(BigInt(sizeBytes))
  yield head
  for (let left = sizeBytes; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, pieceBytes))
    const count = fs.readSync(fd, buffer)
    if (count === 0) throw new Error(`${path} became shorter while it was read`)
    yield buffer.subarray(0, count)
    left -= count
  }
}

function refusal(message: string): Buffer {
  const text = Buffer.from(message)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([unreadable, length, text])
}

function reasonOf(error: unknown): string {
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    ELOOP: 'too many levels of symbolic links',
  }
  return texts[errnoOf(error) ?? ''] ?? messageOf(error)
}
