/** What the `/images` routes ask of an engine. */
import type { Readable } from 'node:stream'
import type {
  AuthConfig,
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruneResponse,
  ProgressMessage,
} from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'

/** Takes one progress message for the client. */
export type OnProgress = (message: ProgressMessage) => void

/** Options of work that reports progress. */
export interface ProgressOptions extends AbortOptions {
  readonly onProgress?: OnProgress | undefined
}

/** Options of a pull or a push. */
export interface PullOptions extends ProgressOptions {
  /** `os[/arch[/variant]]`. Absent or empty: of a pull the host's platform, of a push all. */
  readonly platform?: string | undefined
  /** Credentials for the registry; they are used for this call and not kept. */
  readonly auth?: AuthConfig | undefined
}

/** Options of a load. */
export interface LoadOptions extends ProgressOptions {
  /** No progress of single layers. */
  readonly quiet?: boolean
  /** `os[/arch[/variant]]`. Absent or empty: all that the archive has. */
  readonly platform?: string | undefined
}

/** An image to be made of a file tree. */
export interface ImportRequest {
  /** A tar stream, compressed or not; or the URL of one. */
  readonly source: Readable | string
  /** Empty: the image gets no name. */
  readonly reference: string
  /** The comment in the image's history. */
  readonly message: string
  /** Dockerfile instructions that edit the configuration. */
  readonly changes: readonly string[]
  readonly platform?: string | undefined
}

/** Which images to list, and what to compute. */
export interface ListImagesOptions {
  /** Also intermediate images: those without a name that other images are based on. */
  readonly all: boolean
  readonly filters: Filters
  /** Computes how many bytes each image shares with others. */
  readonly sharedSize?: boolean
  /** Describes the manifests of each image. */
  readonly manifests?: boolean
}

/** How an image is removed. */
export interface RemoveImageOptions {
  /** Also an image that stopped containers use or that has several names. */
  readonly force: boolean
  /** Removes untagged parents as well. */
  readonly prune: boolean
  /** Of a name with images for several platforms, only these (`os/arch[/variant]`). Absent or empty: all. */
  readonly platforms?: readonly string[]
}

/** Bringing images in and out. A failure rejects; the server writes the error line into the answer. */
export interface ImageSources {
  /** `reference` has a tag or a digest, or stands for all tags of its repository. */
  pull(reference: string, options: PullOptions): Promise<void>
  /** A `reference` without a tag stands for all tags of its repository. */
  push(reference: string, options: PullOptions): Promise<void>
  /** Loads the images of an archive, as `save` makes it. */
  load(source: Readable, options: LoadOptions): Promise<void>
  /** Makes an image of a file tree in a tar stream. */
  import(request: ImportRequest, options: ProgressOptions): Promise<void>
}

/** An archive of images, ready to be sent. Its blobs can't be removed until it is disposed. */
export interface SavedArchive extends Disposable {
  readonly sizeBytes: number
  /** The archive's bytes. A chunk is valid until the next one is asked for. */
  chunks(options: AbortOptions): AsyncIterable<Buffer>
}

/** What the `/images` routes call. `name` is a reference, an id or a unique prefix of an id; without such an image the
 *  methods reject with `notFound`. */
export interface ImageBackend extends ImageSources {
  /** The newest image first. */
  list(options: ListImagesOptions): Promise<readonly ImageSummary[]>
  inspect(
    name: string,
    options: { readonly manifests?: boolean; readonly platform?: string | undefined },
  ): Promise<ImageInspect>
  /** The newest step first. */
  history(name: string, options: { readonly platform?: string | undefined }): Promise<readonly ImageHistoryItem[]>
  /** Gives an image one more name. An empty `tag` is `latest`. */
  tag(name: string, repository: string, tag: string): Promise<void>
  /** Removes a name, or the image with its last name. Rejects with `conflict` when containers use the image. */
  remove(name: string, options: RemoveImageOptions): Promise<readonly ImageDeleteItem[]>
  /** Plans the archive of these images; the caller disposes it. */
  save(names: readonly string[], options: { readonly platform?: string | undefined }): Promise<SavedArchive>
  /** Removes images without a name; with the filter `dangling=false` all that no container uses. */
  prune(filters: Filters): Promise<ImagesPruneResponse>
}
