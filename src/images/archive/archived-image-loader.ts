/** Second half of a load: puts the spooled parts of images into the content store and into snapshots. Other requests
 *  see nothing of it until the caller puts the records into the image store. */
import { BerthError, invalidArgument, messageOf } from '../../base/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import {
  chainIds,
  type Descriptor,
  type Digest,
  digestOf,
  formatManifest,
  type Manifest,
  mediaTypes,
  type OciImageConfig,
  type Platform,
  parseImageConfig,
  platformOfConfig,
  platformRank,
} from '../../oci/index.ts'
import type { ImageLayer, ImageRecord } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import type { Holds } from '../gc/holds.ts'
import type { UnpackedLayer } from '../layers/layer-job.ts'
import type { LayerPool } from '../layers/layer-pool.ts'
import type { LayerStack, StagedLayer } from '../layers/layer-stack.ts'
import { blobPath } from './archive-index.ts'
import type { ArchivedImage, ArchivedIndex } from './archived-image.ts'
import type { SpooledArchive, SpooledFile } from './spool-archive.ts'

/** What loading needs. */
export interface LoaderOptions {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly layers: LayerStack
  readonly pool: LayerPool
  readonly archive: SpooledArchive
  readonly holds: Holds
  /** Load only images for this platform. */
  readonly platform?: Platform | undefined
  /** Called for each layer that is stored. */
  readonly onLayer: (path: string, diffId: Digest, sizeBytes: number) => void
}

/** The position of a layer. */
interface Place {
  readonly diffId: Digest
  readonly chainId: Digest
  readonly parent: Digest | undefined
  /** Image and number of the layer, for messages. */
  readonly at: number
}

/** A layer that is stored, as blob and as snapshot. */
interface PlacedLayer {
  readonly blob: Descriptor
  readonly sizeBytes: number
}

interface Unpacked {
  readonly blob: Descriptor
  readonly staged: StagedLayer
  readonly unpacked: UnpackedLayer
}

/** Loads the images of one archive, one after the other. A layer that several of them share is stored once. */
export class ArchivedImageLoader {
  readonly #options: LoaderOptions
  /** Layers that are stored, by the member's real path. */
  readonly #placed = new Map<string, PlacedLayer>()

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /** Stores an image and returns its record; undefined for an image of another platform than the wanted one. */
  async load(image: ArchivedImage): Promise<ImageRecord | undefined> {
    const bytes = image.configBytes ?? this.#options.archive.small(image.configPath)
    if (bytes === undefined) throw invalidArgument(`invalid archive: no file ${image.configPath}`)
    const config = parseImageConfig(bytes)
    const { platform } = this.#options
    if (platform !== undefined && platformRank(platform, platformOfConfig(config)) === undefined) return undefined
    if (config.os !== '' && config.os !== 'linux') throw invalidArgument(`cannot load ${config.os} image on linux`)
    const id = digestOf(bytes)
    const known = await this.#known(id)
    if (known !== undefined) return known
    await this.#put(id, bytes)
    const layers = await this.#placeLayers(image, config)
    const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: id, size: bytes.length }
    const manifest = await this.#keepManifest(image, configDescriptor, layers)
    const made = image.manifest === undefined ? { isManifestMade: true } : {}
    return { version: 1, id, config, configSize: bytes.length, manifest, ...made, layers, lastTagTime: '' }
  }

  /** The record of an image that is completely stored. It stays as it is, because a registry may know its manifest by
   *  its digest. */
  async #known(id: Digest): Promise<ImageRecord | undefined> {
    const { store, content, layers, holds } = this.#options
    const record = store.findRecord(id)
    if (record === undefined) return undefined
    for (const digest of [id, record.manifest.digest, ...record.layers.map(({ blob }) => blob.digest)]) {
      holds.addBlob(digest)
      if ((await content.find(digest)) === undefined) return undefined
    }
    for (const { chainId } of record.layers) {
      holds.addLayer(chainId)
      if (!(await layers.has(chainId))) return undefined
    }
    return record
  }

  /** Stores what an index lists beside the image. Undefined when a part is missing, or when one platform is wanted. */
  async loadIndex(
    index: ArchivedIndex,
    record: ImageRecord,
  ): Promise<{ readonly target: Descriptor; readonly records: readonly ImageRecord[] } | undefined> {
    if (this.#options.platform !== undefined) return undefined
    const { archive } = this.#options
    const isHere = (blob: Descriptor) => {
      const path = blobPath(blob)
      return archive.small(path) !== undefined || archive.file(path) !== undefined
    }
    if (!index.attestations.every(({ blobs }) => blobs.every(isHere))) return undefined
    const records: ImageRecord[] = [record]
    for (const other of index.others) {
      const loaded = await this.load(other)
      if (loaded !== undefined) records.push(loaded)
    }
    for (const { bytes, descriptor, blobs } of index.attestations) {
      await this.#put(descriptor.digest, bytes)
      for (const blob of blobs) await this.#keepBlob(blob)
    }
    await this.#put(index.descriptor.digest, index.bytes)
    return { target: index.descriptor, records: records.map((one) => withAttestations(one, index)) }
  }

  /** Stores a part of an attestation. */
  async #keepBlob(blob: Descriptor): Promise<void> {
    const { archive, holds, content } = this.#options
    const path = blobPath(blob)
    const bytes = archive.small(path)
    holds.addBlob(blob.digest)
    if (bytes !== undefined) {
      if (digestOf(bytes) !== blob.digest) throw damaged(path, `its digest is ${digestOf(bytes)}`)
      await content.put(bytes)
      return
    }
    const file = archive.file(path)
    if (file === undefined || (await content.find(blob.digest)) !== undefined) return
    const { digest } = await naming(path, file.result)
    await naming(path, file.ingest.commit({ digest: blob.digest, sizeBytes: blob.size }, digest))
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
      const { blob, sizeBytes } = await this.#place(path, descriptor, { diffId, chainId, parent: chain[at - 1], at })
      this.#options.onLayer(path, diffId, blob.size)
      result.push({ diffId, chainId, blob, sizeBytes })
    }
    return result
  }

  /** Stores a layer: the blob in the content store, the files in a snapshot. */
  async #place(path: string, expected: Descriptor | undefined, place: Place): Promise<PlacedLayer> {
    const { layers, archive, holds } = this.#options
    holds.addLayer(place.chainId)
    const realPath = archive.realPath(path)
    const before = this.#placed.get(realPath)
    if (before !== undefined && (await layers.has(place.chainId))) return before
    const found = await this.#unpack(path, expected, before)
    if (found === undefined) return await this.#recall(path, expected, place)
    const { blob, staged, unpacked } = found
    if (unpacked.diffId !== place.diffId) {
      await layers.unstage(staged)
      const { at, diffId } = place
      throw invalidArgument(`invalid diffID for layer ${at}: expected "${diffId}", got "${unpacked.diffId}"`)
    }
    await layers.commit(staged, place, unpacked)
    const placed = { blob: expected ?? blob, sizeBytes: unpacked.sizeBytes }
    this.#placed.set(realPath, placed)
    return placed
  }

  async #unpack(
    path: string,
    expected: Descriptor | undefined,
    before: PlacedLayer | undefined,
  ): Promise<Unpacked | undefined> {
    const { archive } = this.#options
    // The same layer has another layer below it here: unpack its files once more.
    if (before !== undefined) return await this.#unpackBlob(path, before.blob)
    const file = archive.file(path)
    if (file !== undefined) return await this.#takeFile(path, file, expected)
    const bytes = archive.small(path)
    if (bytes === undefined) return undefined
    const digest = digestOf(bytes)
    if (expected !== undefined && digest !== expected.digest) throw damaged(path, `its digest is ${digest}`)
    await this.#put(digest, bytes)
    return await this.#unpackBlob(path, { mediaType: mediaTypes.ociLayer, digest, size: bytes.length })
  }

  async #takeFile(path: string, file: SpooledFile, expected: Descriptor | undefined): Promise<Unpacked> {
    const { ingest, staged, result } = file
    const { digest, sizeBytes, unpacked } = await naming(path, result)
    if (unpacked === undefined) throw damaged(path, 'it is not a tar archive')
    this.#options.holds.addBlob(digest)
    const wanted = expected === undefined ? {} : { digest: expected.digest, sizeBytes: expected.size }
    await naming(path, ingest.commit(wanted, digest))
    return { blob: { mediaType: layerType(unpacked), digest, size: sizeBytes }, staged, unpacked }
  }

  /** Unpacks a stored blob. */
  async #unpackBlob(path: string, blob: Descriptor): Promise<Unpacked> {
    const { content, layers, pool } = this.#options
    const staged = await layers.stage()
    try {
      const source = { from: 'file', path: content.pathOf(blob.digest), sizeBytes: blob.size } as const
      const { unpacked } = await naming(path, pool.run({ source, targetDir: staged.directory }))
      if (unpacked === undefined) throw damaged(path, 'it is not a tar archive')
      return { blob: { ...blob, mediaType: layerType(unpacked) }, staged, unpacked }
    } catch (error) {
      await layers.unstage(staged)
      throw error
    }
  }

  /** Finds a stored layer that the archive leaves out, because its maker knew that it is here. */
  async #recall(path: string, expected: Descriptor | undefined, { chainId }: Place): Promise<PlacedLayer> {
    const { store, content, holds } = this.#options
    for (const { layers } of store.records()) {
      const layer = layers.find((one) => one.chainId === chainId)
      if (layer === undefined) continue
      const blob = expected ?? layer.blob
      holds.addBlob(blob.digest)
      if ((await content.find(blob.digest)) !== undefined) return { blob, sizeBytes: layer.sizeBytes }
    }
    throw invalidArgument(`invalid archive: no file ${path}`)
  }

  /** Stores the manifest of the archive, or a new one, so that the image can be pushed later. */
  async #keepManifest(
    { manifest }: ArchivedImage,
    config: Descriptor,
    layers: readonly ImageLayer[],
  ): Promise<Descriptor> {
    const bytes = manifest?.bytes ?? formatManifest(makeManifest(config, layers))
    const digest = manifest?.descriptor.digest ?? digestOf(bytes)
    await this.#put(digest, bytes)
    return manifest?.descriptor ?? { mediaType: mediaTypes.ociManifest, digest, size: bytes.length }
  }

  async #put(digest: Digest, bytes: Buffer): Promise<void> {
    this.#options.holds.addBlob(digest)
    await this.#options.content.put(bytes)
  }
}

/** The record with the attestations that the index lists. */
function withAttestations(record: ImageRecord, { attestations }: ArchivedIndex): ImageRecord {
  const own = attestations.filter(
    ({ descriptor }) => descriptor.annotations?.['vnd.docker.reference.digest'] === record.manifest.digest,
  )
  const added = own.flatMap(({ descriptor, blobs }) => [descriptor, ...blobs])
  const known = new Map([...(record.attachments ?? []), ...added].map((one) => [one.digest, one]))
  return known.size === 0 ? record : { ...record, attachments: [...known.values()] }
}

/** Makes a manifest for an image that came without one. */
export function makeManifest(config: Descriptor, layers: readonly Pick<ImageLayer, 'blob'>[]): Manifest {
  return { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: layers.map(({ blob }) => blob) }
}

/** The media type of a layer, by the compression of its bytes. */
export function layerType({ compression }: UnpackedLayer): string {
  if (compression === 'gzip') return mediaTypes.ociLayerGzip
  return compression === 'zstd' ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer
}

/** Adds the path of the member to an error. */
async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof BerthError && ['invalidArgument', 'dataLoss'].includes(error.kind)) {
      throw damaged(path, messageOf(error), error)
    }
    throw error
  }
}

function damaged(path: string, why: string, cause?: unknown): BerthError {
  return invalidArgument(`invalid archive: ${path}: ${why}`, { cause })
}
