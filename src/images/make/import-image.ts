/** Import: the tar of a root filesystem becomes an image of one layer. */
import type { Readable } from 'node:stream'
import { decompressUpload } from '../../archive/index.ts'
import { type AbortOptions, BerthError, invalidArgument } from '../../base/index.ts'
import type { ProgressOptions } from '../../contract/index.ts'
import {
  type Descriptor,
  type Digest,
  digestOf,
  formatManifest,
  hostPlatform,
  mediaTypes,
  type OciImageConfig,
  type OciRuntimeDefaults,
  type Platform,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/client/index.ts'
import { layerType, makeManifest } from '../archive/archived-image-loader.ts'
import type { LoadDependencies } from '../archive/load-images.ts'
import { progressBar } from '../catalog/file-sizes.ts'
import type { ImageLayer } from '../catalog/image.ts'
import { newStreamIngestKey } from '../catalog/ingest-keys.ts'
import { Occasionally } from '../catalog/progress.ts'
import type { ActivityGate } from '../gc/activity-gate.ts'
import type { Holds } from '../gc/holds.ts'
import { FileGrowth, growthStepBytes } from '../layers/growing-file.ts'
import type { LayerResult } from '../layers/layer-job.ts'
import { applyChanges } from './config-changes.ts'
import { fetchArchive, parseArchiveUrl } from './fetch-archive.ts'

/** How to import. */
export interface ImportOptions extends ProgressOptions {
  readonly reference?: Reference | undefined
  readonly message?: string | undefined
  readonly changes?: readonly string[]
  readonly platform?: Platform | undefined
}

/** What importing needs. */
export interface ImportDependencies extends LoadDependencies {
  readonly registries: Pick<RegistryClient, 'transportOptions'>
}

/** The configuration of a built-in image. */
export interface EmbeddedConfig {
  readonly created: string
  readonly platform?: Platform
  readonly defaults: OciRuntimeDefaults
}

/** Imports a tar stream, compressed or not, or the archive at a URL. Returns the image's id. `holds` gets everything
 *  that it makes, also when it fails. */
export async function importImage(
  deps: ImportDependencies,
  source: Readable | string,
  holds: Holds,
  options: ImportOptions,
): Promise<Digest> {
  const platform = options.platform ?? hostPlatform()
  if (platform.os !== 'linux') throw invalidArgument('operating system is not supported')
  const defaults = applyChanges({}, options.changes ?? [])
  const from = typeof source === 'string' ? parseArchiveUrl(source) : '-'
  const layer = await (typeof source === 'string'
    ? placeFetched(deps, from, holds, options)
    : placeStream(deps, source, holds, options))
  const created = new Date().toISOString()
  const message = options.message === undefined || options.message === '' ? `Imported from ${from}` : options.message
  const config: OciImageConfig = {
    created,
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: defaults,
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, comment: message }],
    comment: message,
  }
  return await storeImage(deps, config, [layer], options.reference)
}

/** Stores an image that is built into the engine, and returns its id. `config` gets the layer's diff ID. Runs without a
 *  worker. */
export async function importEmbedded(
  deps: LoadDependencies & { readonly gate: ActivityGate },
  name: string,
  config: EmbeddedConfig,
  layerTar: Buffer,
): Promise<Digest> {
  return await deps.gate.make(() => storeEmbedded(deps, name, config, layerTar))
}

async function storeEmbedded(
  deps: LoadDependencies,
  name: string,
  config: EmbeddedConfig,
  layerTar: Buffer,
): Promise<Digest> {
  using lease = deps.leases.create()
  const digest = digestOf(layerTar)
  lease.add({ kind: 'blob', key: digest })
  lease.add({ kind: 'snapshot', key: digest })
  await deps.content.put(layerTar)
  const staged = await deps.layers.stage()
  const source = { from: 'file', path: deps.content.pathOf(digest), sizeBytes: layerTar.length } as const
  const { unpacked } = await deps.pool.run({ source, targetDir: staged.directory })
  if (unpacked === undefined) throw invalidArgument('an embedded layer is not a tar archive')
  await deps.layers.commit(staged, { chainId: unpacked.diffId, parent: undefined }, unpacked)
  const blob = { mediaType: layerType(unpacked), digest, size: layerTar.length }
  const layer = { diffId: unpacked.diffId, chainId: unpacked.diffId, blob, sizeBytes: unpacked.sizeBytes }
  const { created, platform = hostPlatform(), defaults } = config
  const full: OciImageConfig = {
    created,
    architecture: platform.architecture,
    os: platform.os,
    config: defaults,
    rootfs: { type: 'layers', diff_ids: [unpacked.diffId] },
    history: [{ created, created_by: 'berth' }],
  }
  return await storeImage(deps, full, [layer], withDefaultTag(parseReference(name)))
}

/** Stores a config, a manifest for it, and the record. The blobs and snapshots of the layers must be stored already. */
export async function storeImage(
  { content, store, leases }: LoadDependencies,
  config: OciImageConfig,
  layers: readonly ImageLayer[],
  reference: Reference | undefined,
  parent?: Digest,
): Promise<Digest> {
  using lease = leases.create()
  const bytes = Buffer.from(JSON.stringify(config))
  const id = digestOf(bytes)
  lease.add({ kind: 'blob', key: id })
  await content.put(bytes)
  const configDescriptor: Descriptor = { mediaType: mediaTypes.ociConfig, digest: id, size: bytes.length }
  const manifestBytes = formatManifest(makeManifest(configDescriptor, layers))
  const manifest = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifestBytes), size: manifestBytes.length }
  lease.add({ kind: 'blob', key: manifest.digest })
  await content.put(manifestBytes)
  const lastTagTime = reference === undefined ? '' : new Date().toISOString()
  store.put(
    {
      version: 1,
      id,
      config,
      configSize: bytes.length,
      manifest,
      isManifestMade: true,
      layers,
      ...(parent === undefined ? {} : { parent }),
      lastTagTime,
    },
    reference === undefined ? [] : [{ reference, target: manifest }],
  )
  return id
}

async function placeFetched(
  deps: ImportDependencies,
  url: string,
  holds: Holds,
  { signal, onProgress = () => {} }: ImportOptions,
): Promise<ImageLayer> {
  using fetched = await fetchArchive(url, deps.registries.transportOptions, { signal })
  onProgress({ status: `Downloading from ${url}` })
  const total = fetched.sizeBytes
  const report = new Occasionally((current: number) => {
    onProgress({
      status: 'Importing',
      progressDetail: total === undefined ? { current } : { current, total },
      progress: progressBar(current, total ?? 0),
    })
  })
  const onBytes = (current: number) => report.tell(current, current === total)
  return await placeStream(deps, fetched.body, holds, { signal, onBytes })
}

/** Writes a stream to a file while a worker unpacks it. */
async function placeStream(
  { content, layers, pool }: LoadDependencies,
  source: Readable,
  holds: Holds,
  { signal, onBytes = () => {} }: AbortOptions & { readonly onBytes?: (current: number) => void },
): Promise<ImageLayer> {
  // Registries accept plain, gzip and zstd layers, so these stay as they are. Other compressions are stored
  // uncompressed.
  const bytes = await decompressUpload(source as AsyncIterable<Buffer>, { only: 'host', signal })
  const ingest = await content.ingest(newStreamIngestKey(), { hashing: false })
  const staged = await layers.stage()
  const growth = new FileGrowth({ stepBytes: growthStepBytes })
  let job: Promise<LayerResult> | undefined
  try {
    const from = { from: 'file', path: ingest.path, sizeBytes: 0, growth: growth.shared } as const
    job = pool.run({ source: from, targetDir: staged.directory }, { signal })
    job.catch(() => {}) // Awaited below, once the stream has ended.
    let readBytes = 0
    for await (const chunk of bytes) {
      if (signal?.aborted === true) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
      growth.advance(ingest.offset)
      readBytes += chunk.length
      onBytes(readBytes)
    }
    growth.complete()
    const { digest, sizeBytes, unpacked } = await job
    if (unpacked === undefined) throw invalidArgument('the stream is not a tar archive')
    holds.addBlob(digest)
    holds.addLayer(unpacked.diffId)
    await ingest.commit({}, digest)
    await layers.commit(staged, { chainId: unpacked.diffId, parent: undefined }, unpacked)
    const blob = { mediaType: layerType(unpacked), digest, size: sizeBytes }
    return { diffId: unpacked.diffId, chainId: unpacked.diffId, blob, sizeBytes: unpacked.sizeBytes }
  } catch (error) {
    growth.fail()
    await job?.catch(() => {}) // It may still write into the directory.
    await ingest.abort()
    await layers.unstage(staged)
    throw error
  }
}
