/** The networks that a daemon has from its start: `host`, `none`, and `bridge` where it was not switched off. */
import { newId } from '../../base/index.ts'
import { completeNetworkRecord, type NetworkRecord } from '../record/network-record.ts'
import type { AddressRange } from './subnet-choice.ts'

/** Settings of the default bridge, and of networks that are told nothing. */
export interface NetworkConfig {
  /** The host's bridge that serves as the default one; `none` for no default bridge, undefined for one of our own. */
  readonly defaultBridge?: string | undefined
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
  /** The message bus through which firewalld is asked, where it is not the usual one. */
  readonly systemBus?: string | undefined
  /** `open`: published ports are open to everybody, as with Docker; `host-rules`: to whom the host's own rules for its
   *  input let reach them. */
  readonly published: 'open' | 'host-rules'
  /** Ranges that networks without a subnet are given parts of; empty for Docker's own. */
  readonly pools: readonly AddressRange[]
  /** Options of new networks by driver. */
  readonly defaultOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** New records for the networks that are not there yet. */
export function predefinedNetworks(
  existing: ReadonlySet<string>,
  { defaultBridge }: Pick<NetworkConfig, 'defaultBridge'>,
): NetworkRecord[] {
  const drivers = { bridge: 'bridge', host: 'host', none: 'null' } as const
  return (['bridge', 'host', 'none'] as const)
    .filter((name) => !existing.has(name) && (name !== 'bridge' || defaultBridge !== 'none'))
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
