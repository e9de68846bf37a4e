/** From a layer blob to a directory: read, hash, decompress, hash, unpack, in one pass. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbortOptions } from '../../base/index.ts'
import { type Digest, digestFromHex } from '../../oci/index.ts'
import { type Compression, compressionMagicBytes, decompress, detectCompression } from '../compression/compression.ts'
import { LayerUnpacker, type UnpackedLayer } from './layer-unpacker.ts'

export interface ApplyLayerOptions extends AbortOptions {
  /** Compute the digest of the blob itself as well (no extra cost for an uncompressed one). */
  readonly digest?: boolean
  /** Sees each piece of the blob before it is unpacked: to store it, or to count. */
  readonly onChunk?: (chunk: Buffer) => void
}

export interface AppliedLayer extends UnpackedLayer {
  readonly compression: Compression
  /** Size of the blob. */
  readonly blobBytes: number
  /** Digest of the blob, when asked for. */
  readonly digest: Digest | undefined
}

/** Unpacks a layer blob (a file's path, or bytes in memory that is not reused) into `root`, an existing empty
 *  directory. Nothing outside `root` is touched whatever the blob has. On failure `root` is left half-unpacked.
 *  Reads `source` to its end, so the digests cover all of it. */
export async function applyLayer(
  source: string | AsyncIterable<Buffer>,
  root: string,
  options: ApplyLayerOptions = {},
): Promise<AppliedLayer> {
  using unpacker = new LayerUnpacker(root)
  const blob = new BlobMeter(options)
  if (typeof source === 'string' && fileCompression(source) === 'none') {
    blob.skipHash()
    await unpackPlainFile(source, unpacker, blob)
    return finish(unpacker, blob, 'none')
  }
  const input = typeof source === 'string' ? readFileChunks(source) : source
  const { compression, data } = await decompress(blob.watch(input))
  if (compression === 'none') blob.skipHash()
  for await (const chunk of data) {
    options.signal?.throwIfAborted()
    unpacker.write(chunk)
  }
  return finish(unpacker, blob, compression)
}

function finish(unpacker: LayerUnpacker, blob: BlobMeter, compression: Compression): AppliedLayer {
  const unpacked = unpacker.end()
  const digest = compression === 'none' ? unpacked.diffId : blob.digest()
  return { ...unpacked, compression, blobBytes: blob.bytes, digest: blob.wantsDigest ? digest : undefined }
}

/** Counts, hashes and shows the bytes of the blob on their way. */
class BlobMeter {
  readonly #options: ApplyLayerOptions
  #hash: ReturnType<typeof createHash> | undefined
  bytes = 0

  constructor(options: ApplyLayerOptions) {
    this.#options = options
    if (options.digest === true) this.#hash = createHash('sha256')
  }

  get wantsDigest(): boolean {
    return this.#options.digest === true
  }

  /** The bytes of an uncompressed blob are the tar itself, whose hash is taken anyway. */
  skipHash(): void {
    this.#hash = undefined
  }

  see(chunk: Buffer): void {
    this.#options.signal?.throwIfAborted()
    this.bytes += chunk.length
    this.#hash?.update(chunk)
    this.#options.onChunk?.(chunk)
  }

  async *watch(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of source) {
      this.see(chunk)
      yield chunk
    }
  }

  digest(): Digest | undefined {
    return this.#hash === undefined ? undefined : digestFromHex(this.#hash.digest('hex'))
  }
}

const readBytes = 1 << 20

function fileCompression(path: string): Compression {
  const start = Buffer.alloc(compressionMagicBytes)
  const fd = openSync(path, 'r')
  try {
    return detectCompression(start.subarray(0, readSync(fd, start, 0, start.length, 0)))
  } finally {
    closeSync(fd)
  }
}

/** Everything is done with a piece before the next is read, so one buffer serves the whole file. */
async function unpackPlainFile(path: string, unpacker: LayerUnpacker, blob: BlobMeter): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  const fd = openSync(path, 'r')
  try {
    for (let turn = 1; ; turn += 1) {
      const count = readSync(fd, buffer)
      if (count === 0) return
      const chunk = buffer.subarray(0, count)
      blob.see(chunk)
      unpacker.write(chunk)
      // An abort is a message that needs a turn of the event loop to arrive.
      if (turn % 16 === 0) await nextTurn()
    }
  } finally {
    closeSync(fd)
  }
}

async function* readFileChunks(path: string): AsyncIterable<Buffer> {
  const fd = openSync(path, 'r')
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(readBytes / 4)
      const count = readSync(fd, buffer)
      if (count === 0) return
      yield buffer.subarray(0, count)
    }
  } finally {
    closeSync(fd)
  }
}
