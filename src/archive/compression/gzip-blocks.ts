/** Compresses with gzip in blocks, several at a time in libuv's thread pool. The output depends only on the input, not
 *  on the number of threads. Each block uses the end of the previous one as dictionary, so the cuts cost nothing, and
 *  ends on a whole byte, so that the joined blocks are one stream.
 *  https://www.rfc-editor.org/rfc/rfc1952 https://www.rfc-editor.org/rfc/rfc1951 */
import { availableParallelism } from 'node:os'
import { constants, crc32, deflateRaw } from 'node:zlib'

/** How to compress. */
export interface GzipBlocksOptions {
  /** Number of blocks at a time. Default: the number of processors, but at most three, because one of the pool's four
   *  threads must stay free for file access. */
  readonly parallel?: number
}

const blockBytes = 1 << 20
const windowBytes = 32 << 10
/** Takes half the time of the default level 6, for 3 % more bytes. */
const level = 4
/** A header without name, time and operating system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** Yields the gzip form of the source, whose chunks may have any size. */
export async function* gzipBlocks(
  source: AsyncIterable<Buffer>,
  { parallel = Math.min(availableParallelism(), 3) }: GzipBlocksOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  yield header
  const working: Promise<Buffer>[] = []
  let before: Buffer = Buffer.alloc(0)
  let checksum = 0
  let sizeBytes = 0
  try {
    for await (const { block, isLast } of blocksOf(source)) {
      checksum = crc32(block, checksum)
      sizeBytes += block.length
      working.push(deflate(block, before, isLast))
      before = block.subarray(-windowBytes)
      if (working.length >= parallel) yield await (working.shift() ?? block)
    }
    for (const compressed of working) yield await compressed
  } finally {
    await Promise.allSettled(working)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(checksum >>> 0, 0)
  trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4)
  yield trailer
}

/** Cuts the source into blocks and marks the last one, which may be empty. */
async function* blocksOf(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly block: Buffer; readonly isLast: boolean }> {
  let pieces: Buffer[] = []
  let length = 0
  for await (const piece of source) {
    pieces.push(piece)
    length += piece.length
    if (length <= blockBytes) continue
    let all = Buffer.concat(pieces)
    for (; all.length > blockBytes; all = all.subarray(blockBytes)) {
      yield { block: all.subarray(0, blockBytes), isLast: false }
    }
    pieces = [all]
    length = all.length
  }
  yield { block: Buffer.concat(pieces), isLast: true }
}

function deflate(block: Buffer, dictionary: Buffer, isLast: boolean): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = {
    level,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary.length === 0 ? {} : { dictionary }),
  }
  deflateRaw(block, options, (error, compressed) => {
    if (error === null) resolve(compressed as Buffer)
    else reject(error)
  })
  promise.catch(() => {}) // Awaited in its turn.
  return promise
}
