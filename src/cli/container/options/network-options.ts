/** `--network` and the flags that belong to it. */
import type { EndpointSettings } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { toPairs } from '../../flags/flag-values.ts'
import { splitCsv } from '../../format/csv.ts'

interface Attachment {
  target: string
  readonly aliases: string[]
  readonly driverOptions: string[]
  readonly linkLocalIps: string[]
  ip?: string
  ip6?: string
  mac?: string
  gatewayPriority?: number
}

/** The networks of a container, in the form of the API. */
export interface NetworkOptions {
  /** The first network, which is `HostConfig.NetworkMode`. */
  readonly mode: string
  readonly endpoints: Record<string, EndpointSettings>
}

/** Parses the flags. Throws `invalidArgument` with Docker's text. */
export function parseNetworks(flags: FlagValues): NetworkOptions {
  const wanted = [...flags.list('net'), ...flags.list('network')].map(parseAttachment)
  const [first = { target: 'default', aliases: [], driverOptions: [], linkLocalIps: [] }, ...others] = wanted
  mergeFlags(first, flags)
  const targets = [first, ...others].map(({ target }) => target)
  const twice = targets.find((target, index) => targets.indexOf(target) < index)
  if (twice !== undefined) throw invalidArgument(`network "${twice}" is specified multiple times`)
  if (targets.some(isUserDefined) && !targets.every(isUserDefined)) {
    throw invalidArgument('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  const endpoints: Record<string, EndpointSettings> = {}
  for (const attachment of [first, ...others]) {
    checkAttachment(attachment)
    const settings = endpointOf(attachment, flags, attachment === first)
    if (Object.keys(settings).length > 0 || others.length > 0) endpoints[attachment.target] = settings
  }
  return { mode: first.target, endpoints }
}

function isUserDefined(name: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:')
}

/** Checks a value of `--network`, and gives it unchanged. */
export function checkNetwork(text: string): string {
  parseAttachment(text)
  return text
}

/** Parses `NETWORK` or `name=NETWORK,alias=…`. */
function parseAttachment(text: string): Attachment {
  const attachment: Attachment = { target: text, aliases: [], driverOptions: [], linkLocalIps: [] }
  if (!/\w+=\w+/.test(text)) return attachment
  attachment.target = ''
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=')
    if (equals < 1) throw invalidArgument(`invalid field ${field}`)
    setField(attachment, field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim())
  }
  if (attachment.target === '') throw invalidArgument('network name/id is not specified')
  return attachment
}

function setField(attachment: Attachment, key: string, value: string): void {
  if (key === 'name') attachment.target = value
  else if (key === 'alias') attachment.aliases.push(value)
  else if (key === 'ip') attachment.ip = value
  else if (key === 'ip6') attachment.ip6 = value
  else if (key === 'mac-address') attachment.mac = value
  else if (key === 'link-local-ip') attachment.linkLocalIps.push(value)
  else if (key === 'driver-opt') attachment.driverOptions.push(checkPair(value))
  else if (key === 'gw-priority') attachment.gatewayPriority = parsePriority(value)
  else throw invalidArgument(`invalid field key ${key}`)
}

function checkPair(value: string): string {
  if (!/^[^=]+=./.test(value)) throw invalidArgument('invalid key value pair format in driver options')
  return value
}

function parsePriority(value: string): number {
  const fail = (why: string) => invalidArgument(`invalid gw-priority (${value}): ${why}`)
  if (!/^[+-]?\d+$/.test(value)) throw fail('invalid syntax')
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw fail('value out of range')
  return number
}

/** Adds the separate flags to the first network. Throws if that network sets the same option. */
function mergeFlags(first: Attachment, flags: FlagValues): void {
  const aliases = [...flags.list('network-alias'), ...flags.list('net-alias')]
  const linkLocal = flags.list('link-local-ip')
  const [ip, ip6, mac] = [flags.string('ip'), flags.string('ip6'), flags.string('mac-address')]
  const both: readonly (readonly [isConflict: boolean, flag: string, own: string])[] = [
    [aliases.length > 0 && first.aliases.length > 0, '--network-alias', 'alias'],
    [ip !== '' && first.ip !== undefined, '--ip', 'IPv4 address'],
    [ip6 !== '' && first.ip6 !== undefined, '--ip6', 'IPv6 address'],
    [mac !== '' && first.mac !== undefined, '--mac-address', 'MAC address'],
    [linkLocal.length > 0 && first.linkLocalIps.length > 0, '--link-local-ip', 'link-local IP addresses'],
  ]
  for (const [isConflict, flag, own] of both) {
    if (isConflict) throw invalidArgument(`conflicting options: cannot specify both ${flag} and per-network ${own}`)
  }
  first.aliases.push(...aliases)
  first.linkLocalIps.push(...linkLocal)
  if (ip !== '') first.ip = ip
  if (ip6 !== '') first.ip6 = ip6
  if (mac !== '') first.mac = mac
}

function checkAttachment({ target, aliases, mac }: Attachment): void {
  if (target.trim() === '') throw invalidArgument('no name set for network')
  if (!isUserDefined(target) && aliases.length > 0) {
    throw invalidArgument('network-scoped aliases are only supported for user-defined networks')
  }
  // The forms that Go's ParseMAC accepts.
  if (mac !== undefined && !/^(([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4})$/i.test(mac)) {
    throw invalidArgument(`${mac} is not a valid mac address`)
  }
}

function endpointOf(attachment: Attachment, flags: FlagValues, isFirst: boolean): EndpointSettings {
  const { aliases, linkLocalIps, driverOptions, ip, ip6, mac, gatewayPriority, target } = attachment
  const links = isFirst && isUserDefined(target) ? flags.list('link') : []
  const hasAddress = ip !== undefined || ip6 !== undefined || linkLocalIps.length > 0
  return {
    ...(hasAddress
      ? {
          IPAMConfig: {
            ...(ip === undefined ? {} : { IPv4Address: ip }),
            ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
            ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
          },
        }
      : {}),
    ...(aliases.length === 0 ? {} : { Aliases: aliases }),
    ...(links.length === 0 ? {} : { Links: links }),
    ...(mac === undefined ? {} : { MacAddress: mac }),
    ...(driverOptions.length === 0 ? {} : { DriverOpts: toPairs(driverOptions) }),
    ...(gatewayPriority === undefined ? {} : { GwPriority: gatewayPriority }),
  }
}
