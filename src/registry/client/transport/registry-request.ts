import type { AbortOptions } from '../../../base/index.ts'
import type { RequestBody } from './http-transport.ts'

/** A request to a registry, without URL and credentials. */
export interface RegistryRequest extends AbortOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly idleTimeoutMs?: number
  /** Scopes that the token needs besides the repository's own actions, such as `repository:OTHER:pull` for a mount. */
  readonly scopes?: readonly string[]
}
