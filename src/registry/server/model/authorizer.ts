/** Who may do what: declared by the registry's core, decided by whoever is given as `authorizer`. */
import type { IncomingHttpHeaders } from 'node:http'

/** `*` stands for all there is to do with what is named. */
export type AccessAction = 'pull' | 'push' | 'delete' | '*'

/** Something a request wants to do, in the terms of Docker's token specification:
 *  `repository:team/app:pull,push`, or `registry:catalog:*`.
 *  https://distribution.github.io/distribution/spec/auth/scope/ */
export interface AccessScope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  readonly actions: readonly AccessAction[]
}

/** A request as far as rights are concerned. */
export interface AccessRequest {
  readonly method: string
  /** The path without query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly remoteAddress: string
  /** True when the connection is encrypted. */
  readonly isTls: boolean
  /** Common name of the client's certificate, when one was asked for and verified. */
  readonly clientCertificateName?: string | undefined
  /** All that is wanted; empty for `GET /v2/`, which asks whether the client is known at all. */
  readonly wanted: readonly AccessScope[]
}

export type AccessDecision =
  | {
      readonly kind: 'allow'
      /** Who it is, for the log. */
      readonly user?: string | undefined
      /** Which repositories the catalog and search show to this client. Absent: all. */
      readonly canSee?: ((repository: string) => boolean) | undefined
    }
  /** 401 UNAUTHORIZED: the client should (again) say who it is. */
  | {
      readonly kind: 'challenge'
      /** The value of `WWW-Authenticate`. */
      readonly challenge: string
      readonly message?: string | undefined
      readonly user?: string | undefined
    }
  /** 403 DENIED: known, but without the right. */
  | { readonly kind: 'deny'; readonly message?: string | undefined; readonly user?: string | undefined }

export interface Authorizer {
  /** Decides whether all that is `wanted` may be done. Rejecting answers 500. */
  authorize(request: AccessRequest): Promise<AccessDecision>
}

/** Lets everybody do everything. */
export const openAccess: Authorizer = {
  authorize: async () => ({ kind: 'allow' }),
}
