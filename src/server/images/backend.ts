import type { Readable } from 'node:stream'
import type {
  AuthConfig,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruneResponse,
  ProgressMessage,
} from '../../api/index.ts'
import type { AbortOptions } from '../../base/index.ts'
import type { Filters } from '../containers/index.ts'

/** Takes one message for the client. */
export type OnProgress = (message: ProgressMessage) => void

export interface ProgressOptions extends AbortOptions {
  readonly onProgress: OnProgress
}

export interface PullOptions extends ProgressOptions {
  /** `os[/arch[/variant]]`; absent: the host's. */
  readonly platform?: string | undefined
  readonly auth?: AuthConfig | undefined
}

export interface ImportRequest {
  /** The body of the request, a tar stream, compressed or not; or the URL of one. */
  readonly source: Readable | string
  /** Empty: the image gets no reference. */
  readonly reference: string
  readonly message: string
  /** Dockerfile instructions to apply to the configuration. */
  readonly changes: readonly string[]
  readonly platform?: string | undefined
}

export interface ListImagesOptions {
  readonly all: boolean
  readonly filters: Filters
  readonly digests: boolean
  readonly sharedSize: boolean
  readonly manifests: boolean
}

/** Making images. In-band failures are rejections: the server writes the error line. */
export interface ImageSources {
  /** `reference` is the name with `:tag` or `@digest` added when the client gave one apart. */
  pull(reference: string, options: PullOptions): Promise<void>
  /** `reference` without a tag stands for all tags of its repository. */
  push(reference: string, options: PullOptions): Promise<void>
  load(
    source: Readable,
    options: ProgressOptions & { readonly quiet: boolean; readonly platform?: string | undefined },
  ): Promise<void>
  import(request: ImportRequest, options: ProgressOptions): Promise<void>
}

/** An archive of images. Disposed of when it was sent. */
export interface SavedArchive extends Disposable {
  readonly sizeBytes: number
  chunks(options: AbortOptions): AsyncIterable<Buffer>
}

/** What the `/images` routes call. `name` is a reference, an id or a unique prefix of one. */
export interface ImageBackend extends ImageSources {
  list(options: ListImagesOptions): Promise<readonly ImageSummary[]>
  inspect(
    name: string,
    options: { readonly manifests: boolean; readonly platform?: string | undefined },
  ): Promise<ImageInspect>
  history(name: string, options: { readonly platform?: string | undefined }): Promise<readonly ImageHistoryItem[]>
  tag(name: string, repository: string, tag: string): Promise<void>
  /** `platforms`: of a name with images for several platforms, only these (`os/arch[/variant]`); empty: all. */
  remove(
    name: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly platforms: readonly string[] },
  ): Promise<readonly ImageDeleteItem[]>
  /** The archive of these images, to be sent. */
  save(names: readonly string[], options: { readonly platform?: string | undefined }): Promise<SavedArchive>
  /** Optional: `POST /images/prune` answers 501 without it. */
  prune?(filters: Filters): Promise<ImagesPruneResponse>
}
