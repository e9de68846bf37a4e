/** `--network` and what belongs to it. */
import type { EndpointSettings } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { toPairs } from '../flags/flag-values.ts'

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

export interface NetworkOptions {
  /** The first network: `HostConfig.NetworkMode`. */
  readonly mode: string
  readonly endpoints: Record<string, EndpointSettings>
}

/** Throws `invalidArgument` with Docker's text. */
export function parseNetworks(flags: FlagValues): NetworkOptions {
  const wanted = [...flags.list('net'), ...flags.list('network')].map(parseAttachment)
  const [first = { target: 'default', aliases: [], driverOptions: [], linkLocalIps: [] }, ...others] = wanted
  mergeFlags(first, flags)
  if (others.some(({ target }) => !isUserDefined(target)) || (others.length > 0 && !isUserDefined(first.target))) {
    throw invalidArgument('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  const endpoints: Record<string, EndpointSettings> = {}
  for (const attachment of [first, ...others]) {
    if (endpoints[attachment.target] !== undefined) {
      throw invalidArgument(`network "${attachment.target}" is specified multiple times`)
    }
    const settings = endpointOf(attachment, flags)
    if (Object.keys(settings).length > 0 || attachment !== first) endpoints[attachment.target] = settings
  }
  return { mode: first.target, endpoints }
}

function isUserDefined(name: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:')
}

function parseAttachment(text: string): Attachment {
  const attachment: Attachment = { target: text, aliases: [], driverOptions: [], linkLocalIps: [] }
  if (!text.includes('=')) return attachment
  attachment.target = ''
  for (const field of text.split(',')) {
    const equals = field.indexOf('=')
    if (equals === -1) throw invalidArgument(`invalid field ${field}`)
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
  else if (key === 'driver-opt') attachment.driverOptions.push(value)
  else if (key === 'gw-priority') attachment.gatewayPriority = Number(value)
  else throw invalidArgument(`invalid field key ${key}`)
}

/** Flags of their own count for the first network. */
function mergeFlags(first: Attachment, flags: FlagValues): void {
  first.aliases.push(...flags.list('network-alias'), ...flags.list('net-alias'))
  first.linkLocalIps.push(...flags.list('link-local-ip'))
  if (flags.string('ip') !== '') first.ip = flags.string('ip')
  if (flags.string('ip6') !== '') first.ip6 = flags.string('ip6')
  const mac = flags.string('mac-address')
  if (mac !== '' && !/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(mac))
    throw invalidArgument(`${mac} is not a valid mac address`)
  if (mac !== '') first.mac = mac
}

function endpointOf(attachment: Attachment, flags: FlagValues): EndpointSettings {
  const { aliases, linkLocalIps, driverOptions, ip, ip6, mac, gatewayPriority, target } = attachment
  const links = isUserDefined(target) ? flags.list('link') : []
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
