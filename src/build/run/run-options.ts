/** Options of the RUN processes of one build. */
import type { BuildRequest } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { OciRlimit } from '../../oci/index.ts'
import { checkCgroupParent, type ResourceLimits } from '../../runtime/index.ts'

const defaultHostname = 'berth-build'

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

/** The options for all RUN processes of a build. */
export function runOptionsOf(request: BuildRequest): RunOptions {
  checkCgroupParent({}, request.cgroupParent)
  const limits = {
    memoryBytes: request.memoryBytes,
    memorySwapBytes: request.memorySwapBytes,
    cpuShares: request.cpuShares,
    cpuPeriod: request.cpuPeriod,
    cpuQuota: request.cpuQuota,
    cpusetCpus: request.cpusetCpus,
    cpusetMems: request.cpusetMems,
  }
  const given = Object.entries(limits).filter(([, value]) => value !== undefined && value !== 0 && value !== '')
  return {
    limits: Object.fromEntries(given) as ResourceLimits,
    shmSizeBytes: request.shmSizeBytes || undefined,
    rlimits: (request.ulimits ?? []).map(({ Name, Soft, Hard }) => ({
      type: `RLIMIT_${(Name ?? '').toUpperCase()}`,
      soft: unlimited(Soft ?? 0),
      hard: unlimited(Hard ?? 0),
    })),
    extraHosts: request.addHosts.map(checkedHost),
    network: request.network === undefined || request.network === '' ? 'default' : request.network,
    cgroupParent: request.cgroupParent || undefined,
    allow: new Set(request.allow),
    hostname: request.buildArgs.BUILDKIT_SANDBOX_HOSTNAME || request.hostname || defaultHostname,
  }
}

function checkedHost(text: string): string {
  if (/^[^:=]+[:=].+$/.test(text)) return text
  throw invalidArgument(`bad format for add-host: "${text}"`)
}

/** JSON numbers can't represent RLIM_INFINITY exactly. */
function unlimited(value: number): number {
  return value === -1 ? Number.MAX_SAFE_INTEGER : value
}
