/** Calls that read or change containers' files: export, changes, commit and copies. */
import type { ContainerChange, ContainerPathStat } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import type { ApiResponse, Transport } from './transport/transport.ts'

/** The image to make of a container. */
export interface CommitOptions {
  readonly repo?: string | undefined
  readonly tag?: string | undefined
  readonly comment?: string | undefined
  readonly author?: string | undefined
  readonly changes?: readonly string[]
  /** Freeze the container during the commit. Default: true. */
  readonly pause?: boolean
}

/** The files of containers. */
export class ContainerFilesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The container's files as a tar stream. Resolves when the daemon has found the container. */
  async export(id: string, { signal }: AbortOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const path = `/containers/${encodeURIComponent(id)}/export`
    return (await this.#transport.request('GET', path, { signal })).chunks()
  }

  /** The files that differ from the container's image. */
  async changes(id: string): Promise<ContainerChange[]> {
    const response = await this.#transport.request('GET', `/containers/${encodeURIComponent(id)}/changes`)
    return (await response.json<ContainerChange[] | null>()) ?? []
  }

  /** Makes an image of the container, and gives its id. */
  async commit(container: string, { pause = true, ...options }: CommitOptions = {}): Promise<string> {
    const { repo, tag, comment, author, changes } = options
    const query = {
      container,
      repo: repo || undefined,
      tag: tag || undefined,
      comment: comment || undefined,
      author: author || undefined,
      changes,
      pause: pause ? '1' : '0',
    }
    const response = await this.#transport.request('POST', '/commit', { query })
    return (await response.json<{ readonly Id: string }>()).Id
  }

  /** Describes the file at a path of a container. A symbolic link at the end of the path is not followed. */
  async statPath(id: string, path: string): Promise<ContainerPathStat> {
    const response = await this.#transport.request('HEAD', archivePath(id), { query: { path } })
    await response.discard()
    return statOf(response)
  }

  /** The file or directory at a path as a tar stream, whose names begin with the last part of the path. */
  async readArchive(
    id: string,
    path: string,
    { signal }: AbortOptions = {},
  ): Promise<{ readonly stat: ContainerPathStat; readonly chunks: AsyncIterable<Uint8Array> }> {
    const response = await this.#transport.request('GET', archivePath(id), { query: { path }, signal })
    return { stat: statOf(response), chunks: response.chunks() }
  }

  /** Unpacks a tar stream into a directory of a container. */
  async extract(
    id: string,
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void> {
    const query = { path, noOverwriteDirNonDir: options.noOverwriteDirNonDir, copyUIDGID: options.copyUidGid }
    await (await this.#transport.request('PUT', archivePath(id), { query, body })).discard()
  }
}

function archivePath(id: string): string {
  return `/containers/${encodeURIComponent(id)}/archive`
}

function statOf({ headers }: ApiResponse): ContainerPathStat {
  const text = headers.get('x-docker-container-path-stat') ?? ''
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as ContainerPathStat
}
