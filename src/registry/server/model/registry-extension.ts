/** Paths that are not the distribution protocol's: health, metrics, tokens, search. The registry's server reads the
 *  request and writes the answer, so that logging, limits and errors are the same for all. */
import type { AccessRequest } from './authorizer.ts'

/** A request for such a path. */
export interface ExtensionRequest extends Omit<AccessRequest, 'wanted'> {
  readonly query: URLSearchParams
  /** The whole body. Rejects with `invalidArgument` when it is longer. */
  readBody(maxBytes: number): Promise<Buffer>
}

export interface ExtensionAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent with its length; nothing for HEAD. */
  readonly body?: string | undefined
  /** Who it is, for the log. */
  readonly user?: string | undefined
}

/** Answers some paths. */
export interface RegistryExtension {
  /** The paths, without query: `/healthz`. */
  readonly paths: readonly string[]
  /** Answers a request for one of them, with whatever method. Errors are answered as the registry's own. */
  answer(request: ExtensionRequest): Promise<ExtensionAnswer>
}
