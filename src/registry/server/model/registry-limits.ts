/** What one client, or all together, may ask of the registry. */
export interface RegistryLimits {
  /** Bytes of a manifest. Above: 413. */
  readonly manifestBytes: number
  /** Requests that put bytes into uploads at the same time. Above: 429. */
  readonly concurrentUploads: number
  /** A connection in the middle of a body that moves no byte for so long is cut. What arrived of an upload stays. */
  readonly idleMs: number
  /** Bytes of a request's line and headers. Above: 431. */
  readonly headerBytes: number
  /** How long the headers of a request may take. */
  readonly headersMs: number
  /** Connections without a request are closed after this. */
  readonly keepAliveMs: number
  /** Entries of a page of the catalog, and of tags when a client asks for more than there should be at once. */
  readonly pageEntries: number
}

export const defaultLimits: RegistryLimits = {
  manifestBytes: 4 * 1024 * 1024,
  concurrentUploads: 512,
  idleMs: 60_000,
  headerBytes: 32 * 1024,
  headersMs: 30_000,
  keepAliveMs: 75_000,
  pageEntries: 1000,
}
