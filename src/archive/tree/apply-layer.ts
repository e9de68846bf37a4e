/** Unpacks a layer blob into a directory: read, hash, decompress, hash and unpack in one pass. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbortOptions } from '../../base/index.ts'
import { type Digest, digestFromHex } from '../../oci/index.ts'
import { type Compression, compressionMagicBytes, decompress, detectCompression } from '../compression/compression.ts'
import { LayerUnpacker, type UnpackedLayer } from './layer-unpacker.ts'

/** How to unpack a layer. */
export interface ApplyLayerOptions extends AbortOptions {
  /** Compute the digest of the blob itself as well. This costs nothing for an uncompressed one. */
  readonly digest?: boolean
  /** Called with each chunk of the blob before it is unpacked, to store or count it. */
  readonly onChunk?: (chunk: Buffer) => void
}

/** The result of unpacking a layer blob. */
export interface AppliedLayer extends UnpackedLayer {
  readonly compression: Compression
  /** Size of the blob in bytes. */
  readonly blobBytes: number
  /** Digest of the blob, if it was requested. */
  readonly digest: Digest | undefined
}

/** Unpacks a layer blob into `root`, an existing empty directory. `source` is the path of a file, or chunks of memory
 *  that is not reused; it is read to its end, so that the digests cover all of it. Whatever the blob contains, nothing
 *  outside `root` changes. On failure, `root` stays half unpacked. */
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

/** Counts and hashes the passing bytes of the blob, and calls `onChunk`. */
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

  /** An uncompressed blob is the tar itself, which is hashed anyway. */
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

/** Each chunk is finished before the next one is read, so one buffer serves the whole file. */
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
      // The message of an abort needs a turn of the event loop to arrive.
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
