/** A layer's bytes in, hashes and files out, in one pass. */
import { createHash } from 'node:crypto'
import { applyLayer } from '../../archive/index.ts'
import { BerthError, errnoOf } from '../../base/index.ts'
import { type Digest, type DigestAlgorithm, digestFromHex } from '../../oci/index.ts'
import { readGrowing } from './growing-file.ts'
import type { LayerJobHost, LayerResult } from './layer-job.ts'

/** The file in which the bytes are or come to be, and how they are hashed. */
export interface LayerFile {
  readonly path: string
  readonly algorithm: DigestAlgorithm
  /** What the bytes must be, if that is known: tells damaged bytes from a layer that is bad in itself. */
  readonly expected?: Digest
}

/** Hashes all bytes of `source`, which also are or come to be in the file, and unpacks them on the way. Throws
 *  `dataLoss` when they can't be unpacked because they are not the expected ones. */
export async function consumeLayer(
  source: AsyncGenerator<Buffer, void, undefined>,
  file: LayerFile,
  targetDir: string | undefined,
  host: Pick<LayerJobHost, 'signal'>,
  onBytes: (current: number) => void,
): Promise<LayerResult> {
  const bytes = new CountedBytes(source, host.signal, onBytes)
  try {
    if (targetDir === undefined) {
      const digest = await digestOfStream(bytes, file.algorithm)
      return { digest, sizeBytes: bytes.count }
    }
    return await unpack(bytes, file, targetDir, host.signal)
  } finally {
    await source.return()
  }
}

/** The error for bytes that are not those of the digest, as Docker words it. */
export function verificationFailed(digest: Digest, cause?: unknown): BerthError {
  return new BerthError('dataLoss', `filesystem layer verification failed for digest ${digest}`, { cause })
}

async function unpack(
  bytes: CountedBytes,
  { path, algorithm, expected }: LayerFile,
  targetDir: string,
  signal: AbortSignal,
): Promise<LayerResult> {
  try {
    // The one pass hashes by sha256; the rare other algorithm reads the file once more.
    const applied = await applyLayer(bytes, targetDir, { digest: algorithm === 'sha256', signal })
    await bytes.drain()
    const isWhole = applied.digest !== undefined && applied.blobBytes === bytes.count
    const digest = isWhole ? applied.digest : await digestOfStream(readGrowing(path), algorithm)
    const { diffId, sizeBytes, compression, impliedDirectories } = applied
    return { digest, sizeBytes: bytes.count, unpacked: { diffId, sizeBytes, compression, impliedDirectories } }
  } catch (error) {
    const isDisk = /^E[A-Z0-9]+$/.test(errnoOf(error) ?? '')
    if (expected === undefined || bytes.hasFailed || signal.aborted || isDisk) throw error
    await bytes.drain()
    if ((await digestOfStream(readGrowing(path), algorithm)) === expected) throw error
    throw verificationFailed(expected, error)
  }
}

/** Bytes on their way. Without `return`: some may follow the end of the compressed data, and the digest covers them. */
class CountedBytes implements AsyncIterable<Buffer> {
  readonly #source: AsyncGenerator<Buffer, void, undefined>
  readonly #signal: AbortSignal
  readonly #onBytes: (current: number) => void
  count = 0
  /** True when it was the source that failed, not who reads it. */
  hasFailed = false

  constructor(
    source: AsyncGenerator<Buffer, void, undefined>,
    signal: AbortSignal,
    onBytes: (current: number) => void,
  ) {
    this.#source = source
    this.#signal = signal
    this.#onBytes = onBytes
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return { next: () => this.#next() }
  }

  /** Reads the rest. */
  async drain(): Promise<void> {
    while ((await this.#next()).done !== true) {}
  }

  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    try {
      if (this.#signal.aborted) throw new BerthError('cancelled', 'context canceled')
      const next = await this.#source.next()
      if (next.done === true) return { done: true, value: undefined }
      this.count += next.value.length
      this.#onBytes(this.count)
      return next
    } catch (error) {
      this.hasFailed = true
      throw error
    }
  }
}

async function digestOfStream(source: AsyncIterable<Buffer>, algorithm: DigestAlgorithm): Promise<Digest> {
  const hash = createHash(algorithm)
  for await (const chunk of source) hash.update(chunk)
  return digestFromHex(hash.digest('hex'), algorithm)
}
