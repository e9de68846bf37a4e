/** The networks that every daemon has: `bridge`, `host` and `none`. */
import { invalidArgument, newId } from '../base/index.ts'
import type { LinkInfo } from '../sys/index.ts'
import { firstHost } from './address-pool.ts'
import { freeBridgeName, randomMac } from './bridge-driver.ts'
import { bridgeOption, parseBridgeOptions } from './bridge-options.ts'
import {
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
} from './ip.ts'
import { completeNetworkRecord, type IpamPool, type NetworkRecord } from './network-record.ts'
import { type AddressRange, chooseSubnet } from './subnet-choice.ts'

/** Settings of the default bridge, and of networks that are told nothing. */
export interface NetworkConfig {
  /** The default bridge's own addresses and prefix; chosen when not given. */
  readonly bip: string | undefined
  readonly bip6?: string | undefined
  /** The part of its range that addresses are chosen from. */
  readonly fixedCidr?: string | undefined
  /** Its IPv6 range; chosen when not given. */
  readonly fixedCidrV6?: string | undefined
  /** Containers' router where it is not the bridge. */
  readonly defaultGateway?: string | undefined
  readonly defaultGatewayV6?: string | undefined
  readonly ipv6?: boolean
  readonly mtu: number
  /** Containers of the default bridge reach each other. */
  readonly icc: boolean
  readonly masquerade?: boolean
  /** Published ports are reached at containers' own addresses as well, by who has a route to them. */
  readonly directRouting?: boolean
  /** Let the host forward packets; default true. */
  readonly forward?: boolean
  /** Host address of published ports that name none. */
  readonly hostIp: string
  /** `open`: published ports are open to everybody, as with Docker; `host-rules`: to whom the host's own rules for its
   *  input let reach them. */
  readonly published: 'open' | 'host-rules'
  /** Ranges that networks without a subnet are given parts of; empty for Docker's own. */
  readonly pools: readonly AddressRange[]
  /** Options of new networks by driver. */
  readonly defaultOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** New records for the networks that are not there yet. */
export function predefinedNetworks(existing: ReadonlySet<string>): NetworkRecord[] {
  const drivers = { bridge: 'bridge', host: 'host', none: 'null' } as const
  return (['bridge', 'host', 'none'] as const)
    .filter((name) => !existing.has(name))
    .map((name) =>
      completeNetworkRecord({
        version: 1,
        id: newId(),
        name,
        driver: drivers[name],
        created: new Date().toISOString(),
        internal: false,
        enableIpv6: false,
        ipam: [],
        options: {},
        labels: {},
      }),
    )
}

/** The default bridge's record as it is to be made now: its range stays what it was while it is free, and in any case
 *  while containers live on it (`pinned`). */
export function planDefaultBridge(
  record: NetworkRecord,
  config: NetworkConfig,
  host: {
    readonly links: readonly LinkInfo[]
    /** The bridge's device, if it is there. */
    readonly own: LinkInfo | undefined
    readonly used: readonly Subnet[]
    readonly pools: readonly AddressRange[]
    readonly pinned: boolean
  },
): NetworkRecord {
  const device = host.own?.name ?? freeBridgeName(host.links, record.bridge?.device)
  const mac = record.bridge?.mac || randomMac()
  const ipam = [
    chooseRange(4, record, { own: config.bip, fixedCidr: config.fixedCidr, router: config.defaultGateway }, host),
    ...(config.ipv6 === true
      ? [
          chooseRange(
            6,
            record,
            { own: config.bip6, ranges: config.fixedCidrV6, router: config.defaultGatewayV6 },
            host,
          ),
        ]
      : []),
  ]
  const options = {
    [bridgeOption.defaultBridge]: 'true',
    [bridgeOption.icc]: String(config.icc),
    [bridgeOption.masquerade]: String(config.masquerade !== false),
    [bridgeOption.hostBinding]: config.hostIp,
    [bridgeOption.name]: device,
    [bridgeOption.mtu]: String(config.mtu),
  }
  const { mtu, directRouting } = config
  const bridge = parseBridgeOptions(options, { device, mac, mtu, directRouting: directRouting === true }, false)
  return { ...record, enableIpv6: config.ipv6 === true, ipam, options, bridge }
}

/** What the user says of the default bridge's addresses in one family. */
interface RangeWish {
  /** The bridge's address with its prefix. */
  readonly own?: string | undefined
  /** The whole range. */
  readonly ranges?: string | undefined
  /** A part of it. */
  readonly fixedCidr?: string | undefined
  readonly router?: string | undefined
}

function chooseRange(
  family: Family,
  record: NetworkRecord,
  wish: RangeWish,
  { used, pools, pinned }: { used: readonly Subnet[]; pools: readonly AddressRange[]; pinned: boolean },
): IpamPool {
  const before = record.ipam.find(({ subnet }) => parseCidr(subnet).subnet.family === family)
  if (before !== undefined && pinned) return before
  const { subnet, gateway } = subnetAndGateway(family, before, wish, used, pools)
  return {
    subnet: formatSubnet(subnet),
    gateway,
    ...(wish.fixedCidr === undefined ? {} : { range: rangeWithin(subnet, wish.fixedCidr) }),
    ...(wish.router === undefined ? {} : routerOf(subnet, wish.router)),
  }
}

function subnetAndGateway(
  family: Family,
  before: IpamPool | undefined,
  { own, ranges, fixedCidr }: RangeWish,
  used: readonly Subnet[],
  pools: readonly AddressRange[],
): { readonly subnet: Subnet; readonly gateway: string } {
  const first = (subnet: Subnet): string => formatAddress({ family, value: firstHost(subnet) })
  if (own !== undefined) {
    const { address, subnet } = parseCidr(own)
    return { subnet, gateway: address }
  }
  if (ranges !== undefined) return { subnet: parseCidr(ranges).subnet, gateway: first(parseCidr(ranges).subnet) }
  if (before !== undefined) {
    const { subnet } = parseCidr(before.subnet)
    const fits = fixedCidr === undefined || overlaps(subnet, parseCidr(fixedCidr).subnet)
    if (fits && !used.some((other) => overlaps(other, subnet))) return { subnet, gateway: before.gateway }
  }
  // A part without a whole stands for the whole.
  const subnet = fixedCidr === undefined ? chooseSubnet(pools, family, used) : parseCidr(fixedCidr).subnet
  return { subnet, gateway: first(subnet) }
}

function rangeWithin(subnet: Subnet, text: string): string {
  const range = parseCidr(text).subnet
  const fits = range.prefix >= subnet.prefix && overlaps(range, subnet)
  if (!fits)
    throw invalidArgument(`fixed-cidr ${text} is not part of the default bridge's range ${formatSubnet(subnet)}`)
  return formatSubnet(range)
}

/** Inspect shows it as Docker does. */
function routerOf(subnet: Subnet, text: string): Pick<IpamPool, 'router' | 'auxiliary'> {
  const name = `DefaultGatewayIPv${subnet.family}`
  if (contains(subnet, parseAddress(text))) return { router: text, auxiliary: { [name]: text } }
  throw invalidArgument(`default gateway ${text} is not in the default bridge's range ${formatSubnet(subnet)}`)
}
