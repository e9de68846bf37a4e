/** Processes one layer in one pass: fetch, store, hash, decompress, hash, unpack. Runs in a worker thread, or on the
 *  main thread for a layer that is too small for the cost of waking a worker. */
import { closeSync, openSync } from 'node:fs'
import { compressionMagicBytes, detectCompression, packDirectory } from '../../archive/index.ts'
import { algorithmOf } from '../../oci/index.ts'
import { writeFully } from '../../sys/index.ts'
import { consumeLayer, verificationFailed } from './consume-layer.ts'
import { fetchLayer } from './fetch-layer.ts'
import { readGrowing } from './growing-file.ts'
import type { LayerJob, LayerJobHost, LayerResult, LayerSource } from './layer-job.ts'

type FileSource = Extract<LayerSource, { from: 'file' }>
type DirectorySource = Extract<LayerSource, { from: 'directory' }>

/** Runs the job. Throws `dataLoss` when the bytes don't match the digest. */
export async function runLayerJob(job: LayerJob, host: LayerJobHost): Promise<LayerResult> {
  const { source, targetDir } = job
  if (source.from === 'directory') return await packLayer(source, targetDir, host)
  return source.from === 'registry'
    ? await fetchLayer(source, targetDir, host)
    : await readLayer(source, targetDir, host)
}

async function readLayer(source: FileSource, targetDir: string | undefined, host: LayerJobHost): Promise<LayerResult> {
  const total = source.sizeBytes
  const bytes = readGrowing(source.path, source.growth, { mayReuse: isPlain })
  const { expected } = source
  const algorithm = expected === undefined ? (source.algorithm ?? 'sha256') : algorithmOf(expected)
  const file = { path: source.path, algorithm, ...(expected === undefined ? {} : { expected }) }
  const result = await consumeLayer(bytes, file, targetDir, host, (current) =>
    host.onProgress({ phase: 'extract', current, total }),
  )
  if (expected !== undefined && result.digest !== expected) throw verificationFailed(expected)
  return result
}

/** True for a plain tar, which is consumed chunk by chunk. A decompressor keeps its input for a while, so its chunks
 *  must not share memory. */
function isPlain(first: Buffer): boolean {
  return first.length >= compressionMagicBytes && detectCompression(first) === 'none'
}

async function packLayer(
  source: DirectorySource,
  targetDir: string | undefined,
  host: LayerJobHost,
): Promise<LayerResult> {
  const leftOut = new Set(source.leaveOut)
  const packed = packDirectory(source.path, { overlay: true, exclude: (path) => leftOut.has(path) })
  const file = { path: source.output, algorithm: 'sha256' } as const
  return await consumeLayer(writeThrough(packed, source.output), file, targetDir, host, () => {})
}

async function* writeThrough(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer, void, undefined> {
  const fd = openSync(path, 'a', 0o600)
  try {
    for await (const chunk of chunks) {
      writeFully(fd, chunk)
      yield chunk
    }
  } finally {
    closeSync(fd)
  }
}
