/** Calls that build images and prune the build cache. */
import { type BuildCachePruneResponse, buildUpgrade, type Filters } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { BuildSession } from './build-session.ts'
import { formatFilters } from './transport/filters.ts'
import type { Transport } from './transport/transport.ts'

/** What accompanies the opening of a build session. */
export interface BuildSessionOptions extends AbortOptions {
  /** The value of `X-Registry-Config`: the credentials of all registries. */
  readonly registryConfig?: string | undefined
}

/** What to prune of the build cache. */
export interface BuildCachePruneOptions extends AbortOptions {
  readonly all?: boolean
  readonly filters?: Filters | undefined
  /** This many bytes are kept, whatever the other limits say. */
  readonly reservedSpaceBytes?: number | undefined
  readonly maxUsedSpaceBytes?: number | undefined
  readonly minFreeSpaceBytes?: number | undefined
}

/** Builds and the build cache. */
export class BuildsClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Opens a build session. The build starts when the session sends its request. */
  async open({ registryConfig, signal }: BuildSessionOptions = {}): Promise<BuildSession> {
    const headers: Readonly<Record<string, string>> =
      registryConfig === undefined ? {} : { 'x-registry-config': registryConfig }
    const options = { headers, signal, upgrade: buildUpgrade }
    return new BuildSession(await this.#transport.hijack('POST', '/build/session', options))
  }

  /** Removes entries of the build cache; resolves with what was removed. */
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
      // Daemons before API 1.48 know the older name only.
      'keep-storage': reservedSpaceBytes,
      'reserved-space': reservedSpaceBytes,
      'max-used-space': maxUsedSpaceBytes,
      'min-free-space': minFreeSpaceBytes,
    }
    return (await this.#transport.request('POST', '/build/prune', { query, signal })).json()
  }
}
