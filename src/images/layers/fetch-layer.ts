/** Gets one layer from a registry in one pass: fetches, stores, hashes and unpacks it. Resumes what an earlier try
 *  left. */
import { BerthError, isBerthError } from '../../base/index.ts'
import { type Ingest, LocalContentStore } from '../../content/index.ts'
import { algorithmOf, type Digest } from '../../oci/index.ts'
import { HttpTransport, type HttpTransportOptions, readBlob } from '../../registry/client/index.ts'
import { layerIngestKey } from '../catalog/ingest-keys.ts'
import { consumeLayer, verificationFailed } from './consume-layer.ts'
import { readGrowing } from './growing-file.ts'
import type { LayerJobHost, LayerResult, LayerSource } from './layer-job.ts'

type RegistrySource = Extract<LayerSource, { from: 'registry' }>

/** Fetches the layer, and unpacks it if `targetDir` is given. Throws `dataLoss` when the bytes don't match the digest;
 *  `details.resumed` is true when an earlier try left some of them. */
export async function fetchLayer(
  source: RegistrySource,
  targetDir: string | undefined,
  host: LayerJobHost,
): Promise<LayerResult> {
  const { digest, sizeBytes: total } = source
  const content = await LocalContentStore.open(source.contentRoot)
  const ingest = await content.ingest(layerIngestKey(digest), { hashing: false })
  const transport = transportFor(source.transport)
  if (ingest.offset > total) ingest.restart()
  const resumed = ingest.offset > 0
  try {
    const bytes = download(ingest, transport, source, host)
    const file = { path: ingest.path, algorithm: algorithmOf(digest), expected: digest }
    const result = await consumeLayer(bytes, file, targetDir, host, (current) =>
      host.onProgress({ phase: 'download', current, total }),
    )
    host.onProgress({ phase: 'downloaded', current: total, total })
    await commit(ingest, source, result.digest)
    host.onProgress({ phase: 'extract', current: total, total })
    return result
  } catch (error) {
    // Bytes that can't be unpacked may be damaged on our disk. Resuming them would fail forever.
    if (mayResume(error, host.signal)) ingest.close()
    else await ingest.abort()
    throw resumed && isBerthError(error) ? withResumed(error) : error
  }
}

/** One transport per thread, so that layers share connections. Idle connections end by themselves. */
let last: { readonly key: string; readonly transport: HttpTransport } | undefined

function transportFor(options: HttpTransportOptions): HttpTransport {
  const key = JSON.stringify(options)
  if (last?.key !== key) last = { key, transport: new HttpTransport(options) }
  return last.transport
}

/** The bytes that an earlier attempt left, then those of the registry, which are stored as they pass. */
async function* download(
  ingest: Ingest,
  transport: HttpTransport,
  { sizeBytes }: RegistrySource,
  { authorize, onProgress, signal }: LayerJobHost,
): AsyncGenerator<Buffer, void, undefined> {
  const from = ingest.offset
  if (from > 0) yield* readGrowing(ingest.path)
  const onRetry = (delayMs: number) => onProgress({ phase: 'retry', current: delayMs, total: delayMs })
  for await (const chunk of readBlob(transport, authorize, { from, sizeBytes, signal, onRetry })) {
    ingest.write(chunk)
    yield chunk
  }
}

async function commit(ingest: Ingest, { digest, sizeBytes }: RegistrySource, computed: Digest): Promise<void> {
  try {
    await ingest.commit({ digest, sizeBytes }, computed)
  } catch (cause) {
    if (!isBerthError(cause) || cause.kind !== 'dataLoss') throw cause
    throw verificationFailed(digest, cause)
  }
}

function withResumed(error: BerthError): BerthError {
  return new BerthError(error.kind, error.message, { cause: error, details: { ...error.details, resumed: true } })
}

function mayResume(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted || !isBerthError(error)) return signal.aborted
  const { status } = error.details
  // If the registry refuses, the stored bytes stay valid, unless the blob is shorter than they are.
  if (status !== undefined) return status !== 416
  return !['invalidArgument', 'dataLoss', 'internal', 'notImplemented'].includes(error.kind)
}
