/** One layer in one pass: fetch, keep, hash, decompress, hash, unpack. Runs in a worker thread, or on the
 *  main thread for a layer that is smaller than the cost of waking a worker. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { applyLayer, packDirectory } from '../archive/index.ts'
import { BerthError, internal, isBerthError } from '../base/index.ts'
import { type Ingest, LocalContentStore } from '../content/index.ts'
import { algorithmOf, type Digest, type DigestAlgorithm, digestFromHex } from '../oci/index.ts'
import { HttpTransport, readBlob } from '../registry/client/index.ts'
import { readGrowing } from './growing-file.ts'
import { layerIngestKey } from './ingest-keys.ts'
import type { LayerJob, LayerJobHost, LayerResult, LayerSource } from './layer-job.ts'

type RegistrySource = Extract<LayerSource, { from: 'registry' }>
type FileSource = Extract<LayerSource, { from: 'file' }>
type DirectorySource = Extract<LayerSource, { from: 'directory' }>

/** The file of an ingest of the local store. */
export function ingestFile({ key, path }: Ingest): string {
  if (path === undefined) throw internal(`ingest ${key} is not in a file`)
  return path
}

/** Does the job. Throws `dataLoss` when the bytes are not those of the digest. */
export async function runLayerJob(job: LayerJob, host: LayerJobHost): Promise<LayerResult> {
  const { source, targetDir } = job
  if (source.from === 'directory') return await packLayer(source, targetDir, host)
  return source.from === 'registry'
    ? await fetchLayer(source, targetDir, host)
    : await readLayer(source, targetDir, host)
}

async function readLayer(source: FileSource, targetDir: string | undefined, host: LayerJobHost): Promise<LayerResult> {
  const total = source.sizeBytes
  const bytes = readGrowing(source.path, source.growth)
  const file = { path: source.path, algorithm: 'sha256' } as const
  return await consume(bytes, file, targetDir, host, (current) => host.onProgress({ phase: 'extract', current, total }))
}

async function packLayer(
  source: DirectorySource,
  targetDir: string | undefined,
  host: LayerJobHost,
): Promise<LayerResult> {
  const leftOut = new Set(source.leaveOut)
  const packed = packDirectory(source.path, { overlay: true, exclude: (path) => leftOut.has(path) })
  const file = { path: source.output, algorithm: 'sha256' } as const
  return await consume(writeThrough(packed, source.output), file, targetDir, host, () => {})
}

async function* writeThrough(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer, void, undefined> {
  const fd = openSync(path, 'a')
  try {
    for await (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done)
      yield chunk
    }
  } finally {
    closeSync(fd)
  }
}

async function fetchLayer(
  source: RegistrySource,
  targetDir: string | undefined,
  host: LayerJobHost,
): Promise<LayerResult> {
  const { digest, sizeBytes: total } = source
  const content = await LocalContentStore.open(source.contentRoot)
  const ingest = await content.ingest(layerIngestKey(digest), { hashing: false })
  const transport = new HttpTransport(source.transport)
  try {
    if (ingest.offset > total) ingest.restart()
    const bytes = download(ingest, transport, source, host)
    const file = { path: ingestFile(ingest), algorithm: algorithmOf(digest) }
    const result = await consume(bytes, file, targetDir, host, (current) =>
      host.onProgress({ phase: 'download', current, total }),
    )
    host.onProgress({ phase: 'downloaded', current: total, total })
    await commit(ingest, source, result.digest)
    host.onProgress({ phase: 'extract', current: total, total })
    return result
  } catch (error) {
    // Bytes that can't be unpacked may have been damaged on our disk: resuming them would fail for ever.
    if (mayResume(error, host.signal)) ingest.close()
    else await ingest.abort()
    throw error
  } finally {
    transport.close()
  }
}

/** The bytes that an earlier attempt left, then those of the registry, which are written as they pass. */
async function* download(
  ingest: Ingest,
  transport: HttpTransport,
  { sizeBytes }: RegistrySource,
  host: LayerJobHost,
): AsyncGenerator<Buffer, void, undefined> {
  const from = ingest.offset
  if (from > 0) yield* readGrowing(ingestFile(ingest))
  for await (const chunk of readBlob(transport, (problem) => host.authorize(problem), { from, sizeBytes, signal: host.signal })) {
    ingest.write(chunk)
    yield chunk
  }
}

async function commit(ingest: Ingest, { digest, sizeBytes }: RegistrySource, computed: Digest): Promise<void> {
  try {
    await ingest.commit({ digest, sizeBytes }, computed)
  } catch (cause) {
    if (!isBerthError(cause) || cause.kind !== 'dataLoss') throw cause
    throw new BerthError('dataLoss', `filesystem layer verification failed for digest ${digest}`, { cause })
  }
}

/** Hashes all bytes of `source`, which also are or come to be in the file, and unpacks them on the way. */
async function consume(
  source: AsyncGenerator<Buffer, void, undefined>,
  { path, algorithm }: { readonly path: string; readonly algorithm: DigestAlgorithm },
  targetDir: string | undefined,
  host: LayerJobHost,
  onBytes: (current: number) => void,
): Promise<LayerResult> {
  let sizeBytes = 0
  const counted = async (): Promise<IteratorResult<Buffer, undefined>> => {
    if (host.signal.aborted) throw new BerthError('cancelled', 'context canceled')
    const next = await source.next()
    if (next.done === true) return { done: true, value: undefined }
    sizeBytes += next.value.length
    onBytes(sizeBytes)
    return next
  }
  // Without `return`: bytes may follow the end of the compressed data, and the digest covers them.
  const all: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => ({ next: counted }) }
  try {
    if (targetDir === undefined) {
      const digest = await digestOfStream(all, algorithm)
      return { digest, sizeBytes }
    }
    // The one pass hashes by sha256; the rare other algorithm reads the file once more.
    const applied = await applyLayer(all, targetDir, { digest: algorithm === 'sha256', signal: host.signal })
    while ((await counted()).done !== true) {}
    const isWhole = applied.digest !== undefined && applied.blobBytes === sizeBytes
    const digest = isWhole ? applied.digest : await digestOfStream(readGrowing(path), algorithm)
    const { diffId, sizeBytes: unpackedBytes, compression, impliedDirectories } = applied
    return { digest, sizeBytes, unpacked: { diffId, sizeBytes: unpackedBytes, compression, impliedDirectories } }
  } finally {
    await source.return()
  }
}

async function digestOfStream(source: AsyncIterable<Buffer>, algorithm: DigestAlgorithm): Promise<Digest> {
  const hash = createHash(algorithm)
  for await (const chunk of source) hash.update(chunk)
  return digestFromHex(hash.digest('hex'), algorithm)
}

function mayResume(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted || !isBerthError(error)) return signal.aborted
  return !['invalidArgument', 'dataLoss', 'internal', 'notImplemented'].includes(error.kind)
}
