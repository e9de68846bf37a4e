/** Turns a request into the record of a network: checks it, chooses ranges and gateways. Makes no device. */
import { BerthError, newId, notFound } from '../../base/index.ts'
import type { AddressInfo, LinkInfo, RouteInfo, RouteSocket } from '../../sys/index.ts'
import { firstHost } from '../ipam/address-pool.ts'
import { type AddressRange, chooseSubnet } from '../ipam/subnet-choice.ts'
import { bridgeOption, parseBridgeOptions, trustedInterfaces } from '../record/bridge-options.ts'
import { formatAddress, formatSubnet, overlaps, parseAddress, parseCidr, type Subnet, subnetOf } from '../record/ip.ts'
import type { NetworkIndex } from '../record/network-index.ts'
import type { DriverName, IpamPool, NetworkRecord } from '../record/network-record.ts'
import { parseParentOptions } from '../record/parent-options.ts'
import { bridgeName, dummyName } from '../record/paths.ts'
import { checkRequest, type NetworkRequest, parseIpam } from './network-request.ts'

/** The state of the host that decides which ranges are free. */
export interface HostRanges {
  readonly links: readonly LinkInfo[]
  readonly addresses: readonly AddressInfo[]
  readonly routes: readonly RouteInfo[]
}

/** Reads devices, addresses and routes of both families from the kernel. */
export function readHostRanges(host: RouteSocket): HostRanges {
  return {
    links: host.links(),
    addresses: [...host.addresses(4), ...host.addresses(6)],
    routes: [...host.routes(4), ...host.routes(6)],
  }
}

/** Plans a new network and gives its record. Throws as `checkRequest` and `parseIpam` do, and `conflict` for a name in
 *  use, `forbidden` for a range in use, `unavailable` if no range is free, `notFound` for an unknown template. */
export function planNetwork(
  request: NetworkRequest,
  known: NetworkIndex,
  settings: {
    readonly pools: readonly AddressRange[]
    readonly mtu: number
    readonly mac: string
    readonly directRouting?: boolean
    /** Default options of new networks, by driver. */
    readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
  },
  host: HostRanges,
): NetworkRecord {
  const driver = checkRequest(request)
  const { name } = request
  if (known.byName(name) !== undefined) {
    throw new BerthError('conflict', `network with name ${name} already exists`)
  }
  const id = newId()
  const source = request.configFrom === '' ? undefined : configurationOf(known, request.configFrom)
  const enableIpv6 = source?.enableIpv6 ?? request.enableIpv6
  const options = source?.options ?? { ...settings.defaultOptions[driver], ...request.options }
  const given = source?.ipam ?? parseIpam(request.ipam, { ipv4: request.enableIpv4, ipv6: enableIpv6 })
  const base = {
    version: 1,
    id,
    name,
    created: new Date().toISOString(),
    internal: request.internal,
    attachable: request.attachable,
    enableIpv4: request.enableIpv4,
    enableIpv6,
    configOnly: request.configOnly,
    configFrom: request.configFrom,
    ipamDriver: source?.ipamDriver ?? request.ipamDriver,
    ipamOptions: source === undefined ? request.ipamOptions : source.ipamOptions,
    options,
    labels: source === undefined ? request.labels : { ...source.labels, ...request.labels },
  } as const
  if (request.configOnly) return { ...base, driver: 'null', ipam: given }
  const ipam = base.ipamDriver === 'null' ? [] : completeIpam(given, base, driver, known, settings.pools, host)
  if (driver === 'bridge') {
    const { mac, mtu, directRouting = false } = settings
    const defaults = { device: bridgeName(id), mac, mtu, directRouting }
    return { ...base, driver, ipam, bridge: parseBridgeOptions(options, defaults, base.internal) }
  }
  return { ...base, driver, ipam, parent: parseParentOptions(driver as 'macvlan' | 'ipvlan', options, dummyName(id)) }
}

/** The record with the interfaces that are trusted now: the daemon's option may have changed since the network was
 *  made. Gives the same object if nothing changed. */
export function withTrust(record: NetworkRecord, directRouting: boolean): NetworkRecord {
  const { bridge, options } = record
  if (bridge === undefined) return record
  const trusted = trustedInterfaces(options[bridgeOption.trustedInterfaces], directRouting)
  if (trusted.join() === (bridge.trustedInterfaces ?? []).join()) return record
  return { ...record, bridge: { ...bridge, trustedInterfaces: trusted } }
}

function configurationOf(known: NetworkIndex, name: string): NetworkRecord {
  const source = known.list().find((record) => record.configOnly && (record.name === name || record.id === name))
  if (source === undefined) throw notFound(`configuration network "${name}" does not exist`)
  return source
}

function completeIpam(
  given: readonly IpamPool[],
  { enableIpv4, enableIpv6, options }: Pick<NetworkRecord, 'enableIpv4' | 'enableIpv6' | 'options'>,
  driver: DriverName,
  known: NetworkIndex,
  pools: readonly AddressRange[],
  host: HostRanges,
): readonly IpamPool[] {
  const own = known.list().flatMap((record) => (record.configOnly ? [] : record.ipam.map(subnetOfPool)))
  const result: IpamPool[] = []
  const device = options[bridgeOption.name]
  for (const family of [4, 6] as const) {
    if (family === 4 ? !enableIpv4 : !enableIpv6) continue
    const wanted = given.filter((pool) => subnetOfPool(pool).family === family)
    if (wanted.length > 1 && driver === 'bridge') {
      throw new BerthError('forbidden', "bridge driver doesn't support multiple subnets")
    }
    for (const pool of wanted) {
      const subnet = subnetOfPool(pool)
      if ([...own, ...result.map(subnetOfPool)].some((other) => overlaps(other, subnet))) {
        throw new BerthError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space')
      }
      // A macvlan network shares the range of its parent's network.
      if (driver === 'bridge') refuseHostNetwork(subnet, host, device)
      result.push(withGateway(pool, subnet))
    }
    if (wanted.length > 0) continue
    const subnet = chooseSubnet(pools, family, [...own, ...usedSubnets(host)])
    result.push({ ...withGateway({ subnet: formatSubnet(subnet), gateway: '' }, subnet), chosen: true })
  }
  return result
}

/** The ranges that the host uses, without those of the device with index `except`. Default routes don't count, not even
 *  in two halves as VPNs make them, nor as 2000::/3. */
export function usedSubnets(host: Pick<HostRanges, 'addresses' | 'routes'>, except?: number): Subnet[] {
  const addresses = host.addresses.filter((entry) => entry.index !== except)
  const routes = host.routes.filter(
    (route) => route.index !== except && route.prefix > (isIpv6(route.destination) ? 3 : 1),
  )
  return [
    ...addresses.map((entry) => subnetOf(parseAddress(entry.address), entry.prefix)),
    ...routes.map((route) => subnetOf(parseAddress(route.destination), route.prefix)),
  ]
}

/** Throws if another device of the host has an address in the range: a bridge there would cut the host off from that
 *  device's network. `own` is the name of the bridge, which may exist already. */
function refuseHostNetwork(subnet: Subnet, { addresses, links }: HostRanges, own: string | undefined): void {
  const ownIndex = links.find(({ name }) => name === own)?.index
  const other = addresses.find(
    ({ address, prefix, index }) => index !== ownIndex && overlaps(subnetOf(parseAddress(address), prefix), subnet),
  )
  if (other === undefined) return
  const device = links.find(({ index }) => index === other.index)?.name ?? `number ${other.index}`
  throw new BerthError(
    'forbidden',
    `invalid pool request: Pool overlaps with other one on this address space: the host's interface ${device} has ${other.address}/${other.prefix}`,
  )
}

function withGateway(pool: IpamPool, subnet: Subnet): IpamPool {
  if (pool.gateway !== '') return pool
  const taken = new Set(Object.values(pool.auxiliary ?? {}))
  const { family } = subnet
  let value = firstHost(subnet)
  while (taken.has(formatAddress({ family, value }))) value += 1n
  return { ...pool, gateway: formatAddress({ family, value }) }
}

function subnetOfPool(pool: IpamPool): Subnet {
  return parseCidr(pool.subnet).subnet
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}
