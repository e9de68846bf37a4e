/** Calls that look at containers' files, or change them: export, changes, commit and copies. */
import type { ContainerChange, ContainerPathStat } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import type { ApiResponse, Transport } from './transport/transport.ts'

export interface CommitOptions {
  readonly repo?: string | undefined
  readonly tag?: string | undefined
  readonly comment?: string | undefined
  readonly author?: string | undefined
  readonly changes?: readonly string[]
  /** Hold the container still meanwhile; true when left out. */
  readonly pause?: boolean
}

export class ContainerFilesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** A tar stream; resolves when the container was found. */
  async export(id: string, { signal }: AbortOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const path = `/containers/${encodeURIComponent(id)}/export`
    return (await this.#transport.request('GET', path, { signal })).chunks()
  }

  async changes(id: string): Promise<ContainerChange[]> {
    const response = await this.#transport.request('GET', `/containers/${encodeURIComponent(id)}/changes`)
    return (await response.json<ContainerChange[] | null>()) ?? []
  }

  /** Gives the image's id. */
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

  /** What is at a path of a container; a symlink itself at its end. */
  async statPath(id: string, path: string): Promise<ContainerPathStat> {
    const response = await this.#transport.request('HEAD', archivePath(id), { query: { path } })
    await response.discard()
    return statOf(response)
  }

  /** A tar stream of what is at a path; its entries begin with the path's last part. */
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
