/** Contents of many files in one stream: for each its size as 64 bits, big-endian, and its bytes; a size of all ones
 *  is followed by the length (32 bits) and the text of why the file can't be read. */
import { createHash } from 'node:crypto'
import { BerthError, invalidArgument } from '../../base/index.ts'
import type { Spool } from './spool.ts'

export interface ReceivedFile {
  readonly offset: number
  readonly sizeBytes: number
  /** SHA-256 in hexadecimal. */
  readonly digest: string
}

const failed = 0xffff_ffff_ffff_ffffn

/** Reads them into the spool; `onFile` is told of each. Throws `invalidArgument` when one can't be read. */
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

/** The content of a file that was asked for alone. Throws `invalidArgument` when it can't be read. */
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

  /** Nothing more is wanted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.()
  }
}
