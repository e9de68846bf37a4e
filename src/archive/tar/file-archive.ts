/** An archive of whole files and of bytes in memory. Its size is known before its first byte, so clients can be told.
 *  Files are read in large chunks: the next read runs while the last chunk is sent. */
import { type FileHandle, open } from 'node:fs/promises'
import { type AbortOptions, BerthError } from '../../base/index.ts'
import { formatTarHeader, type TarEntryInput, tarEnd, tarPadding } from './tar-writer.ts'

/** A member: its header and the place of its content. The header's `sizeBytes` is taken from the content. */
export interface ArchiveMember {
  readonly entry: TarEntryInput
  readonly content?: Buffer | FileContent
}

/** The first `sizeBytes` bytes of a file, which must have at least as many. */
export interface FileContent {
  readonly path: string
  readonly sizeBytes: number
}

/** An archive that is not written yet. */
export interface FileArchive {
  readonly sizeBytes: number
  /** The archive's bytes. Memory is reused: a chunk is valid only until the reader asks for the next one. Throws
   *  `dataLoss` when a file is shorter than expected. */
  chunks(options?: AbortOptions): AsyncGenerator<Buffer, void, undefined>
}

const readBytes = 1 << 20

/** Plans an archive of these members, in this order. */
export function archiveOf(members: readonly ArchiveMember[]): FileArchive {
  const parts: (Buffer | FileContent)[] = []
  let gathered: Buffer[] = []
  for (const { entry, content = Buffer.alloc(0) } of members) {
    const sizeBytes = sizeOf(content)
    gathered.push(formatTarHeader({ ...entry, sizeBytes }))
    if (Buffer.isBuffer(content)) gathered.push(content)
    else if (sizeBytes > 0) {
      parts.push(Buffer.concat(gathered), content)
      gathered = []
    }
    gathered.push(tarPadding(sizeBytes))
  }
  parts.push(Buffer.concat([...gathered, tarEnd]))
  return {
    sizeBytes: parts.reduce((sum, part) => sum + sizeOf(part), 0),
    chunks: (options) => readParts(parts, options),
  }
}

function sizeOf(part: Buffer | FileContent): number {
  return Buffer.isBuffer(part) ? part.length : part.sizeBytes
}

async function* readParts(
  parts: readonly (Buffer | FileContent)[],
  { signal }: AbortOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const buffers = [Buffer.allocUnsafeSlow(readBytes), Buffer.allocUnsafeSlow(readBytes)] as const
  for (const part of parts) {
    signal?.throwIfAborted()
    if (Buffer.isBuffer(part)) yield part
    else yield* readFile(part, buffers, signal)
  }
}

async function* readFile(
  { path, sizeBytes }: FileContent,
  buffers: readonly [Buffer, Buffer],
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  await using file = await open(path)
  let position = 0
  let next = readPiece(file, buffers[0], position, sizeBytes)
  try {
    for (let turn = 1; position < sizeBytes; turn += 1) {
      const piece = await next
      signal?.throwIfAborted()
      if (piece.length === 0) throw new BerthError('dataLoss', `${path} has ${position} bytes instead of ${sizeBytes}`)
      position += piece.length
      next = readPiece(file, buffers[turn % 2 === 0 ? 0 : 1], position, sizeBytes)
      yield piece
    }
  } finally {
    // The file must not be closed during a read.
    await next.catch(() => {})
  }
}

async function readPiece(file: FileHandle, buffer: Buffer, position: number, sizeBytes: number): Promise<Buffer> {
  const length = Math.min(buffer.length, sizeBytes - position)
  if (length === 0) return buffer.subarray(0, 0)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
