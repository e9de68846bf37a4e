/** `--cache-from`: finds the layers of steps in caches that other builds exported. The documents are read once, at the
 *  start of the build. A layer's bytes are fetched when a step needs it. */
import type { BuildRequest } from '../../../api/index.ts'
import { BerthError, isKind, messageOf } from '../../../base/index.ts'
import { type ImageParts, newStreamIngestKey } from '../../../images/index.ts'
import {
  type Descriptor,
  type Digest,
  hostPlatform,
  isObject,
  type Manifest,
  parseImageConfig,
  parseManifestDocument,
  platformRank,
} from '../../../oci/index.ts'
import type { RegistryAuth } from '../../../registry/client/index.ts'
import type { ReadFile } from '../../context/oci-layout.ts'
import {
  type CacheConfig,
  cacheConfigType,
  inlineCacheMember,
  parseCacheConfig,
  parseInlineRecords,
  stepsOf,
} from './cache-config.ts'
import { parseCacheImport } from './cache-option.ts'
import { type CacheSource, LayoutCacheSource, RegistryCacheSource } from './cache-source.ts'

/** The layer of a step in an imported cache. */
export interface ImportedLayer {
  readonly diffId: Digest
  readonly blob: Descriptor
}

/** What reading a cache needs from the running build. */
export interface ImportHost {
  readonly signal: AbortSignal
  /** Credentials for a registry, by its host name. */
  authOf(registry: string): Promise<RegistryAuth>
  /** Reads a file of the directory that the option with this index names. */
  readCacheFile?(option: number, path: string): AsyncIterable<Buffer>
  /** Reports a cache that can't be read. The build goes on without it. */
  onProblem(text: string): void
}

interface KnownStep extends ImportedLayer {
  readonly source: CacheSource
}

/** All caches that one build imports. */
export class ImportedCaches {
  readonly #steps: ReadonlyMap<string, KnownStep>
  readonly #images: Pick<ImageParts, 'content'>
  readonly #signal: AbortSignal

  private constructor(steps: ReadonlyMap<string, KnownStep>, images: Pick<ImageParts, 'content'>, signal: AbortSignal) {
    this.#steps = steps
    this.#images = images
    this.#signal = signal
  }

  /** Reads the documents of all caches that the request names. Throws `invalidArgument` for invalid options. */
  static async open(images: ImageParts, request: BuildRequest, host: ImportHost): Promise<ImportedCaches> {
    const places = request.cacheFrom.map(parseCacheImport)
    const steps = new Map<string, KnownStep>()
    for (const [index, place] of places.entries()) {
      if (place.type === 'inline') continue
      try {
        const source =
          place.type === 'registry'
            ? await registrySource(images, place.reference, host)
            : new LayoutCacheSource(readerOf(host, index), place)
        for (const [key, step] of await readSteps(source, host.signal))
          if (!steps.has(key)) steps.set(key, { ...step, source })
      } catch (error) {
        if (host.signal.aborted) throw error
        const what = place.type === 'registry' ? request.cacheFrom[index]?.attrs.ref : 'the directory'
        host.onProblem(`importing cache from ${what}: ${messageOf(error)}`)
      }
    }
    return new ImportedCaches(steps, images, host.signal)
  }

  /** The layer of the step with this key. Undefined when no cache has it. */
  find(key: string): ImportedLayer | undefined {
    return this.#steps.get(key)
  }

  /** Fetches a layer into the content store and verifies it. The caller must hold the blob. Throws `dataLoss` when the
   *  bytes do not match the digest. */
  async fetch(key: string): Promise<void> {
    const step = this.#steps.get(key)
    const { content } = this.#images
    if (step === undefined || (await content.find(step.blob.digest)) !== undefined) return
    const ingest = await content.ingest(newStreamIngestKey())
    try {
      for await (const chunk of step.source.open(step.blob, { signal: this.#signal })) {
        if (this.#signal.aborted) throw new BerthError('cancelled', 'context canceled')
        ingest.write(chunk)
      }
      await ingest.commit({ digest: step.blob.digest, sizeBytes: step.blob.size })
    } catch (error) {
      // On `dataLoss` the ingest has been dropped already.
      if (!isKind(error, 'dataLoss')) await ingest.abort()
      throw error
    }
  }
}

async function registrySource(
  images: ImageParts,
  reference: Parameters<ImageParts['registries']['repository']>[0],
  { authOf }: ImportHost,
): Promise<CacheSource> {
  const repository = images.registries.repository(reference, await authOf(reference.registry), { actions: 'pull' })
  return new RegistryCacheSource(repository, reference.digest ?? reference.tag ?? 'latest')
}

function readerOf(host: ImportHost, index: number): ReadFile {
  return (path) => {
    if (host.readCacheFile === undefined) throw new BerthError('notImplemented', 'this client has no directories')
    return host.readCacheFile(index, path)
  }
}

/** Reads the steps of a cache manifest or index, or of an image with an inline cache. */
async function readSteps(source: CacheSource, signal: AbortSignal): Promise<ReadonlyMap<string, ImportedLayer>> {
  const top = parseManifestDocument(await source.top({ signal }))
  if (top.type === 'manifest') return await stepsOfManifest(source, top.manifest, signal)
  const { manifests } = top.index
  const config = manifests.find(({ mediaType }) => mediaType === cacheConfigType)
  if (config !== undefined) return layersOf(parseCacheConfig(await source.blob(config, { signal })))
  const image = manifests.find(
    ({ platform }) => platform !== undefined && platformRank(hostPlatform(), platform) !== undefined,
  )
  if (image === undefined) return new Map()
  const listed = parseManifestDocument(await source.manifest(image, { signal }))
  return listed.type === 'manifest' ? await stepsOfManifest(source, listed.manifest, signal) : new Map()
}

async function stepsOfManifest(
  source: CacheSource,
  { config, layers }: Manifest,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ImportedLayer>> {
  const bytes = await source.blob(config, { signal })
  return layersOf(config.mediaType === cacheConfigType ? parseCacheConfig(bytes) : inlineConfig(bytes, layers))
}

function inlineConfig(bytes: Buffer, blobs: readonly Descriptor[]): CacheConfig {
  const config = parseImageConfig(bytes)
  const raw: unknown = JSON.parse(bytes.toString('utf8'))
  const text = isObject(raw) ? raw[inlineCacheMember] : undefined
  if (typeof text !== 'string') return { layers: [], records: [] }
  const layers = blobs.map(({ digest, mediaType, size }, index) => {
    const diffID = config.rootfs.diff_ids[index]
    return {
      blob: digest,
      parent: index - 1,
      annotations: { mediaType, size, ...(diffID === undefined ? {} : { diffID }) },
    }
  })
  return { layers, records: parseInlineRecords(text) }
}

function layersOf(config: CacheConfig): ReadonlyMap<string, ImportedLayer> {
  const found = [...stepsOf(config)]
  return new Map(
    found.map(([key, { blob, diffId, mediaType, size }]) => [key, { diffId, blob: { mediaType, digest: blob, size } }]),
  )
}
