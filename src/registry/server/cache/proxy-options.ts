import type { RegistryClientOptions } from '../../client/index.ts'

/** The options of a pull-through cache. */
export interface ProxyOptions {
  /** `https://HOST[:PORT]` or `http://HOST[:PORT]` of the cached registry. */
  readonly remote: string
  /** Credentials for the cached registry. Default: anonymous. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** How long contents stay after their last use. 0, the default: forever. */
  readonly ttlMs?: number | undefined
  /** Total size of the blobs that stay; the least recently used are evicted first. 0, the default: no limit. */
  readonly maxSizeBytes?: number | undefined
  /** The folder for unnamed files with blobs that are being downloaded. Default: /var/tmp, which is on a disk. */
  readonly spoolFolder?: string | undefined
  /** Proxies and certificates for the connections to the cached registry. */
  readonly client?: Pick<RegistryClientOptions, 'proxies' | 'certificateDirectories' | 'userAgent'> | undefined
}
