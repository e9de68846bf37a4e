/** The daemon's network options, checked. Pure. https://docs.docker.com/reference/cli/dockerd/ */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { invalidArgument } from '../base/index.ts'
import { type AddressPoolOption, addressPools } from './address-pools.ts'
import type { RawValues } from './options/parse-options.ts'
import { list, text } from './options/raw-values.ts'
import { parseCidr } from './options/values.ts'

export interface NetworkOptions {
  /** The host's bridge that serves as the default one; `none` for no default bridge, undefined for one of our own. */
  readonly defaultBridge: string | undefined
  /** The default bridge's own addresses with prefix; chosen when not given. */
  readonly bip: string | undefined
  readonly bip6: string | undefined
  /** The part of the default bridge's range that containers' addresses are chosen from. */
  readonly fixedCidr: string | undefined
  /** The default bridge's IPv6 range. */
  readonly fixedCidrV6: string | undefined
  /** Containers' router on the default bridge, where it is not the bridge itself. */
  readonly defaultGateway: string | undefined
  readonly defaultGatewayV6: string | undefined
  /** The default bridge has IPv6. */
  readonly ipv6: boolean
  readonly mtu: number
  readonly icc: boolean
  /** Containers of the default bridge show the host's address outside. */
  readonly masquerade: boolean
  /** Published ports are reached at containers' own addresses too, by who has a route to them. */
  readonly directRouting: boolean
  /** The daemon lets the host forward packets. */
  readonly forward: boolean
  readonly hostIp: string
  /** The message bus of the host where it is not where it usually is, for firewalld (D-Bus specification, "System
   *  message bus"). */
  readonly systemBus: string | undefined
  /** Ranges that networks without a subnet are given parts of; empty for the built-in ones. */
  readonly pools: readonly AddressPoolOption[]
  /** Options of new networks by driver. */
  readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** How containers find names, unless they or their network say something else. */
export interface NameLookupDefaults {
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** What `host-gateway` stands for; none: the gateway of the container's network. */
  readonly hostGatewayIps: readonly string[]
}

export interface NetworkConfig extends NetworkOptions, NameLookupDefaults {
  /** `host-rules`: the host's own rules for its input say who reaches published ports. */
  readonly published: 'open' | 'host-rules'
}

/** Reads it all. Throws `invalidArgument` whose message names the option. */
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

/** Without rules nothing would keep networks apart or publish a port. */
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

/** From flags (`bridge=com.docker.network.driver.mtu=1400`) and the file (`{"bridge": {"…": "…"}}`). */
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

/** The flag, or `{"published": …}` in the file. */
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

/** As with Docker at most one of each family. */
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
