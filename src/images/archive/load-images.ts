/** Loads the images of an archive that `docker save`, podman, skopeo or buildx made: all of them or none. */
import type { Readable } from 'node:stream'
import { invalidArgument } from '../../base/index.ts'
import type { Leases, LocalContentStore } from '../../content/index.ts'
import type { OnProgress, ProgressOptions } from '../../contract/index.ts'
import {
  type Descriptor,
  type Digest,
  familiarReference,
  formatPlatform,
  hostPlatform,
  type Platform,
  type Reference,
} from '../../oci/index.ts'
import { progressBar } from '../catalog/file-sizes.ts'
import type { ImageRecord } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { namedIndex } from '../catalog/index-members.ts'
import type { Holds } from '../gc/holds.ts'
import type { LayerPool } from '../layers/layer-pool.ts'
import type { LayerStack } from '../layers/layer-stack.ts'
import { readArchiveManifest } from './archive-manifest.ts'
import type { ArchivedImage } from './archived-image.ts'
import { ArchivedImageLoader } from './archived-image-loader.ts'
import { readLegacyArchive } from './legacy-archive.ts'
import { SpooledArchive } from './spool-archive.ts'

/** What loading needs. */
export interface LoadDependencies {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly leases: Leases
  readonly layers: LayerStack
  readonly pool: LayerPool
}

/** How to load. */
export interface LoadOptions extends ProgressOptions {
  /** Send no progress, only the results. */
  readonly quiet?: boolean
  /** Load only images for this platform. Absent: the host's, if the archive has several. */
  readonly platform?: Platform | undefined
}

/** Loads all images of an archive and returns their ids. `holds` gets everything that it stores, also when it fails. */
export async function loadImages(
  deps: LoadDependencies,
  source: Readable,
  holds: Holds,
  { signal, platform, quiet = false, onProgress = () => {} }: LoadOptions,
): Promise<Digest[]> {
  const { content, layers, pool } = deps
  const report: LayerReport = quiet ? () => {} : (path, current, total) => reportLayer(path, current, total, onProgress)
  await using archive = await SpooledArchive.read(source, {
    content,
    layers,
    pool,
    signal,
    onProgress: (path, { current, total }) => report(path, current, total),
  })
  const onLayer = (path: string, diffId: Digest, sizeBytes: number) => {
    // Large layers were reported while they arrived, if their path has their digest.
    if (archive.file(path) === undefined || layerName(path) === undefined) report(diffId, sizeBytes, sizeBytes)
  }
  const loader = new ArchivedImageLoader({ ...deps, archive, holds, platform, onLayer })
  const loaded: LoadedImage[] = []
  for (const image of await imagesOf(archive, platform)) {
    const record = await loader.load(image)
    if (record === undefined) continue
    const whole = image.index === undefined ? undefined : await loader.loadIndex(image.index, record)
    loaded.push({
      record,
      references: image.references,
      whole: whole ?? { target: record.manifest, records: [record] },
    })
  }
  if (loaded.length === 0) {
    throw invalidArgument(`the archive holds no image for ${formatPlatform(platform ?? hostPlatform())}`)
  }
  for (const image of loaded) announce(deps.store, image, onProgress)
  return loaded.map(({ record }) => record.id)
}

/** The result of loading one image of the archive. */
interface LoadedImage {
  readonly record: ImageRecord
  readonly references: readonly Reference[]
  /** The target of its names, and all images that belong to it. */
  readonly whole: { readonly target: Descriptor; readonly records: readonly ImageRecord[] }
}

async function imagesOf(archive: SpooledArchive, platform: Platform | undefined): Promise<readonly ArchivedImage[]> {
  const read = (path: string) => archive.small(path)
  const repositories = read('repositories')
  const isLegacy = read('manifest.json') === undefined && read('index.json') === undefined
  if (!isLegacy || repositories === undefined) return readArchiveManifest(read, platform)
  return await readLegacyArchive(repositories, { read, diffIdOf: (path) => archive.diffIdOf(path) })
}

function announce(
  store: ImageStore,
  { record, references, whole: { target, records } }: LoadedImage,
  onProgress: OnProgress,
): void {
  for (const reference of references) {
    const before = store.names.find(reference)?.imageId
    if (before !== undefined && before !== record.id) {
      const name = familiarReference(reference)
      const stream = `The image ${name} already exists, renaming the old one with ID ${before} to empty string\n`
      onProgress({ stream })
    }
  }
  const tagged = records.map((one): ImageRecord => {
    const known = store.findRecord(one.id)
    return { ...one, lastTagTime: references.length === 0 ? (known?.lastTagTime ?? '') : new Date().toISOString() }
  })
  const names = references.map((reference) => ({ reference, target }))
  const [only] = tagged
  if (target.digest !== record.manifest.digest) store.putAll(namedIndex(store, target, tagged, names))
  else if (only !== undefined) store.put(only, names)
  for (const reference of references) onProgress({ stream: `Loaded image: ${familiarReference(reference)}\n` })
  if (references.length === 0) onProgress({ stream: `Loaded image ID: ${record.id}\n` })
}

type LayerReport = (name: string, current: number, total: number) => void

function reportLayer(name: string, current: number, total: number, onProgress: OnProgress): void {
  const id = layerName(name)
  if (id === undefined) return
  const progress = progressBar(current, total)
  onProgress({ status: 'Loading layer', progressDetail: { current, total }, progress, id })
}

/** The beginning of the digest in a path or digest, for progress lines. */
function layerName(text: string): string | undefined {
  return /[0-9a-f]{64}/.exec(text)?.[0].slice(0, 12)
}
