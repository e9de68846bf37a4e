/** Plans the default bridge from the daemon's options: a device of the daemon's, a device of the host's, or none.
 *  Pure. */
import { BerthError, invalidArgument } from '../base/index.ts'
import type { LinkInfo } from '../sys/index.ts'
import { freeBridgeName, randomMac } from './drivers/bridge-driver.ts'
import { firstHost } from './ipam/address-pool.ts'
import type { NetworkConfig } from './ipam/predefined.ts'
import { type AddressRange, chooseSubnet } from './ipam/subnet-choice.ts'
import { type HostRanges, usedSubnets } from './plan/network-plan.ts'
import { bridgeOption, parseBridgeOptions } from './record/bridge-options.ts'
import {
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
  subnetOf,
} from './record/ip.ts'
import type { IpamPool, NetworkRecord } from './record/network-record.ts'

/** The state of the host when the default bridge is planned. */
export interface DefaultBridgeHost extends HostRanges {
  /** The device that this daemon made for the default bridge, if it exists. */
  readonly own: LinkInfo | undefined
  /** Ranges of the daemon's other networks. */
  readonly others: readonly Subnet[]
  readonly pools: readonly AddressRange[]
  /** Running containers use the default bridge. */
  readonly pinned: boolean
}

/** True if the daemon should have no default bridge. An existing one stays while containers use it; the option takes
 *  effect at the first start without such containers. */
export function isWithoutBridge({ defaultBridge }: NetworkConfig, pinned: boolean): boolean {
  return defaultBridge === 'none' && !pinned
}

/** The new record of the default bridge. It keeps its range as long as nothing else uses that range. While containers
 *  use the bridge (`pinned`), it keeps device and range in any case. A device of the user's has the range of its own
 *  address. Throws `invalidArgument` for options that contradict each other, `forbidden` for a device that does not
 *  exist. */
export function planDefaultBridge(
  record: NetworkRecord,
  config: NetworkConfig,
  host: DefaultBridgeHost,
): NetworkRecord {
  const { links, own, pinned } = host
  const before = record.bridge?.foreign === true ? record.bridge.device : undefined
  const given = pinned ? before : config.defaultBridge
  const link = given === undefined ? own : links.find(({ name }) => name === given)
  if (given !== undefined && link === undefined) {
    throw new BerthError('forbidden', `bridge device with non default name ${given} must be created manually`)
  }
  const stored = before === given ? record : { ...record, ipam: [] }
  const device = given ?? link?.name ?? freeBridgeName(links, before === undefined ? record.bridge?.device : undefined)
  const mac = stored.bridge?.mac || randomMac()
  const ranges = { used: [...usedSubnets(host, link?.index), ...host.others], pools: host.pools, pinned }
  const bip = config.bip ?? ownAddress(4, given === undefined ? undefined : link, host)
  const bip6 = config.bip6 ?? ownAddress(6, given === undefined ? undefined : link, host, config.fixedCidrV6)
  const wish4 = { own: bip, fixedCidr: config.fixedCidr, router: config.defaultGateway }
  const wish6 = { own: bip6, ranges: config.fixedCidrV6, router: config.defaultGatewayV6 }
  const ipam = [
    chooseRange(4, stored, wish4, ranges),
    ...(config.ipv6 === true ? [chooseRange(6, stored, wish6, ranges)] : []),
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
  const parsed = parseBridgeOptions(options, { device, mac, mtu, directRouting: directRouting === true }, false)
  const { addedAddresses = [] } = (before === given ? record.bridge : undefined) ?? {}
  const bridge = { ...parsed, foreign: given !== undefined, addedAddresses }
  return { ...record, enableIpv6: config.ipv6 === true, ipam, options, bridge }
}

/** The first address of a family on the user's bridge, with its prefix length. With `range`, the first in that
 *  range. */
function ownAddress(
  family: Family,
  link: LinkInfo | undefined,
  { addresses }: HostRanges,
  range?: string,
): string | undefined {
  const found = addresses.find(({ index, address, prefix }) => {
    const parsed = parseAddress(address)
    if (index !== link?.index || parsed.family !== family || address.startsWith('fe80:')) return false
    return range === undefined || formatSubnet(subnetOf(parsed, prefix)) === formatSubnet(parseCidr(range).subnet)
  })
  return found === undefined ? undefined : `${found.address}/${found.prefix}`
}

/** The daemon's options for the default bridge's addresses in one family. */
interface RangeWish {
  /** The bridge's address with its prefix length. */
  readonly own?: string | undefined
  /** The whole range. */
  readonly ranges?: string | undefined
  /** The part of the range that containers get addresses from. */
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
  // If only a part was given, it becomes the whole range.
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

/** The router of containers, with the auxiliary address under which Docker's inspect shows it. */
function routerOf(subnet: Subnet, text: string): Pick<IpamPool, 'router' | 'auxiliary'> {
  const name = `DefaultGatewayIPv${subnet.family}`
  if (contains(subnet, parseAddress(text))) return { router: text, auxiliary: { [name]: text } }
  throw invalidArgument(`default gateway ${text} is not in the default bridge's range ${formatSubnet(subnet)}`)
}
