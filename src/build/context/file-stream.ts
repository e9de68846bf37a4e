/** The contents of many files in one stream. For each file: its size as a 64-bit big-endian integer, then its bytes. A
 *  size of all ones means that the file can't be read; a 32-bit length and an error text follow. */
import { createHash } from 'node:crypto'
import { BerthError, invalidArgument } from '../../base/index.ts'
import type { Spool } from './spool.ts'

/** A file that has arrived in the spool. */
export interface ReceivedFile {
  readonly offset: number
  readonly sizeBytes: number
  /** SHA-256 of the content, in hexadecimal. */
  readonly digest: string
}

const failed = 0xffff_ffff_ffff_ffffn

/** Reads the files at `paths`, in that order, into the spool and calls `onFile` for each. Throws `invalidArgument` when
 *  the client could not read a file. */
export async function readFileStream(
  source: AsyncIterable<Buffer>,
  paths: readonly string[],
  spool: Spool,
  onFile: (path: string, file: ReceivedFile) => void,
): Promise<void> {
  await using reader = new ByteReader(source)
  for (const path of paths) {
    const sizeBytes = await readSize(reader, path)
    const offset = spool.reserve(sizeBytes)
    const sum = createHash('sha256')
    let done = 0
    while (done < sizeBytes) {
      const piece = await reader.atMost(sizeBytes - done)
      spool.write(piece, offset + done)
      sum.update(piece)
      done += piece.length
    }
    onFile(path, { offset, sizeBytes, digest: sum.digest('hex') })
  }
}

/** Gives the content of a single file. Throws `invalidArgument` when the client could not read it. */
export async function* readOneFile(
  source: AsyncIterable<Buffer>,
  path: string,
): AsyncGenerator<Buffer, void, undefined> {
  await using reader = new ByteReader(source)
  for (let left = await readSize(reader, path); left > 0; ) {
    const piece = await reader.atMost(left)
    left -= piece.length
    yield piece
  }
}

async function readSize(reader: ByteReader, path: string): Promise<number> {
  const size = (await reader.exactly(8)).readBigUInt64BE(0)
  if (size !== failed) return Number(size)
  const length = (await reader.exactly(4)).readUInt32BE(0)
  const text = (await reader.exactly(Math.min(length, 65_536))).toString('utf8')
  throw new BerthError('invalidArgument', `the client can't read ${path}: ${text}`)
}

class ByteReader implements AsyncDisposable {
  readonly #iterator: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#iterator = source[Symbol.asyncIterator]()
  }

  async atMost(count: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const next = await this.#iterator.next()
      if (next.done === true) throw invalidArgument('the build context ended too early')
      this.#chunk = next.value
    }
    const piece = this.#chunk.subarray(0, count)
    this.#chunk = this.#chunk.subarray(piece.length)
    return piece
  }

  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = count; left > 0; ) {
      const piece = await this.atMost(left)
      parts.push(Buffer.from(piece))
      left -= piece.length
    }
    return Buffer.concat(parts)
  }

  /** Closes the stream when the rest is not needed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.()
  }
}
