/** Calls under `/containers` that make, list, change and remove containers. */
import type {
  ContainerCreateBody,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerUpdateResponse,
  Filters,
  HostConfig,
} from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { formatFilters } from './transport/filters.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

/** Which containers to list. `size` adds the sizes of their files, which takes longer. */
export interface ContainerListOptions extends AbortOptions {
  readonly all?: boolean | undefined
  readonly limit?: number | undefined
  readonly size?: boolean | undefined
  readonly filters?: Filters | undefined
}

/** Containers as records: create, list, inspect, update, rename, remove, prune. */
export class ContainersClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Creates a container without starting it. Throws `notFound` when its image is missing. */
  async create(
    body: ContainerCreateBody,
    { name, platform, signal }: AbortOptions & { readonly name?: string; readonly platform?: string } = {},
  ): Promise<ContainerCreateResponse> {
    const query = { name: name || undefined, platform: platform || undefined }
    const response = await this.#transport.request('POST', '/containers/create', { query, json: body, signal })
    return response.json()
  }

  /** Changes the resources and the restart policy that are given; the others stay. */
  async update(id: string, changes: HostConfig): Promise<ContainerUpdateResponse> {
    const path = `/containers/${encodeURIComponent(id)}/update`
    return (await this.#transport.request('POST', path, { json: changes })).json()
  }

  /** Gives a container another name. */
  async rename(id: string, name: string): Promise<void> {
    const path = `/containers/${encodeURIComponent(id)}/rename`
    await (await this.#transport.request('POST', path, { query: { name } })).discard()
  }

  /** Removes a container. `force` kills a running one first; `volumes` also removes its anonymous volumes. */
  async remove(
    id: string,
    { force, volumes, link }: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean } = {},
  ): Promise<void> {
    const response = await this.#transport.request('DELETE', `/containers/${encodeURIComponent(id)}`, {
      query: { force, v: volumes, link },
    })
    await response.discard()
  }

  /** Lists containers; without `all`, only running ones. */
  async list({ all, limit, size, filters, signal }: ContainerListOptions = {}): Promise<ContainerSummary[]> {
    const query = { all, limit, size, filters: formatFilters(filters) }
    return (await this.#transport.request('GET', '/containers/json', { query, signal })).json()
  }

  /** Describes a container. Throws `notFound`. */
  async inspect(id: string, { size }: { readonly size?: boolean } = {}): Promise<RawDocument<ContainerInspect>> {
    return rawDocument(
      await this.#transport.request('GET', `/containers/${encodeURIComponent(id)}/json`, { query: { size } }),
    )
  }

  /** Removes all containers that do not run. */
  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<ContainersPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/containers/prune', { query })).json()
  }
}
