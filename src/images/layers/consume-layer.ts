/** Reads a layer in one pass: computes its digests and unpacks its files. */
import { createHash } from 'node:crypto'
import { applyLayer } from '../../archive/index.ts'
import { BerthError, errnoOf } from '../../base/index.ts'
import { type Digest, type DigestAlgorithm, digestFromHex } from '../../oci/index.ts'
import { readGrowing } from './growing-file.ts'
import type { LayerJobHost, LayerResult } from './layer-job.ts'

/** The file that has or gets the bytes, and how to hash them. */
export interface LayerFile {
  readonly path: string
  readonly algorithm: DigestAlgorithm
  /** The expected digest, if it is known. It tells damaged bytes from a layer that is invalid in itself. */
  readonly expected?: Digest
}

/** Hashes all bytes of `source` and unpacks them on the way. The same bytes are in the file or are being written to it.
 *  Throws `dataLoss` when they can't be unpacked because they are not the expected ones. */
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

/** The error for bytes that don't match the digest, with Docker's text. */
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
    // The pass computes sha256. For the rare other algorithm, the file is read once more.
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

/** Counts passing bytes. It has no `return`, because bytes may follow the end of the compressed data, and
 *  the digest covers them. */
class CountedBytes implements AsyncIterable<Buffer> {
  readonly #source: AsyncGenerator<Buffer, void, undefined>
  readonly #signal: AbortSignal
  readonly #onBytes: (current: number) => void
  count = 0
  /** True when the source failed, not its reader. */
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

  /** Reads the rest of the source. */
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
