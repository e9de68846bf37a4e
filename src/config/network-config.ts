/** The daemon's network options, checked. Pure. https://docs.docker.com/reference/cli/dockerd/ */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { invalidArgument } from '../base/index.ts'
import { type AddressPoolOption, addressPools } from './address-pools.ts'
import type { RawValues } from './options/parse-options.ts'
import { list, text } from './options/raw-values.ts'
import { parseCidr } from './options/values.ts'

/** Options of networks, except for name resolution. */
export interface NetworkOptions {
  /** The host's bridge to use as the default one; `none` for no default bridge, undefined for Berth's own. */
  readonly defaultBridge: string | undefined
  /** The address of the default bridge, with its prefix length. Undefined: one is chosen. */
  readonly bip: string | undefined
  readonly bip6: string | undefined
  /** The part of the default bridge's range from which containers get their addresses. */
  readonly fixedCidr: string | undefined
  /** The default bridge's IPv6 range. */
  readonly fixedCidrV6: string | undefined
  /** The router of containers on the default bridge. Undefined: the bridge itself. */
  readonly defaultGateway: string | undefined
  readonly defaultGatewayV6: string | undefined
  /** The default bridge has IPv6. */
  readonly ipv6: boolean
  readonly mtu: number
  readonly icc: boolean
  /** Outside the host, containers of the default bridge appear with the host's address. */
  readonly masquerade: boolean
  /** Published ports can also be reached at the containers' own addresses, from hosts with a route to them. */
  readonly directRouting: boolean
  /** The daemon turns on the forwarding of packets in the host. */
  readonly forward: boolean
  readonly hostIp: string
  /** The address of the host's message bus, for firewalld. Undefined: the usual one (D-Bus specification, "System
   *  message bus"). */
  readonly systemBus: string | undefined
  /** The ranges from which networks without a subnet get one. Empty: the built-in ranges. */
  readonly pools: readonly AddressPoolOption[]
  /** Options of new networks, by driver. */
  readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Name resolution of containers, unless they or their network have their own settings. */
export interface NameLookupDefaults {
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** The addresses that `host-gateway` means. Empty: the gateway of the container's network. */
  readonly hostGatewayIps: readonly string[]
}

/** All options of networks. */
export interface NetworkConfig extends NetworkOptions, NameLookupDefaults {
  /** `host-rules`: the host's own rules for incoming packets also apply to published ports. */
  readonly published: 'open' | 'host-rules'
}

/** Reads all network options. Throws `invalidArgument` with the name of the wrong option. */
export function networkConfig(raw: RawValues): NetworkConfig {
  return {
    ...networkOptions(raw),
    published: firewallPublished(raw),
    dns: list(raw, 'dns'),
    dnsOptions: list(raw, 'dnsOpt'),
    dnsSearch: list(raw, 'dnsSearch'),
    hostGatewayIps: hostGatewayIps(raw),
  }
}

function networkOptions(raw: RawValues): NetworkOptions {
  const bip = text(raw, 'bip')
  refuseWithoutRules(raw)
  const defaultBridge = text(raw, 'bridge')
  if (defaultBridge !== undefined && (bip ?? text(raw, 'bip6')) !== undefined) {
    throw invalidArgument(
      `bridge, bip: You specified -b & --bip, mutually exclusive options. Please specify only one: ${defaultBridge === 'none' ? 'there is no bridge to give an address to' : `${defaultBridge} keeps its own addresses`}`,
    )
  }
  return {
    defaultBridge,
    bip: bip === undefined ? undefined : parseCidr(bip, 'bip'),
    bip6: cidr6(text(raw, 'bip6'), 'bip6'),
    fixedCidr: fixedCidr(text(raw, 'fixedCidr')),
    fixedCidrV6: cidr6(text(raw, 'fixedCidrV6'), 'fixed-cidr-v6'),
    defaultGateway: address(text(raw, 'defaultGateway'), 4, 'default-gateway'),
    defaultGatewayV6: address(text(raw, 'defaultGatewayV6'), 6, 'default-gateway-v6'),
    ipv6: raw.ipv6 === true,
    mtu: typeof raw.mtu === 'number' ? raw.mtu : 1500,
    icc: raw.icc !== false,
    masquerade: raw.ipMasq !== false,
    directRouting: raw.allowDirectRouting === true,
    forward: raw.ipForward !== false,
    hostIp: hostAddress(text(raw, 'ip')),
    systemBus: process.env.DBUS_SYSTEM_BUS_ADDRESS,
    pools: addressPools(list(raw, 'defaultAddressPool'), raw.defaultAddressPools),
    defaultOptions: defaultOptions(list(raw, 'defaultNetworkOpt'), raw.defaultNetworkOpts),
  }
}

/** Refuses `iptables=false`: without rules, networks would not be separated and no port could be published. */
function refuseWithoutRules(raw: RawValues): void {
  for (const [name, key] of [
    ['iptables', 'iptables'],
    ['ip6tables', 'ip6tables'],
  ] as const) {
    if (raw[name] === false) throw invalidArgument(`${key}: false is not supported: networks need their nftables rules`)
  }
}

function cidr6(value: string | undefined, key: string): string | undefined {
  if (value === undefined) return undefined
  const [host = '', prefix = ''] = value.split('/')
  if (!isIPv6(host) || !/^\d{1,3}$/.test(prefix) || Number(prefix) > 126) {
    throw invalidArgument(`${key}: invalid IPv6 CIDR address: ${value}`)
  }
  return value
}

function fixedCidr(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const [host = '', prefix = ''] = value.split('/')
  if (!isIPv4(host) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) {
    throw invalidArgument(`fixed-cidr: invalid CIDR address: ${value}`)
  }
  return value
}

function address(value: string | undefined, family: 4 | 6, key: string): string | undefined {
  if (value === undefined || isIP(value) === family) return value
  throw invalidArgument(`${key}: invalid IPv${family} address: ${value}`)
}

function hostAddress(value: string | undefined): string {
  if (value === undefined) return '0.0.0.0'
  if (isIP(value) === 0) throw invalidArgument(`ip: invalid IP address: ${value}`)
  return value
}

/** Reads flags (`bridge=com.docker.network.driver.mtu=1400`) and the file (`{"bridge": {"…": "…"}}`). */
function defaultOptions(flags: readonly string[], file: unknown): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {}
  const put = (driver: string, name: string, value: unknown): void => {
    if (typeof value !== 'string')
      throw invalidArgument(`default-network-opts: "${name}" of ${driver} must be a string`)
    result[driver] = { ...result[driver], [name]: value }
  }
  for (const flag of flags) {
    const [, driver, name, value] = /^([^=]+)=([^=]+)=(.*)$/.exec(flag) ?? []
    if (driver === undefined || name === undefined) {
      throw invalidArgument(`default-network-opt: invalid option "${flag}": expected DRIVER=NAME=VALUE`)
    }
    put(driver, name, value)
  }
  for (const [driver, options] of Object.entries((file ?? {}) as Record<string, unknown>)) {
    if (typeof options !== 'object' || options === null) {
      throw invalidArgument(`default-network-opts: "${driver}" must be an object`)
    }
    for (const [name, value] of Object.entries(options)) put(driver, name, value)
  }
  return result
}

/** Reads the flag, or `{"published": …}` in the file. */
function firewallPublished(raw: RawValues): NetworkConfig['published'] {
  const { published, ...others } = (raw.firewall ?? {}) as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw invalidArgument(`firewall: unknown key "${unknown}"`)
  const flag = text(raw, 'firewallPublished')
  if (flag !== undefined && published !== undefined) {
    throw invalidArgument(
      'the following directives are specified both as a flag and in the configuration file: firewall.published',
    )
  }
  const value = flag ?? published ?? 'open'
  if (value === 'open' || value === 'host-rules') return value
  throw invalidArgument(`firewall.published: "${String(value)}" is invalid: expected open or host-rules`)
}

/** At most one address of each family, as in Docker. */
function hostGatewayIps(raw: RawValues): readonly string[] {
  const old = text(raw, 'hostGatewayIp')
  const addresses = [...list(raw, 'hostGatewayIps'), ...(old === undefined ? [] : [old])]
  for (const [index, address] of addresses.entries()) {
    const family = isIP(address)
    if (family === 0) throw invalidArgument(`host-gateway-ip: invalid IP address: ${address}`)
    if (addresses.slice(0, index).some((other) => isIP(other) === family)) {
      throw invalidArgument(`host-gateway-ip: only one IPv${family} address is allowed: ${address}`)
    }
  }
  return addresses
}
