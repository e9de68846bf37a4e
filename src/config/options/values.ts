/** Parsers of single values. Each throws `invalidArgument` with the value in its message. */
import { isIPv4 } from 'node:net'
import { invalidArgument } from '../../base/index.ts'

/** An address to listen on: one `-H`. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Sockets that the service manager opened: the one with this descriptor, or (undefined) all of them. */
  | { readonly kind: 'inherited'; readonly descriptor: number | undefined }

/** The default limit of one resource of processes in containers. */
export interface UlimitDefault {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

/** Parses `unix:///path`, `tcp://host:port`, and for sockets of the service manager `fd://`, `fd://*` or `fd://3`.
 *  A bare `host:port` is tcp, a bare `/path` is unix. */
export function parseHost(text: string): ListenAddress {
  const [, scheme = text.startsWith('/') ? 'unix' : 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text) ?? []
  if (scheme === 'unix') {
    const path = rest === '' ? '/run/berth.sock' : rest
    if (!path.startsWith('/'))
      throw invalidArgument(`invalid bind address (${text}): a unix socket needs an absolute path`)
    if (Buffer.byteLength(path) > 107)
      throw invalidArgument(`invalid bind address (${text}): path is longer than 107 bytes`)
    return { kind: 'unix', path }
  }
  if (scheme === 'fd') {
    if (!/^(?:\*|[3-9]|[1-9]\d{1,3})?$/.test(rest))
      throw invalidArgument(`invalid bind address (${text}): no descriptor`)
    return { kind: 'inherited', descriptor: rest === '' || rest === '*' ? undefined : Number(rest) }
  }
  if (scheme !== 'tcp') throw invalidArgument(`invalid bind address (${text}): unsupported proto ${scheme}`)
  const url = URL.parse(`http://${rest}`)
  if (url === null || url.pathname !== '/' || url.hostname === '')
    throw invalidArgument(`invalid bind address (${text})`)
  const portText = /:(\d+)$/.exec(rest)?.[1]
  return {
    kind: 'tcp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: portText === undefined ? 2375 : Number(portText),
  }
}

/** Checks an IPv4 address with a prefix length, and gives it back unchanged. */
export function parseCidr(text: string, key: string): string {
  const [address = '', prefix = ''] = text.split('/')
  if (!isIPv4(address) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 30 || Number(prefix) < 8) {
    throw invalidArgument(`${key}: invalid CIDR address: ${text}`)
  }
  return text
}

const byteUnits = 'bkmgtp'

/** Parses a size as Docker writes it: `64m`, `1.5g`, `512`, `64MiB`, in binary units. Gives bytes. */
export function parseBytes(text: string, key: string): number {
  const bytes = sizeInBytes(text)
  if (bytes === undefined) throw invalidArgument(`${key}: invalid size: '${text}'`)
  return bytes
}

/** Like `parseBytes`, but gives undefined for a text that is not a size. */
export function sizeInBytes(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s?([bkmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  if (count === undefined) return undefined
  return Math.floor(Number(count) * 1024 ** Math.max(byteUnits.indexOf(unit.toLowerCase()), 0))
}

/** Parses `NAME=SOFT[:HARD]` from a flag, or an object of `default-ulimits` in daemon.json. */
export function parseUlimit(name: string | undefined, value: unknown): UlimitDefault {
  if (typeof value === 'string') {
    const [, itemName, soft, hard] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? []
    if (itemName === undefined) throw invalidArgument(`invalid ulimit argument: ${value}`)
    return checkUlimit({ name: itemName, soft: Number(soft), hard: Number(hard ?? soft) })
  }
  const { Name = name, Soft, Hard = Soft } = (value ?? {}) as { Name?: string; Soft?: number; Hard?: number }
  if (Name === undefined || typeof Soft !== 'number' || typeof Hard !== 'number') {
    throw invalidArgument(`default-ulimits: "${name}" needs Name, Soft and Hard`)
  }
  return checkUlimit({ name: Name, soft: Soft, hard: Hard })
}

const ulimitNames =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

function checkUlimit(limit: UlimitDefault): UlimitDefault {
  if (!ulimitNames.includes(limit.name)) throw invalidArgument(`invalid ulimit type: ${limit.name}`)
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw invalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${limit.soft} > ${limit.hard}`)
  }
  return limit
}
