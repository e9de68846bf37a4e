/** Calls that build images, and that look after what builds left in the cache. */
import { type BuildCachePruneResponse, buildUpgrade, type Filters } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { BuildSession } from './build-session.ts'
import { type Filters, formatFilters } from './transport/filters.ts'
import type { Transport } from './transport/transport.ts'

export interface BuildSessionOptions extends AbortOptions {
  /** `X-Registry-Config`: credentials of all registries. */
  readonly registryConfig?: string | undefined
}

export interface BuildCachePruneOptions extends AbortOptions {
  readonly all?: boolean
  readonly filters?: Filters | undefined
  /** Bytes that may stay whatever else is said. */
  readonly reservedSpaceBytes?: number | undefined
  readonly maxUsedSpaceBytes?: number | undefined
  readonly minFreeSpaceBytes?: number | undefined
}

export class BuildsClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Opens a build session; nothing is built until its request was sent. */
  async open({ registryConfig, signal }: BuildSessionOptions = {}): Promise<BuildSession> {
    const headers: Readonly<Record<string, string>> =
      registryConfig === undefined ? {} : { 'x-registry-config': registryConfig }
    const options = { headers, signal, upgrade: buildUpgrade }
    return new BuildSession(await this.#transport.hijack('POST', '/build/session', options))
  }

  /** Removes what the filters say of the build cache. */
  async pruneCache({
    all,
    filters,
    reservedSpaceBytes,
    maxUsedSpaceBytes,
    minFreeSpaceBytes,
    signal,
  }: BuildCachePruneOptions): Promise<BuildCachePruneResponse> {
    const query = {
      all,
      filters: formatFilters(filters),
      // The older name is what daemons before API 1.48 know.
      'keep-storage': reservedSpaceBytes,
      'reserved-space': reservedSpaceBytes,
      'max-used-space': maxUsedSpaceBytes,
      'min-free-space': minFreeSpaceBytes,
    }
    return (await this.#transport.request('POST', '/build/prune', { query, signal })).json()
  }
}
