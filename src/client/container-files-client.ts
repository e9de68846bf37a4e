/** Calls that look at containers' files: export, changes and commit. */
import type { ContainerChange } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import type { Transport } from './transport.ts'

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
}
