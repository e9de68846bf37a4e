/** Reads a small zip archive in memory: first the directory at its end, then the wanted members, whose size and
 *  checksum it verifies. It does not support encryption, archives on several disks, or sizes of more than 32 bits.
 *  https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.6 to 4.3.16 */
import { crc32, inflateRawSync } from 'node:zlib'
import { BerthError } from '../base/index.ts'

/** A member and its content. */
export interface ZipMember {
  /** As in the archive; that of a directory ends with a slash. */
  readonly path: string
  readonly content: Buffer
}

/** What to read. */
export interface ReadZipOptions {
  /** Selects the members to read; absent: all. */
  readonly wanted?: (path: string) => boolean
  /** Limit of a member's size; a larger one is refused. */
  readonly maxMemberBytes: number
}

const endSignature = 0x06054b50
const directorySignature = 0x02014b50
const memberSignature = 0x04034b50
const endBytes = 22
/** A comment of at most this size may follow the directory. */
const maxCommentBytes = 0xffff

/** True for bytes that begin like a zip archive. */
export function isZip(start: Buffer): boolean {
  return start.length >= 4 && [memberSignature, endSignature].includes(start.readUInt32LE(0))
}

/** The wanted members, in their order. Throws `dataLoss` for an incomplete or damaged archive, `notImplemented` for
 *  features that this reader lacks. */
export function readZip(archive: Buffer, { wanted = () => true, maxMemberBytes }: ReadZipOptions): ZipMember[] {
  try {
    return directoryOf(archive)
      .filter(({ path }) => wanted(path))
      .map((entry) => ({ path: entry.path, content: contentOf(archive, entry, maxMemberBytes) }))
  } catch (error) {
    // A position outside of the archive.
    if (error instanceof RangeError) throw broken('it is cut off')
    throw error
  }
}

interface Entry {
  readonly path: string
  readonly flags: number
  readonly method: number
  readonly sum: number
  readonly packedBytes: number
  readonly sizeBytes: number
  readonly offset: number
}

function directoryOf(archive: Buffer): Entry[] {
  const end = endOf(archive)
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  if (count === 0xffff || at === 0xffffffff) throw unsupported('a zip64 archive')
  const entries: Entry[] = []
  for (let index = 0; index < count; index++) {
    if (archive.readUInt32LE(at) !== directorySignature) throw broken('its directory is damaged')
    const nameBytes = archive.readUInt16LE(at + 28)
    entries.push({
      flags: archive.readUInt16LE(at + 8),
      method: archive.readUInt16LE(at + 10),
      sum: archive.readUInt32LE(at + 16),
      packedBytes: archive.readUInt32LE(at + 20),
      sizeBytes: archive.readUInt32LE(at + 24),
      offset: archive.readUInt32LE(at + 42),
      path: archive.toString('utf8', at + 46, at + 46 + nameBytes),
    })
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  return entries
}

function endOf(archive: Buffer): number {
  const last = archive.length - endBytes
  for (let at = last; at >= Math.max(0, last - maxCommentBytes); at--) {
    if (archive.readUInt32LE(at) === endSignature) return at
  }
  throw broken('its end is missing')
}

function contentOf(archive: Buffer, entry: Entry, maxBytes: number): Buffer {
  const { path, flags, method, sum, packedBytes, sizeBytes, offset } = entry
  if ((flags & 1) !== 0) throw unsupported(`the encrypted file ${path}`)
  if (sizeBytes > maxBytes) throw new BerthError('invalidArgument', 'read exceeds the defined limit')
  if (archive.readUInt32LE(offset) !== memberSignature) throw broken(`${path} is damaged`)
  const start = offset + 30 + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28)
  if (start + packedBytes > archive.length) throw broken('it is cut off')
  const packed = archive.subarray(start, start + packedBytes)
  const content = unpack(packed, { path, method, maxBytes })
  if (content.length !== sizeBytes || crc32(content) !== sum) throw broken(`${path} is damaged`)
  return content
}

function unpack(
  packed: Buffer,
  { path, method, maxBytes }: { path: string; method: number; maxBytes: number },
): Buffer {
  if (method === 0) return packed
  if (method !== 8) throw unsupported(`the compression of ${path}`)
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (cause) {
    throw broken(`${path} is damaged`, cause)
  }
}

function broken(why: string, cause?: unknown): BerthError {
  return new BerthError('dataLoss', `not a valid zip archive: ${why}`, { cause })
}

function unsupported(what: string): BerthError {
  return new BerthError('notImplemented', `${what} cannot be read`)
}
