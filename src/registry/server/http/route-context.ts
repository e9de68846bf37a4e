/** The parts of the registry that all routes use. */
import type { Logger } from '../../../base/index.ts'
import type { BlobLibrary } from '../library/blob-library.ts'
import type { ManifestLibrary } from '../library/manifest-library.ts'
import type { PullSource } from '../library/pull-source.ts'
import type { Referrers } from '../library/referrers.ts'
import type { AccessDecision, AccessScope, Authorizer } from '../model/authorizer.ts'
import type { RegistryLimits } from '../model/registry-limits.ts'
import type { RegistryObserver } from '../model/registry-observer.ts'
import type { UploadStorage } from '../storage/registry-storage.ts'
import type { RequestHead } from './request-head.ts'

export interface RouteContext {
  readonly blobs: BlobLibrary
  readonly manifests: ManifestLibrary
  readonly referrers: Referrers
  readonly uploads: UploadStorage
  readonly source: PullSource
  readonly authorizer: Authorizer
  readonly observer: RegistryObserver
  readonly logger: Logger
  readonly limits: RegistryLimits
  readonly uploadGate: { enter(): () => void }
  /** Forms the `Location` header for a path. */
  locationOf(request: RequestHead, path: string): string
}

/** Asks the authorizer whether a request may do everything in `wanted`. Answers nothing to the client. */
export async function decide(
  { authorizer }: Pick<RouteContext, 'authorizer'>,
  request: RequestHead,
  wanted: readonly AccessScope[],
): Promise<AccessDecision> {
  return await authorizer.authorize({
    method: request.method,
    path: request.path,
    headers: request.headers,
    remoteAddress: request.remoteAddress,
    isTls: request.isTls,
    clientCertificateName: request.clientCertificateName,
    wanted,
  })
}
