/** What the registry tells about its work, for an access log and for metrics. Observers must not throw. */

/** What a request is about. `other` is what no route knows. */
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

/** A request that was answered, or whose client went away. */
export interface RequestRecord {
  readonly method: string
  readonly route: RouteName
  /** Without the query, which may hold secrets. */
  readonly path: string
  readonly repository?: string | undefined
  /** 499 when the client left before an answer began. */
  readonly status: number
  /** The first code of the error body, such as `BLOB_UNKNOWN`. */
  readonly errorCode?: string | undefined
  readonly startedAt: Date
  readonly durationMs: number
  /** Bytes of the body that came in and of the body that went out. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly user?: string | undefined
  readonly remoteAddress: string
  readonly userAgent: string
  readonly httpVersion: string
}

/** What a garbage collection did; with `isDryRun`, what it would do. */
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

export interface RegistryObserver {
  /** A request's head was read. */
  requestStarted?(): void
  /** Called once for each `requestStarted`. */
  requestFinished?(record: RequestRecord): void
  /** How many requests put bytes into uploads right now. */
  uploadsChanged?(active: number): void
  /** A tag or manifest was put (`push`), fetched (`pull`, not HEAD) or deleted. */
  manifestUsed?(use: ManifestUse): void
  garbageCollected?(report: GarbageReport): void
}

export interface ManifestUse {
  readonly action: 'push' | 'pull' | 'delete'
  readonly repository: string
  readonly digest: string
  readonly tag?: string | undefined
}
