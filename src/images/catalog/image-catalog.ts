import type { ImageHistoryItem, ImageInspect, ImageSummary } from '../../api/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import type { ListImagesOptions } from '../../contract/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import { imageHistory, inspectImage } from './describe-image.ts'
import { type ImageDiskUsage, imageDiskUsage } from './disk-usage.ts'
import type { ImageUse } from './image.ts'
import { wantedPlatform } from './image-name.ts'
import type { ImageStore } from './image-store.ts'
import { listImages } from './list-images.ts'
import { manifestSummaries } from './manifest-summary.ts'

/** What describing images needs. */
export interface ImageCatalogOptions {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly snapshots: Snapshotter
  readonly use: ImageUse
}

/** Describes images in the API's form. `name` is a reference, an id or the unique beginning of one; a platform is
 *  `os[/arch[/variant]]`. All methods throw `notFound` for an unknown image, and `invalidArgument` for a bad name,
 *  filter or platform. */
export class ImageCatalog {
  readonly #options: ImageCatalogOptions

  constructor(options: ImageCatalogOptions) {
    this.#options = options
  }

  /** The images that match the filters, newest first. */
  async list(options: ListImagesOptions): Promise<readonly ImageSummary[]> {
    return listImages(this.#options.store, this.#options.use, options)
  }

  /** Details of one image; with `manifests`, also those of each image and attestation that its name stands for. */
  async inspect(
    name: string,
    { manifests = false, platform }: { readonly manifests?: boolean; readonly platform?: string | undefined } = {},
  ): Promise<ImageInspect> {
    const { store, use, snapshots } = this.#options
    const image = store.resolve(name, { platform: wantedPlatform(platform) })
    return inspectImage(image, {
      directory: (chainId) => snapshots.directory(chainId),
      ...(manifests ? { manifests: manifestSummaries(store, image, use) } : {}),
    })
  }

  /** The steps that made an image, newest first. */
  async history(
    name: string,
    { platform }: { readonly platform?: string | undefined } = {},
  ): Promise<readonly ImageHistoryItem[]> {
    const { store } = this.#options
    return imageHistory(store.resolve(name, { platform: wantedPlatform(platform) }), (id) => store.find(id))
  }

  /** Bytes on the disk of all images, and of each one. */
  async diskUsage(): Promise<ImageDiskUsage> {
    return await imageDiskUsage(this.#options)
  }
}
