/** The interface for access decisions. The registry asks the `authorizer` of its options about each request. */
import type { IncomingHttpHeaders } from 'node:http'

/** `*` means every action on the named thing. */
export type AccessAction = 'pull' | 'push' | 'delete' | '*'

/** Something a request wants to do, in the terms of Docker's token specification:
 *  `repository:team/app:pull,push`, or `registry:catalog:*`.
 *  https://distribution.github.io/distribution/spec/auth/scope/ */
export interface AccessScope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  readonly actions: readonly AccessAction[]
}

/** The parts of a request that matter for access decisions. */
export interface AccessRequest {
  readonly method: string
  /** The path without query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly remoteAddress: string
  /** True when the connection is encrypted. */
  readonly isTls: boolean
  /** Common name of the client's certificate, if the server requested one and verified it. */
  readonly clientCertificateName?: string | undefined
  /** Everything that the request wants to do. Empty for `GET /v2/`, which only checks the credentials. */
  readonly wanted: readonly AccessScope[]
}

/** The answer of an authorizer. */
export type AccessDecision =
  | {
      readonly kind: 'allow'
      /** The user's name, for the log. */
      readonly user?: string | undefined
      /** Tells whether the catalog and search show a repository to this client. Default: all are shown. */
      readonly canSee?: ((repository: string) => boolean) | undefined
    }
  /** 401 UNAUTHORIZED: the client should send credentials, or others. */
  | {
      readonly kind: 'challenge'
      /** The value of `WWW-Authenticate`. */
      readonly challenge: string
      readonly message?: string | undefined
      readonly user?: string | undefined
    }
  /** 403 DENIED: the user is known but lacks the right. */
  | { readonly kind: 'deny'; readonly message?: string | undefined; readonly user?: string | undefined }

/** Decides on requests. */
export interface Authorizer {
  /** Decides whether the client may do everything in `wanted`. If this rejects, the client gets the error's status,
   *  500 for unknown errors. */
  authorize(request: AccessRequest): Promise<AccessDecision>
}

/** Allows everything to everybody. */
export const openAccess: Authorizer = {
  authorize: async () => ({ kind: 'allow' }),
}
