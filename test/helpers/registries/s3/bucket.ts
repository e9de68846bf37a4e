/** The objects of a bucket, as lists of pieces of files, so that copies and joined parts cost nothing. */
import { createReadStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { S3Error } from './errors.ts'

export interface Piece {
  readonly path: string
  readonly start: number
  readonly size: number
}

export interface StoredObject {
  readonly pieces: readonly Piece[]
  readonly size: number
  /** With its quotation marks. */
  readonly etag: string
  readonly modifiedMs: number
}

export interface MultipartUpload {
  readonly id: string
  readonly key: string
  readonly startedMs: number
  readonly parts: Map<number, StoredObject>
}

export class Bucket {
  readonly objects = new Map<string, StoredObject>()
  readonly uploads = new Map<string, MultipartUpload>()
  readonly #folder: string
  #files = 0

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  newPath(): string {
    this.#files += 1
    return join(this.#folder, String(this.#files))
  }

  get(key: string): StoredObject {
    const object = this.objects.get(key)
    if (object === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
    return object
  }

  upload(id: string, key: string): MultipartUpload {
    const upload = this.uploads.get(id)
    if (upload === undefined || upload.key !== key) {
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.')
    }
    return upload
  }

  /** Keys that sort after `after`, by bytes. */
  keysAfter(prefix: string, after: string): string[] {
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix) && byBytes(key, after) > 0).sort(byBytes)
  }
}

/** The pieces of bytes `start` to `end` (both included). */
export function slice(pieces: readonly Piece[], start: number, end: number): Piece[] {
  const found: Piece[] = []
  let offset = 0
  for (const piece of pieces) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end + 1 - offset, piece.size)
    if (from < to) found.push({ path: piece.path, start: piece.start + from, size: to - from })
    offset += piece.size
  }
  return found
}

export function read(pieces: readonly Piece[]): Readable {
  return Readable.from(
    (async function* () {
      for (const { path, start, size } of pieces) {
        if (size > 0) yield* createReadStream(path, { start, end: start + size - 1, highWaterMark: 1 << 18 })
      }
    })(),
    { objectMode: false, highWaterMark: 1 << 18 },
  )
}
