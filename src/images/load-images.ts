/** Load: images out of an archive that `docker save`, skopeo or buildx made. */
import type { Readable } from 'node:stream'
import { invalidArgument } from '../base/index.ts'
import type { Lease, Leases, LocalContentStore } from '../content/index.ts'
import {
  chainIds,
  type Descriptor,
  type Digest,
  digestOf,
  familiarReference,
  formatManifest,
  type Manifest,
  mediaTypes,
  type OciImageConfig,
  type Platform,
  parseImageConfig,
  type Reference,
} from '../oci/index.ts'
import { type ArchivedImage, readArchiveManifest } from './archive-manifest.ts'
import { progressBar } from './file-sizes.ts'
import type { ImageLayer, ImageRecord } from './image.ts'
import type { ImageStore } from './image-store.ts'
import type { UnpackedLayer } from './layer-job.ts'
import type { LayerPool } from './layer-pool.ts'
import { checkDiffId, type LayerStack, type StagedLayer, type WantedLayer } from './layer-stack.ts'
import type { OnProgress, ProgressOptions } from './progress.ts'
import { SpooledArchive, type SpooledFile } from './spool-archive.ts'

export interface LoadDependencies {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly leases: Leases
  readonly layers: LayerStack
  readonly pool: LayerPool
}

export interface LoadOptions extends ProgressOptions {
  /** No progress, only the results. */
  readonly quiet?: boolean
  readonly platform?: Platform | undefined
}

/** A layer whose blob is in the content store and whose files are somewhere. */
interface PlacedLayer {
  readonly blob: Descriptor
  readonly diffId: Digest
  readonly sizeBytes: number
}

interface Unpacked {
  readonly blob: Descriptor
  readonly staged: StagedLayer
  readonly unpacked: UnpackedLayer
}

/** Loads all images of an archive; gives their ids. */
export async function loadImages(deps: LoadDependencies, source: Readable, options: LoadOptions): Promise<Digest[]> {
  const onProgress = options.onProgress ?? (() => {})
  await using archive = await SpooledArchive.read(source, {
    content: deps.content,
    layers: deps.layers,
    pool: deps.pool,
    signal: options.signal,
    onProgress: (path, { current, total }) => {
      if (options.quiet !== true) reportLayer(path, current, total, onProgress)
    },
  })
  using lease = deps.leases.create()
  const placed = new Map<string, PlacedLayer>()
  const ids: Digest[] = []
  for (const image of readArchiveManifest((path) => archive.small(path), options.platform)) {
    const record = await new ImageLoad(deps, archive, lease, placed).load(image)
    ids.push(record.id)
    announce(deps.store, record, image.references, onProgress)
  }
  if (ids.length === 0) throw invalidArgument('the archive holds no image for this platform')
  return ids
}

/** One image of an archive. */
class ImageLoad {
  readonly #deps: LoadDependencies
  readonly #archive: SpooledArchive
  readonly #lease: Lease
  readonly #placed: Map<string, PlacedLayer>

  constructor(deps: LoadDependencies, archive: SpooledArchive, lease: Lease, placed: Map<string, PlacedLayer>) {
    this.#deps = deps
    this.#archive = archive
    this.#lease = lease
    this.#placed = placed
  }

  async load(image: ArchivedImage): Promise<ImageRecord> {
    const bytes = this.#archive.small(image.configPath)
    if (bytes === undefined) throw invalidArgument(`invalid archive: no file ${image.configPath}`)
    const config = parseImageConfig(bytes)
    const id = digestOf(bytes)
    this.#lease.add({ kind: 'blob', key: id })
    await this.#deps.content.put(bytes)
    const layers = await this.#placeLayers(image, config)
    const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: id, size: bytes.length }
    const manifest = await this.#keepManifest(image, configDescriptor, layers)
    const known = this.#deps.store.findRecord(id)
    return {
      version: 1,
      id,
      config,
      configSize: bytes.length,
      manifest,
      ...(image.manifest === undefined ? { isManifestMade: true } : {}),
      layers,
      lastTagTime: known?.lastTagTime ?? '',
    }
  }

  async #placeLayers({ layers }: ArchivedImage, { rootfs }: OciImageConfig): Promise<ImageLayer[]> {
    if (layers.length !== rootfs.diff_ids.length) {
      throw invalidArgument(
        `invalid manifest, layers length mismatch: expected ${rootfs.diff_ids.length}, got ${layers.length}`,
      )
    }
    const chain = chainIds(rootfs.diff_ids)
    const result: ImageLayer[] = []
    for (const [at, { path, descriptor }] of layers.entries()) {
      const diffId = rootfs.diff_ids[at]
      const chainId = chain[at]
      if (diffId === undefined || chainId === undefined) continue
      const placed = await this.#place(path, descriptor, { diffId, chainId, parent: chain[at - 1] })
      result.push({ diffId, chainId, blob: placed.blob, sizeBytes: placed.sizeBytes })
    }
    return result
  }

  /** Blob into the content store, files into the snapshot. */
  async #place(
    path: string,
    expected: Descriptor | undefined,
    wanted: Omit<WantedLayer, 'blob'>,
  ): Promise<PlacedLayer> {
    const { layers } = this.#deps
    this.#lease.add({ kind: 'snapshot', key: wanted.chainId })
    const known = this.#placed.get(path)
    if (known !== undefined && (await layers.has(wanted.chainId))) return known
    const file = known === undefined ? this.#archive.file(path) : undefined
    const small = this.#archive.small(path)
    if (file === undefined && small === undefined && known === undefined)
      return await this.#recall(path, expected, wanted)
    const { blob, staged, unpacked } =
      file !== undefined
        ? await this.#placeFile(file, expected)
        : await this.#placeBlob(known?.blob ?? (await this.#keepSmall(small ?? Buffer.alloc(0))))
    checkDiffId(unpacked, { blob, ...wanted })
    await layers.commit(staged, wanted, unpacked)
    const placed = { blob: expected ?? blob, diffId: wanted.diffId, sizeBytes: unpacked.sizeBytes }
    this.#placed.set(path, placed)
    return placed
  }

  async #placeFile({ ingest, staged, result }: SpooledFile, expected: Descriptor | undefined): Promise<Unpacked> {
    const { digest, sizeBytes, unpacked } = await result
    if (unpacked === undefined) throw invalidArgument('invalid archive: a layer is no tar archive')
    this.#lease.add({ kind: 'blob', key: digest })
    await ingest.commit(expected === undefined ? {} : { digest: expected.digest, sizeBytes: expected.size }, digest)
    return { blob: { mediaType: layerType(unpacked), digest, size: sizeBytes }, staged, unpacked }
  }

  /** Unpacks a blob that is stored already. */
  async #placeBlob(blob: Descriptor): Promise<Unpacked> {
    const { content, layers, pool } = this.#deps
    const staged = await layers.stage()
    const source = { from: 'file', path: content.pathOf(blob.digest), sizeBytes: blob.size } as const
    const { unpacked } = await pool.run({ source, targetDir: staged.directory })
    if (unpacked === undefined) throw invalidArgument('invalid archive: a layer is no tar archive')
    return { blob: { ...blob, mediaType: layerType(unpacked) }, staged, unpacked }
  }

  async #keepSmall(bytes: Buffer): Promise<Descriptor> {
    const digest = digestOf(bytes)
    this.#lease.add({ kind: 'blob', key: digest })
    await this.#deps.content.put(bytes)
    return { mediaType: mediaTypes.ociLayer, digest, size: bytes.length }
  }

  /** A layer that the archive leaves out because its maker knew that it is here. */
  async #recall(
    path: string,
    expected: Descriptor | undefined,
    { diffId, chainId }: Omit<WantedLayer, 'blob'>,
  ): Promise<PlacedLayer> {
    for (const { layers } of this.#deps.store.records()) {
      const layer = layers.find((one) => one.chainId === chainId)
      if (layer !== undefined) return { blob: expected ?? layer.blob, diffId, sizeBytes: layer.sizeBytes }
    }
    throw invalidArgument(`invalid archive: no file ${path}`)
  }

  /** The manifest that the archive has, or one made up so that the image can be pushed later. */
  async #keepManifest(
    { manifest }: ArchivedImage,
    config: Descriptor,
    layers: readonly ImageLayer[],
  ): Promise<Descriptor> {
    const bytes = manifest?.bytes ?? formatManifest(makeManifest(config, layers))
    const digest = digestOf(bytes)
    this.#lease.add({ kind: 'blob', key: digest })
    await this.#deps.content.put(bytes)
    return manifest?.descriptor ?? { mediaType: mediaTypes.ociManifest, digest, size: bytes.length }
  }
}

/** A manifest for parts that came without one. */
export function makeManifest(config: Descriptor, layers: readonly Pick<ImageLayer, 'blob'>[]): Manifest {
  return { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: layers.map(({ blob }) => blob) }
}

/** The media type of a layer as its bytes are. */
export function layerType({ compression }: UnpackedLayer): string {
  if (compression === 'gzip') return mediaTypes.ociLayerGzip
  return compression === 'zstd' ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer
}

function announce(
  store: ImageStore,
  record: ImageRecord,
  references: readonly Reference[],
  onProgress: OnProgress,
): void {
  for (const reference of references) {
    const before = store.findName(reference)?.imageId
    if (before !== undefined && before !== record.id) {
      const name = familiarReference(reference)
      const stream = `The image ${name} already exists, renaming the old one with ID ${before} to empty string\n`
      onProgress({ stream })
    }
  }
  store.put(
    references.length === 0 ? record : { ...record, lastTagTime: new Date().toISOString() },
    references.map((reference) => ({ reference, target: record.manifest })),
  )
  for (const reference of references) onProgress({ stream: `Loaded image: ${familiarReference(reference)}\n` })
  if (references.length === 0) onProgress({ stream: `Loaded image ID: ${record.id}\n` })
}

function reportLayer(path: string, current: number, total: number, onProgress: OnProgress): void {
  const hex = /[0-9a-f]{64}/.exec(path)?.[0]
  if (hex === undefined) return
  const progress = progressBar(current, total)
  onProgress({ status: 'Loading layer', progressDetail: { current, total }, progress, id: hex.slice(0, 12) })
}
