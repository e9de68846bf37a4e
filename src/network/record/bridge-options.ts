/** Options of the bridge driver, by Docker's names. Pure.
 *  https://docs.docker.com/engine/network/drivers/bridge/#options */
import { isIPv4 } from 'node:net'
import { invalidArgument } from '../../base/index.ts'
import { isAddress } from './ip.ts'

/** How the outside reaches the containers of a bridge: by published ports on the host's addresses (`nat`), by these and
 *  on any port of their own addresses (`nat-unprotected`), on the published ports of their own addresses (`routed`), or
 *  not at all, the host included (`isolated`). */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'

/** What a bridge is like. */
export interface BridgeSettings {
  readonly device: string
  /** '' when the device is the user's own. */
  readonly mac: string
  readonly mtu: number
  /** Containers of the bridge reach each other. */
  readonly icc: boolean
  readonly masquerade: boolean
  readonly gatewayMode4: GatewayMode
  readonly gatewayMode6: GatewayMode
  /** Host address of published ports that name none; '' for the daemon's. */
  readonly hostBinding: string
  /** Address of the host that containers show outside; '' for the one of the route. */
  readonly sourceAddress4: string
  readonly sourceAddress6: string
  /** Start of the names of the devices inside. */
  readonly interfacePrefix: string
  /** Don't touch the bridge's IPv4 address. */
  readonly inhibitIpv4: boolean
  /** Devices of the host through which published ports may be reached at containers' own addresses, in mode `nat` too;
   *  `*` is any. Absent in records of earlier versions. */
  readonly trustedInterfaces?: readonly string[]
  /** Somebody else made the device, and keeps it. */
  readonly foreign: boolean
  /** With prefix, the addresses that such a device got from us, and loses with the network. Absent in records of earlier
   *  versions: all gateways. */
  readonly addedAddresses?: readonly string[]
}

export const bridgeOption = {
  name: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  gatewayMode4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
  inhibitIpv4: 'com.docker.network.bridge.inhibit_ipv4',
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  trustedInterfaces: 'com.docker.network.bridge.trusted_host_interfaces',
  mtu: 'com.docker.network.driver.mtu',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
  sourceAddress4: 'com.docker.network.host_ipv4',
  sourceAddress6: 'com.docker.network.host_ipv6',
} as const

const gatewayModes: readonly string[] = ['nat', 'nat-unprotected', 'routed', 'isolated']
const maxMtu = 65535

/** Reads the options of a network. `defaults` are the daemon's; unknown names are the user's own and mean nothing.
 *  Throws `invalidArgument` for a value that can't be. */
export function parseBridgeOptions(
  options: Readonly<Record<string, string>>,
  defaults: {
    readonly device: string
    readonly mac: string
    readonly mtu: number
    /** Every interface is trusted. */
    readonly directRouting?: boolean
  },
  internal: boolean,
): BridgeSettings {
  const settings = {
    device: deviceName(options[bridgeOption.name] || defaults.device),
    mac: defaults.mac,
    mtu: parseMtu(options[bridgeOption.mtu]) ?? defaults.mtu,
    icc: parseFlag(options, bridgeOption.icc, true),
    masquerade: parseFlag(options, bridgeOption.masquerade, true),
    gatewayMode4: gatewayMode(options, bridgeOption.gatewayMode4, internal),
    gatewayMode6: gatewayMode(options, bridgeOption.gatewayMode6, internal),
    hostBinding: hostBinding(options[bridgeOption.hostBinding]),
    sourceAddress4: sourceAddress(options, bridgeOption.sourceAddress4),
    sourceAddress6: sourceAddress(options, bridgeOption.sourceAddress6),
    interfacePrefix: interfacePrefix(options[bridgeOption.interfacePrefix]),
    inhibitIpv4: parseFlag(options, bridgeOption.inhibitIpv4, false),
    trustedInterfaces: trustedInterfaces(options[bridgeOption.trustedInterfaces], defaults.directRouting === true),
    foreign: false,
  }
  parseFlag(options, bridgeOption.defaultBridge, false)
  return settings
}

/** Names between colons, as Docker takes them. */
export function trustedInterfaces(text: string | undefined, all: boolean): readonly string[] {
  const named = (text ?? '').split(':').filter((name) => name !== '')
  return all ? ['*'] : named.map(deviceName)
}

function parseFlag(options: Readonly<Record<string, string>>, name: string, fallback: boolean): boolean {
  const text = options[name]
  if (text === undefined || text === '') return fallback
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  const reason = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`
  throw invalidArgument(`failed to parse ${name} value: ${text} (${reason})`)
}

/** An MTU, or undefined when none is given. */
export function parseMtu(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    throw invalidArgument(`failed to parse ${bridgeOption.mtu} value: ${text} (${reason})`)
  }
  const mtu = Number(text)
  // Below 68 there is no IPv4 (RFC 791).
  if (mtu !== 0 && (mtu < 68 || mtu > maxMtu)) throw invalidArgument(`invalid MTU number: ${mtu}`)
  return mtu === 0 ? undefined : mtu
}

function gatewayMode(options: Readonly<Record<string, string>>, name: string, internal: boolean): GatewayMode {
  const text = options[name] || 'nat'
  if (!gatewayModes.includes(text)) throw invalidArgument(`unknown gateway mode ${text}`)
  if (text === 'isolated' && !internal) {
    throw invalidArgument("gateway mode 'isolated' can only be used for an internal network")
  }
  return text as GatewayMode
}

function hostBinding(text: string | undefined): string {
  if (text === undefined || text === '') return ''
  if (isIPv4(text)) return text
  throw invalidArgument(`failed to parse ${bridgeOption.hostBinding} value: ${text} (nil ip)`)
}

function sourceAddress(options: Readonly<Record<string, string>>, name: string): string {
  const text = options[name] ?? ''
  const fits = text === '' || (isAddress(text) && isIPv4(text) === (name === bridgeOption.sourceAddress4))
  if (!fits) throw invalidArgument(`failed to parse ${name} value: ${text} (nil ip)`)
  return text
}

/** Checks a device's name as the kernel does (dev_valid_name): up to 15 bytes, no slash, colon or space. */
export function deviceName(name: string): string {
  const valid = name !== '.' && name !== '..' && /^[^\s/:"]+$/.test(name) && Buffer.byteLength(name) <= 15
  if (!valid) throw invalidArgument(`invalid interface name: ${name}`)
  return name
}

/** The prefix with a number of up to three digits must be a device's name. */
function interfacePrefix(text: string | undefined): string {
  if (text === undefined || text === '') return 'eth'
  deviceName(`${text}999`)
  return text
}
