/** Options of the RUN processes of one build. */
import type { OciRlimit } from '../../oci/index.ts'
import type { ResourceLimits } from '../../runtime/index.ts'

/** What a build request says about its RUN processes. */
export interface RunOptions {
  readonly limits: ResourceLimits
  readonly shmSizeBytes?: number | undefined
  readonly rlimits: readonly OciRlimit[]
  /** Entries for /etc/hosts: `name:address`. */
  readonly extraHosts: readonly string[]
  /** The network of a RUN without `--network`: `default`, `none`, `host`, or the name of a network. */
  readonly network: string
  readonly cgroupParent?: string | undefined
  /** Entitlements of the build: `security.insecure`, `network.host`. */
  readonly allow: ReadonlySet<string>
  readonly hostname: string
}
