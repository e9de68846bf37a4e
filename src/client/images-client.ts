/** Calls under `/images`. Progress arrives as the daemon makes it. A failure arrives as a message as well;
 *  `throwProgressError` throws it. */
import type {
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruneResponse,
  ProgressMessage,
} from '../api/index.ts'
import { type AbortOptions, internal } from '../base/index.ts'
import { formatFilters } from './transport/filters.ts'
import { imagePath } from './transport/image-path.ts'
import { jsonLines } from './transport/json-lines.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

/** What to pull. */
export interface PullOptions extends AbortOptions {
  /** The repository, in full or familiar form. */
  readonly fromImage: string
  /** A tag or digest. Without it, all tags are pulled. */
  readonly tag?: string | undefined
  readonly platform?: string | undefined
  /** The value of `X-Registry-Auth`. */
  readonly registryAuth?: string | undefined
}

/** What to import, and the image to make of it. */
export interface ImportOptions extends AbortOptions {
  /** A URL that the daemon fetches, or `-` to send `body`. */
  readonly fromSrc: string
  readonly body?: AsyncIterable<Uint8Array> | undefined
  readonly repo?: string | undefined
  readonly tag?: string | undefined
  readonly message?: string | undefined
  readonly changes?: readonly string[] | undefined
  readonly platform?: string | undefined
}

/** Images: pull, import, load, save, list, inspect, tag, remove, prune. */
export class ImagesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Pulls an image or, without a tag, all tags of a repository. */
  async *pull(options: PullOptions): AsyncGenerator<ProgressMessage, void, void> {
    const { fromImage, tag, platform, registryAuth, signal } = options
    const response = await this.#transport.request('POST', '/images/create', {
      query: { fromImage, tag, platform: platform || undefined },
      ...(registryAuth === undefined ? {} : { headers: { 'x-registry-auth': registryAuth } }),
      signal,
    })
    yield* jsonLines<ProgressMessage>(response.chunks())
  }

  /** Makes an image of a single layer from a tar archive. */
  async *import({ signal, body, ...query }: ImportOptions): AsyncGenerator<ProgressMessage, void, void> {
    const response = await this.#transport.request('POST', '/images/create', {
      query: { ...query, message: query.message || undefined, platform: query.platform || undefined },
      body,
      signal,
    })
    yield* jsonLines<ProgressMessage>(response.chunks())
  }

  /** Loads the images in an archive of `save`. */
  async *load(
    archive: AsyncIterable<Uint8Array>,
    {
      quiet,
      platform,
      signal,
    }: AbortOptions & { readonly quiet?: boolean; readonly platform?: string | undefined } = {},
  ): AsyncGenerator<ProgressMessage, void, void> {
    const query = { quiet: quiet === true ? '1' : '0', platform: platform || undefined }
    const response = await this.#transport.request('POST', '/images/load', { query, body: archive, signal })
    yield* jsonLines<ProgressMessage>(response.chunks())
  }

  /** The archive of these images, as it arrives. */
  async save(
    names: readonly string[],
    { platform, signal }: AbortOptions & { readonly platform?: string | undefined } = {},
  ): Promise<AsyncGenerator<Buffer, void, void>> {
    const query = { names, platform: platform || undefined }
    return (await this.#transport.request('GET', '/images/get', { query, signal })).chunks()
  }

  /** Lists images. */
  async list(
    options: {
      readonly all?: boolean
      readonly filters?: Filters | undefined
      /** Also list the platforms of each image. */
      readonly manifests?: boolean
    } = {},
  ): Promise<ImageSummary[]> {
    const query = { all: options.all, filters: formatFilters(options.filters), manifests: options.manifests }
    return (await this.#transport.request('GET', '/images/json', { query })).json()
  }

  /** Describes an image. Throws `notFound`. */
  async inspect(
    name: string,
    { platform }: { readonly platform?: string | undefined } = {},
  ): Promise<RawDocument<ImageInspect>> {
    return rawDocument(await this.#transport.request('GET', imagePath(name, '/json'), { query: { platform } }))
  }

  /** The steps that made an image, the newest first. */
  async history(
    name: string,
    { platform }: { readonly platform?: string | undefined } = {},
  ): Promise<ImageHistoryItem[]> {
    return (await this.#transport.request('GET', imagePath(name, '/history'), { query: { platform } })).json()
  }

  /** Removes images without a name; with the filter `dangling=false`, all that no container uses. */
  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<ImagesPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/images/prune', { query })).json()
  }

  /** Gives an image another name. */
  async tag(name: string, target: { readonly repo: string; readonly tag: string | undefined }): Promise<void> {
    const query = { repo: target.repo, tag: target.tag }
    await (await this.#transport.request('POST', imagePath(name, '/tag'), { query })).discard()
  }

  /** Removes a name of an image, and the image with its last name. */
  async remove(
    name: string,
    options: { readonly force?: boolean; readonly noPrune?: boolean; readonly platforms?: readonly string[] } = {},
  ): Promise<ImageDeleteItem[]> {
    const query = { force: options.force, noprune: options.noPrune, platforms: options.platforms }
    return (await this.#transport.request('DELETE', imagePath(name), { query })).json()
  }
}

/** Throws `internal` if the message reports that the operation failed. */
export function throwProgressError(message: ProgressMessage): void {
  const text = message.errorDetail?.message ?? message.error
  if (text !== undefined && text !== '') throw internal(text)
}
