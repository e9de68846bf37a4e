/** How the processes of RUN are kept, for a whole build. */
import type { OciRlimit } from '../../oci/index.ts'
import type { ResourceLimits } from '../../runtime/index.ts'

export interface RunOptions {
  readonly limits: ResourceLimits
  readonly shmSizeBytes?: number | undefined
  readonly rlimits: readonly OciRlimit[]
  /** `name:address`. */
  readonly extraHosts: readonly string[]
  /** For RUN without `--network`: `default`, `none`, `host`, or the name of a network. */
  readonly network: string
  readonly cgroupParent?: string | undefined
  /** `security.insecure`, `network.host`. */
  readonly allow: ReadonlySet<string>
  readonly hostname: string
}
