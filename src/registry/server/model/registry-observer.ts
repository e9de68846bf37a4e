/** The interface for an access log and for metrics. Observers must not throw. */

/** The kind of a request, by its path. `other` matches no route. */
export type RouteName =
  | 'base'
  | 'catalog'
  | 'tags'
  | 'manifest'
  | 'blob'
  | 'upload-start'
  | 'upload'
  | 'referrers'
  | 'extension'
  | 'other'

/** A request that was answered, or whose client left before that. */
export interface RequestRecord {
  readonly method: string
  readonly route: RouteName
  /** Without the query, which may contain secrets. */
  readonly path: string
  readonly repository?: string | undefined
  /** 499 if the client left before the answer began. */
  readonly status: number
  /** The first code of the error body, such as `BLOB_UNKNOWN`. */
  readonly errorCode?: string | undefined
  readonly startedAt: Date
  readonly durationMs: number
  /** Sizes of the request's and the answer's body, as far as they were transferred. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly user?: string | undefined
  readonly remoteAddress: string
  readonly userAgent: string
  readonly httpVersion: string
}

/** The result of a garbage collection. With `isDryRun`, what it would have done. */
export interface GarbageReport {
  readonly isDryRun: boolean
  readonly manifestsRead: number
  readonly blobsKept: number
  readonly blobsDeleted: number
  readonly bytesFreed: number
  readonly linksDeleted: number
  readonly uploadsAborted: number
  readonly durationMs: number
}

/** Receives reports on the registry's work. All methods are optional. */
export interface RegistryObserver {
  /** The headers of a request were read. */
  requestStarted?(): void
  /** Called once for each `requestStarted`. */
  requestFinished?(record: RequestRecord): void
  /** The number of requests that write to uploads has changed to `active`. */
  uploadsChanged?(active: number): void
  /** A tag or manifest was pushed, pulled (not with HEAD) or deleted. */
  manifestUsed?(use: ManifestUse): void
  /** A garbage collection has ended. */
  garbageCollected?(report: GarbageReport): void
}

/** A push, pull or deletion of a manifest or tag. */
export interface ManifestUse {
  readonly action: 'push' | 'pull' | 'delete'
  readonly repository: string
  /** '' if a deleted tag had no digest. */
  readonly digest: string
  /** Undefined if the client named the digest. */
  readonly tag?: string | undefined
}
