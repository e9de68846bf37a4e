/** The networks that every daemon has: `host`, `none`, and `bridge` unless the daemon's options turn it off. */
import { newId } from '../../base/index.ts'
import { completeNetworkRecord, type NetworkRecord } from '../record/network-record.ts'
import type { AddressRange } from './subnet-choice.ts'

/** The daemon's network options. Those named after options of dockerd mean the same. */
export interface NetworkConfig {
  /** Name of a bridge of the host that becomes the default bridge. `none`: no default bridge. Undefined: the daemon
   *  makes one. */
  readonly defaultBridge?: string | undefined
  /** Address and prefix length of the default bridge. Default: chosen from `pools`. */
  readonly bip: string | undefined
  readonly bip6?: string | undefined
  /** The part of the default bridge's IPv4 range that containers get addresses from. */
  readonly fixedCidr?: string | undefined
  /** The default bridge's IPv6 range. Default: chosen from `pools`. */
  readonly fixedCidrV6?: string | undefined
  /** The router of containers on the default bridge. Default: the bridge. */
  readonly defaultGateway?: string | undefined
  readonly defaultGatewayV6?: string | undefined
  /** Give the default bridge IPv6. Default: false. */
  readonly ipv6?: boolean
  /** Of the default bridge, in bytes. */
  readonly mtu: number
  /** Containers of the default bridge reach each other. */
  readonly icc: boolean
  /** Translate the source addresses of containers on the default bridge. Default: true. */
  readonly masquerade?: boolean
  /** Machines with a route to a container reach its published ports at its own address, too. Default: false. */
  readonly directRouting?: boolean
  /** Enable IP forwarding on the host. Default: true. */
  readonly forward?: boolean
  /** Host address for published ports without one. */
  readonly hostIp: string
  /** Address of the message bus with firewalld. Default: the system bus. */
  readonly systemBus?: string | undefined
  /** `open`: published ports are open to everybody, as with Docker. `host-rules`: the host's own rules for its input
   *  decide who reaches them. */
  readonly published: 'open' | 'host-rules'
  /** Ranges from which networks without a subnet get one. Empty: Docker's own. */
  readonly pools: readonly AddressRange[]
  /** Default options of new networks, by driver. */
  readonly defaultOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** New records for the predefined networks that don't exist yet. `existing` are the names of all networks. */
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
