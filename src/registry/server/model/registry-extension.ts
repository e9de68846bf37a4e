/** Extensions answer paths outside the distribution protocol: health, metrics, tokens, search. The registry's server
 *  reads the request and writes the answer, so that logging, limits and errors are the same for all paths. */
import type { AccessRequest } from './authorizer.ts'

/** A request for an extension's path. */
export interface ExtensionRequest extends Omit<AccessRequest, 'wanted'> {
  readonly query: URLSearchParams
  /** Reads the whole body. Rejects with `invalidArgument` (413) if it is longer than `maxBytes`. */
  readBody(maxBytes: number): Promise<Buffer>
}

/** An extension's answer. */
export interface ExtensionAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent with its length. For HEAD only the length is sent. */
  readonly body?: string | undefined
  /** The user's name, for the log. */
  readonly user?: string | undefined
}

/** Answers requests for some paths. */
export interface RegistryExtension {
  /** The paths, without query, for example `/healthz`. */
  readonly paths: readonly string[]
  /** Answers a request for one of the paths, with any method. Errors are answered like the registry's own. */
  answer(request: ExtensionRequest): Promise<ExtensionAnswer>
}
