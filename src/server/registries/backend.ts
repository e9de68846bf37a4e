import type { AuthConfig, AuthResponse, DistributionInspect, SearchResult } from '../../api/index.ts'
import type { AbortOptions } from '../../base/index.ts'
import type { Filters } from '../containers/index.ts'

export interface RegistryOptions extends AbortOptions {
  readonly auth?: AuthConfig | undefined
}

export interface SearchOptions extends RegistryOptions {
  /** 0: as many as usual. */
  readonly limit: number
  readonly filters: Filters
}

/** What `/auth`, `/distribution` and `/images/search` call: questions to registries. */
export interface RegistryBackend {
  /** Checks credentials for `serveraddress`, Docker Hub without one. */
  login(auth: AuthConfig, abort: AbortOptions): Promise<AuthResponse>
  /** What a registry has under a reference. */
  inspect(reference: string, options: RegistryOptions): Promise<DistributionInspect>
  search(term: string, options: SearchOptions): Promise<readonly SearchResult[]>
}
