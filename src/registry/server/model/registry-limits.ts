/** Limits for each client and for all clients together. */
export interface RegistryLimits {
  /** Size of a manifest. A larger one gets 413. */
  readonly manifestBytes: number
  /** Number of requests that write to uploads at the same time. Further ones get 429. */
  readonly concurrentUploads: number
  /** A connection that moves no byte of a body for this time is cut. An upload keeps the bytes that arrived. */
  readonly idleMs: number
  /** Size of a request's line and headers. Larger ones get 431. */
  readonly headerBytes: number
  /** How long a client may take to send the headers of a request. */
  readonly headersMs: number
  /** How long a connection without a request stays open. */
  readonly keepAliveMs: number
  /** Entries of a page of the catalog or of referrers, and of a page of tags if the client asks for pages. */
  readonly pageEntries: number
}

/** The limits of a registry whose options set none. */

export const defaultLimits: RegistryLimits = {
  manifestBytes: 4 * 1024 * 1024,
  concurrentUploads: 512,
  idleMs: 60_000,
  headerBytes: 32 * 1024,
  headersMs: 30_000,
  keepAliveMs: 75_000,
  pageEntries: 1000,
}
