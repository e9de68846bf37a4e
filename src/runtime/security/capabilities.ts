/** Linux capabilities: Docker's default set, and what `--cap-add`, `--cap-drop` and `--privileged` make of it.
 *  capabilities(7) */
import { invalidArgument } from '../../base/index.ts'

/** All capabilities by their number in the kernel. */
const allNames = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
  SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
  SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`)

/** What a container has when nobody asks for more or less. */
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

/** The wishes of one container. Names with or without `CAP_`, in any case, or `ALL`. */
export interface CapabilityRequest {
  readonly add: readonly string[]
  readonly drop: readonly string[]
  readonly privileged: boolean
  /** What this host can give (see `capabilitiesOfMask`): `ALL` and `privileged` mean these. */
  readonly available: readonly string[]
}

/** The capabilities that a container gets. Throws `invalidArgument` for a name that does not exist or that
 *  this host cannot give. */
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

/** The names in a hexadecimal mask as `/proc/self/status` has it (`CapBnd`). */
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
