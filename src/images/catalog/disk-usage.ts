/** The disk use of images: their unpacked files, and the blobs that they came as, which stay for a push. */
import type { ImageSummary } from '../../api/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import type { ImageRecord, ImageUse } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { listImages } from './list-images.ts'

/** Disk use of all images. */
export interface ImageDiskUsage {
  /** Bytes of all layers and blobs, each counted once, used by an image or not. */
  readonly totalBytes: number
  /** Each image; `Size` and `SharedSize` are bytes on the disk. */
  readonly images: readonly ImageSummary[]
}

interface UsageParts {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly snapshots: Snapshotter
  readonly use: ImageUse
}

/** Sums up sizes that were recorded when layers were unpacked. On the disk, it looks only at the blobs. */
export async function imageDiskUsage({ store, content, snapshots, use }: UsageParts): Promise<ImageDiskUsage> {
  const users = countUsers(store.records())
  const images = listImages(store, use, { all: false, filters: {}, sharedSize: true }).map((summary) => {
    const record = store.findRecord(summary.Id as Digest)
    return record === undefined ? summary : { ...summary, ...sizesOf(record, users) }
  })
  let totalBytes = 0
  for await (const { sizeBytes } of content.walk()) totalBytes += sizeBytes
  for await (const { kind, sizeBytes } of snapshots.walk()) if (kind === 'committed') totalBytes += sizeBytes ?? 0
  return { totalBytes, images }
}

type Users = ReadonlyMap<string, number>

/** For each stack of layers and each blob, the number of images that need it. */
function countUsers(records: Iterable<ImageRecord>): Users {
  const users = new Map<string, number>()
  for (const record of records) {
    const needed = new Set(partsOf(record).map(({ key }) => key))
    for (const key of needed) users.set(key, (users.get(key) ?? 0) + 1)
  }
  return users
}

function sizesOf(record: ImageRecord, users: Users): Pick<ImageSummary, 'Size' | 'SharedSize'> {
  const parts = new Map(partsOf(record).map(({ key, bytes }) => [key, bytes]))
  let size = 0
  let shared = 0
  for (const [key, bytes] of parts) {
    size += bytes
    if ((users.get(key) ?? 0) > 1) shared += bytes
  }
  return { Size: size, SharedSize: shared }
}

function partsOf({
  id,
  configSize,
  manifest,
  layers,
}: ImageRecord): { readonly key: string; readonly bytes: number }[] {
  return [
    { key: id, bytes: configSize },
    { key: manifest.digest, bytes: manifest.size },
    // The key of a stack can equal the digest of its lowest layer's blob.
    ...layers.map(({ blob }) => ({ key: blob.digest, bytes: blob.size })),
    ...layers.map(({ chainId, sizeBytes }) => ({ key: `files ${chainId}`, bytes: sizeBytes })),
  ]
}
