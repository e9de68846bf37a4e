/** What `/auth`, `/distribution` and `/images/search` ask of an engine: questions to registries. */
import type { AuthConfig, AuthResponse, DistributionInspect, Filters, SearchResult } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'

/** Options of a question to a registry. */
export interface RegistryOptions extends AbortOptions {
  /** Credentials for the registry; they are used for this call and not kept. */
  readonly auth?: AuthConfig | undefined
}

/** Options of a search. */
export interface SearchOptions extends RegistryOptions {
  /** How many results at most; 0: the registry's default. */
  readonly limit: number
  readonly filters: Filters
}

/** What the routes of registries call. */
export interface RegistryBackend {
  /** Checks credentials for the registry `serveraddress`; absent or empty: Docker Hub. Rejects with `unauthorized`. */
  login(auth: AuthConfig, abort: AbortOptions): Promise<AuthResponse>
  /** What a registry has under a reference. */
  inspect(reference: string, options: RegistryOptions): Promise<DistributionInspect>
  search(term: string, options: SearchOptions): Promise<readonly SearchResult[]>
}
