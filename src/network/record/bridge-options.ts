/** Options of the bridge driver, by Docker's names. Pure.
 *  https://docs.docker.com/engine/network/drivers/bridge/#options */
import { isIPv4 } from 'node:net'
import { invalidArgument } from '../../base/index.ts'
import { isAddress } from './ip.ts'

/** How other machines reach the containers of a bridge.
 *  `nat`: through published ports on the host's addresses.
 *  `nat-unprotected`: as `nat`, and on every port of the containers' own addresses.
 *  `routed`: on published ports of the containers' own addresses.
 *  `isolated`: not at all, and the host has no address on the bridge. */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'

/** The settings of a bridge, stored in its network's record. */
export interface BridgeSettings {
  readonly device: string
  /** '' for a device of the user's. */
  readonly mac: string
  readonly mtu: number
  /** Containers of the bridge reach each other. */
  readonly icc: boolean
  readonly masquerade: boolean
  readonly gatewayMode4: GatewayMode
  readonly gatewayMode6: GatewayMode
  /** Host address for published ports without one; '' for the daemon's default. */
  readonly hostBinding: string
  /** Source address of containers' packets to other networks; '' for the address of the route's device. */
  readonly sourceAddress4: string
  readonly sourceAddress6: string
  /** Prefix of device names in containers. */
  readonly interfacePrefix: string
  /** The daemon leaves the bridge's IPv4 addresses as they are. */
  readonly inhibitIpv4: boolean
  /** Devices of the host from which published ports are also reached at the containers' own addresses in mode `nat`;
   *  `*` for all. Absent in records of earlier versions. */
  readonly trustedInterfaces?: readonly string[]
  /** The device existed before the network, and stays after it. */
  readonly foreign: boolean
  /** The addresses, in CIDR form, that the daemon added to a foreign device and removes with the network. Absent in
   *  records of earlier versions, which means all gateways. */
  readonly addedAddresses?: readonly string[]
}

/** Docker's names of the options. */
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

/** Reads the options of a network. `defaults` are the daemon's. Options with unknown names are ignored. Throws
 *  `invalidArgument` for a value that is not allowed. */
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

/** Splits a list of device names at the colons, as Docker does. With `all`, every device is trusted. */
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

/** Parses an MTU. Undefined for none or 0. Throws `invalidArgument`. */
export function parseMtu(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    throw invalidArgument(`failed to parse ${bridgeOption.mtu} value: ${text} (${reason})`)
  }
  const mtu = Number(text)
  // IPv4 needs at least 68 bytes (RFC 791).
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

/** A prefix is valid if it makes a valid device name together with three digits. */
function interfacePrefix(text: string | undefined): string {
  if (text === undefined || text === '') return 'eth'
  deviceName(`${text}999`)
  return text
}
