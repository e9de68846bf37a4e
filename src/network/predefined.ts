/** The networks that every daemon has: `bridge`, `host` and `none`. */
import { newId } from '../base/index.ts'
import type { LinkInfo } from '../sys/index.ts'
import { firstHost } from './address-pool.ts'
import { freeBridgeName, randomMac } from './bridge-driver.ts'
import { bridgeOption, parseBridgeOptions } from './bridge-options.ts'
import { formatAddress, formatSubnet, overlaps, parseCidr, type Subnet } from './ip.ts'
import { completeNetworkRecord, type IpamPool, type NetworkRecord } from './network-record.ts'
import { type AddressRange, chooseSubnet } from './subnet-choice.ts'

/** Settings of the default bridge, and of networks that are told nothing. */
export interface NetworkConfig {
  /** The default bridge's own address and prefix; chosen when not given. */
  readonly bip: string | undefined
  readonly mtu: number
  /** Containers of the default bridge reach each other. */
  readonly icc: boolean
  /** Host address of published ports that name none. */
  readonly hostIp: string
  /** `open`: published ports are open to everybody, as with Docker; `host-rules`: to whom the host's own rules for its
   *  input let reach them. */
  readonly published: 'open' | 'host-rules'
  /** Ranges that networks without a subnet are given parts of; empty for Docker's own. */
  readonly pools: readonly AddressRange[]
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
  const ipam = [chooseRange(record.ipam[0], config, host)]
  const options = {
    [bridgeOption.defaultBridge]: 'true',
    [bridgeOption.icc]: String(config.icc),
    [bridgeOption.masquerade]: 'true',
    [bridgeOption.hostBinding]: config.hostIp,
    [bridgeOption.name]: device,
    [bridgeOption.mtu]: String(config.mtu),
  }
  const bridge = parseBridgeOptions(options, { device, mac, mtu: config.mtu }, false)
  return { ...record, ipam, options, bridge }
}

function chooseRange(
  wanted: IpamPool | undefined,
  { bip }: NetworkConfig,
  { used, pools, pinned }: { used: readonly Subnet[]; pools: readonly AddressRange[]; pinned: boolean },
): IpamPool {
  if (wanted !== undefined && pinned) return wanted
  if (bip !== undefined) {
    const { address, subnet } = parseCidr(bip)
    return { subnet: formatSubnet(subnet), gateway: address }
  }
  if (wanted !== undefined) {
    const { subnet } = parseCidr(wanted.subnet)
    if (!used.some((other) => overlaps(other, subnet))) return wanted
  }
  const subnet = chooseSubnet(pools, 4, used)
  return { subnet: formatSubnet(subnet), gateway: formatAddress({ family: 4, value: firstHost(subnet) }) }
}
