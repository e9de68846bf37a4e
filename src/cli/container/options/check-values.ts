/** Checks of single flag values. The messages are Docker's. */
import { invalidArgument } from '../../../base/index.ts'
import { net } from '../../terminal/builtins.ts'

/** Checks a stream's name, and gives it in lower case. */
export function checkAttach(value: string): string {
  const stream = value.toLowerCase()
  if (stream === 'stdin' || stream === 'stdout' || stream === 'stderr') return stream
  throw invalidArgument('valid streams are STDIN, STDOUT and STDERR')
}

/** Checks `HOST:IP` or `HOST=IP`, and gives it with a colon. */
export function checkAddHost(value: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(value)
  const [, host = '', rawAddress = ''] = match ?? []
  if (match === null) throw invalidArgument(`bad format for add-host: "${value}"`)
  const address = rawAddress.replace(/^\[(.*)\]$/, '$1')
  // The daemon replaces this word by the address of its own host.
  if (address !== 'host-gateway' && net().isIP(address) === 0) {
    throw invalidArgument(`invalid IP address in add-host: "${address}"`)
  }
  return `${host}:${address}`
}

/** Checks an IP address. */
export function checkAddress(value: string): string {
  if (net().isIP(value.trim()) === 0) throw invalidArgument(`IP address is not correctly formatted: ${value}`)
  return value.trim()
}

/** Checks `CONTAINER[:ALIAS]`. */
export function checkLink(value: string): string {
  if (value === '') throw invalidArgument('empty string specified for links')
  if (value.split(':').length > 2) throw invalidArgument(`bad format for links: ${value}`)
  return value
}

/** Checks a device, `HOST[:CONTAINER][:MODE]`. */
export function checkDevice(value: string): string {
  const parts = value.split(':')
  if (value === '' || parts.length > 3) throw invalidArgument(`bad format for path: ${value}`)
  const mode = parts[2]
  if (mode !== undefined && !/^[rwm]+$/.test(mode)) throw invalidArgument(`bad mode specified: ${mode}`)
  return value
}

/** Checks `NAME[=VALUE]`, whose name must not be empty. */
export function checkEnv(value: string): string {
  if (value === '' || value.startsWith('=')) throw invalidArgument(`invalid environment variable: ${value}`)
  return value
}

const ulimitNames = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
])

/** Checks a rule of the device cgroup. */
export function checkDeviceRule(value: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value)) return value
  throw invalidArgument(`invalid device cgroup format '${value}'`)
}

/** Checks `NAME=SOFT[:HARD]`. */
export function checkUlimit(value: string): string {
  const match = /^([^=]+)=([^:=]*)(?::([^:=]*))?$/.exec(value)
  if (match === null) throw invalidArgument(`invalid ulimit argument: ${value}`)
  const [, name = '', soft = '', hard] = match
  if (!ulimitNames.has(name)) throw invalidArgument(`invalid ulimit type: ${name}`)
  for (const limit of [soft, hard]) {
    if (limit !== undefined && !/^-?\d+$/.test(limit)) {
      throw invalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`)
    }
  }
  if (hard !== undefined && hard !== '-1' && (soft === '-1' || Number(soft) > Number(hard))) {
    throw invalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
  return value
}

const sysctls = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel.${name}`,
  ),
)

/** Checks a kernel parameter, which must belong to a namespace. */
export function checkSysctl(value: string): string {
  const [name = '', setting] = value.split('=', 2)
  if (setting !== undefined && (sysctls.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.')))
    return value
  throw invalidArgument(`sysctl '${value}' is not allowed`)
}

/** Checks `NAME=VALUE` or `NAME`. */
export function checkLabel(value: string): string {
  if (value === '' || value.startsWith('=')) throw invalidArgument(`invalid label '${value}': empty name`)
  return value
}
