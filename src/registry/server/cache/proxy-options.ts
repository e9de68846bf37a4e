import type { RegistryClientOptions } from '../../client/index.ts'

/** What a pull-through cache stands in front of, and how much it keeps. */
export interface ProxyOptions {
  /** `https://HOST[:PORT]` or `http://HOST[:PORT]` of the other registry. */
  readonly remote: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** How long something is kept after it was last asked for; 0: for ever. */
  readonly ttlMs?: number | undefined
  /** How many bytes of blobs are kept; what was not asked for longest goes first. 0: no limit. */
  readonly maxSizeBytes?: number | undefined
  /** Where blobs stand while they arrive, as files without a name. Default: /var/tmp, which is a disk. */
  readonly spoolFolder?: string | undefined
  /** Proxies and certificates on the way there. */
  readonly client?: Pick<RegistryClientOptions, 'proxies' | 'certificateDirectories' | 'userAgent'> | undefined
}
