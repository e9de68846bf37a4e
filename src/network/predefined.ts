/** The networks that every daemon has: `bridge`, `host` and `none`. */
import { newId } from '../base/index.ts'
import type { BridgeDevice } from './bridge-device.ts'
import type { NetworkRecord } from './network-record.ts'

/** Settings of the default bridge. */
export interface NetworkConfig {
  /** The bridge's own address and prefix; chosen when not given. */
  readonly bip: string | undefined
  readonly mtu: number
  /** Containers of the default bridge reach each other. */
  readonly icc: boolean
  /** Host address of published ports that name none. */
  readonly hostIp: string
}

/** New records for the networks that are not there yet. */
export function predefinedNetworks(existing: ReadonlySet<string>): NetworkRecord[] {
  const drivers = { bridge: 'bridge', host: 'host', none: 'null' } as const
  return (['bridge', 'host', 'none'] as const)
    .filter((name) => !existing.has(name))
    .map((name) => ({
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
    }))
}

/** The default bridge's record with the device as it is now. */
export function withBridgeDevice(record: NetworkRecord, bridge: BridgeDevice, config: NetworkConfig): NetworkRecord {
  return {
    ...record,
    ipam: [{ subnet: bridge.subnet, gateway: bridge.gateway }],
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': String(config.icc),
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': config.hostIp,
      'com.docker.network.bridge.name': bridge.device,
      'com.docker.network.driver.mtu': String(bridge.mtu),
    },
    bridge: { device: bridge.device, mac: bridge.mac, mtu: bridge.mtu, icc: config.icc },
  }
}

/** The device that a record speaks of, or undefined when it has none yet. */
export function bridgeDeviceOf(record: NetworkRecord): BridgeDevice | undefined {
  const [range] = record.ipam
  if (record.bridge === undefined || range === undefined) return undefined
  const { device, mac, mtu } = record.bridge
  return { device, mac, mtu, subnet: range.subnet, gateway: range.gateway }
}
