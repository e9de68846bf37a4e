import type { AbortOptions } from '../../../base/index.ts'
import type { RequestBody } from './http-transport.ts'

/** What a caller may say of a request to a registry. */
export interface RegistryRequest extends AbortOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly idleTimeoutMs?: number
  /** What a token must allow beside the repository's own actions, as `repository:OTHER:pull` for a mount. */
  readonly scopes?: readonly string[]
}
