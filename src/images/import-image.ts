/** Import: a tar of a root filesystem becomes an image of one layer. */
import type { Readable } from 'node:stream'
import { BerthError, invalidArgument } from '../base/index.ts'
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
} from '../oci/index.ts'
import type { ActivityGate } from './activity-gate.ts'
import { applyChanges } from './config-changes.ts'
import { FileGrowth } from './growing-file.ts'
import type { ImageLayer } from './image.ts'
import { newStreamIngestKey } from './ingest-keys.ts'
import type { LayerResult } from './layer-job.ts'
import { type LoadDependencies, layerType, makeManifest } from './load-images.ts'
import type { ProgressOptions } from './progress.ts'
import { ingestFile } from './run-layer-job.ts'

export interface ImportOptions extends ProgressOptions {
  readonly reference?: Reference | undefined
  readonly message?: string | undefined
  readonly changes?: readonly string[]
  readonly platform?: Platform | undefined
}

export interface EmbeddedConfig {
  readonly created: string
  readonly platform?: Platform
  readonly defaults: OciRuntimeDefaults
}

/** Imports a tar stream, compressed or not; gives the image's id. */
export async function importImage(deps: LoadDependencies, source: Readable, options: ImportOptions): Promise<Digest> {
  const message = options.message === undefined || options.message === '' ? 'Imported from -' : options.message
  const defaults = applyChanges({}, options.changes ?? [])
  using lease = deps.leases.create()
  const layer = await placeStream(deps, source, options, (digest) => {
    lease.add({ kind: 'blob', key: digest })
    lease.add({ kind: 'snapshot', key: digest })
  })
  const created = new Date().toISOString()
  const platform = options.platform ?? hostPlatform()
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

/** An image that the engine carries with it: `config` gets the layer's diffID. No worker is woken for it. */
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
  if (unpacked === undefined) throw invalidArgument('an embedded layer is no tar archive')
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

/** Stores the config and a manifest for it, then the record. Blobs and snapshots of the layers are there. */
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

/** Streams to a file while a worker unpacks it. */
async function placeStream(
  { content, layers, pool }: LoadDependencies,
  source: Readable,
  { signal }: ImportOptions,
  hold: (digest: Digest) => void,
): Promise<ImageLayer> {
  const ingest = await content.ingest(newStreamIngestKey(), { hashing: false })
  const staged = await layers.stage()
  const growth = new FileGrowth()
  let job: Promise<LayerResult> | undefined
  try {
    const from = { from: 'file', path: ingestFile(ingest), sizeBytes: 0, growth: growth.shared } as const
    job = pool.run({ source: from, targetDir: staged.directory }, { signal })
    job.catch(() => {}) // Awaited below, once the stream has ended.
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (signal?.aborted === true) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
      growth.advance(ingest.offset)
    }
    growth.complete()
    const { digest, sizeBytes, unpacked } = await job
    if (unpacked === undefined) throw invalidArgument('the stream is no tar archive')
    hold(digest)
    hold(unpacked.diffId)
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
