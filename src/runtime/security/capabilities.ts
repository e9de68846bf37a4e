/** Linux capabilities: Docker's default set, and how `--cap-add`, `--cap-drop` and `--privileged` change it.
 *  capabilities(7) */
import { invalidArgument } from '../../base/index.ts'

/** All capabilities, in the order of their numbers in the kernel. */
const allNames = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
  SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
  SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`)

/** The capabilities of a container without `--cap-add`, `--cap-drop` or `--privileged`. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

/** What one container asks for. Names are with or without `CAP_`, in any case, or `ALL`. */
export interface CapabilityRequest {
  readonly add: readonly string[]
  readonly drop: readonly string[]
  readonly privileged: boolean
  /** What this host can grant (see `capabilitiesOfMask`); the meaning of `ALL` and `privileged`. */
  readonly available: readonly string[]
}

/** The capabilities that a container gets, as `CAP_…` names. Throws `invalidArgument` for a name that does not exist,
 *  and for an added one that this host can't grant. */
export function resolveCapabilities(request: CapabilityRequest): readonly string[] {
  const { available } = request
  const add = request.add.map((name) => normalize(name, 'CapAdd', available))
  const drop = request.drop.map((name) => normalize(name, 'CapDrop', available))
  if (request.privileged) return available
  const defaults = defaultCapabilities.filter((name) => available.includes(name))
  if (add.length === 0 && drop.length === 0) return defaults
  if (add.includes('ALL')) return available.filter((name) => !drop.includes(name))
  const start = drop.includes('ALL') ? [] : defaults.filter((name) => !drop.includes(name))
  return [...new Set([...start, ...add])]
}

/** The capabilities in a hexadecimal mask of `/proc/self/status` (`CapBnd`), as `CAP_…` names. */
export function capabilitiesOfMask(hexMask: string): readonly string[] {
  const mask = BigInt(`0x${hexMask}`)
  return allNames.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n)
}

function normalize(name: string, option: string, available: readonly string[]): string {
  const upper = name.toUpperCase()
  if (upper === 'ALL') return upper
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (!allNames.includes(full)) throw invalidArgument(`invalid ${option}: unknown capability: "${full}"`)
  if (option === 'CapAdd' && !available.includes(full)) {
    throw invalidArgument(
      `invalid ${option}: capability not supported by your kernel or not available in the current environment: "${full}"`,
    )
  }
  return full
}
