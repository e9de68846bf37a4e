/** The host's side of all networks: bridges, veth pairs, namespaces and reserved ports. The database says what should
 *  exist; these methods make the host agree with it after a start of the daemon, whatever a crash left behind. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, type Logger, messageOf } from '../base/index.ts'
import { deleteLink, deleteNetworkNamespace, type LinkInfo, type RouteSocket, setLink } from '../sys/index.ts'
import { isWithoutBridge, planDefaultBridge } from './default-bridge.ts'
import { type BridgeDriver, enableIpv6Forwarding, removeLink } from './drivers/bridge-driver.ts'
import type { Ipam } from './ipam/ipam.ts'
import type { NetworkConfig } from './ipam/predefined.ts'
import type { AddressRange } from './ipam/subnet-choice.ts'
import { readHostRanges, type usedSubnets, withTrust } from './plan/network-plan.ts'
import type { PortAllocator } from './ports/port-allocator.ts'
import { firewallNetwork, isRoutedPort } from './ports/publication.ts'
import type { NetworkIndex } from './record/network-index.ts'
import type { EndpointRecord, NetworkRecord } from './record/network-record.ts'
import { bridgeAlias, netnsPath, vethPrefix } from './record/paths.ts'
import type { SandboxIndex, SandboxRecord } from './record/sandbox-index.ts'
import type { NetworkDrivers } from './sandbox/sandbox-devices.ts'

/** What `HostState` works on; all of it is owned by `Networks`. */
export interface HostStateParts {
  readonly config: NetworkConfig
  /** The directory of the network namespaces. */
  readonly stateDir: string
  readonly logger: Logger
  /** The daemon's mark on its devices. */
  readonly tag: string
  /** The ranges from which subnets are chosen. */
  readonly pools: readonly AddressRange[]
  readonly host: RouteSocket
  readonly networks: NetworkIndex
  readonly leases: SandboxIndex
  readonly ipam: Ipam
  readonly ports: PortAllocator
  readonly bridges: BridgeDriver
  readonly drivers: NetworkDrivers
}

export class HostState {
  readonly #parts: HostStateParts

  constructor(parts: HostStateParts) {
    this.#parts = parts
  }

  /** Makes or adopts the default bridge as the daemon's options describe it, or removes it. The caller holds the host
   *  lock. */
  restoreDefaultBridge(): void {
    const { config, logger } = this.#parts
    const record = this.#parts.networks.byName('bridge')
    const host = readHostRanges(this.#parts.host)
    const alias = bridgeAlias(this.#parts.tag)
    const own = host.links.find((link) => link.kind === 'bridge' && link.alias === alias)
    const leases = record === undefined ? [] : this.#parts.leases.ofNetwork(record.id)
    const pinned = leases.length > 0
    if (record === undefined || isWithoutBridge(config, pinned)) {
      this.#replaceDevice(own, record, undefined)
      if (record !== undefined) this.#parts.networks.delete(record.id)
      return
    }
    const others = this.#otherSubnets(record)
    const planned = planDefaultBridge(record, config, { ...host, own, others, pools: this.#parts.pools, pinned })
    this.#replaceDevice(own, record, planned)
    // Still under the lock. If the daemon is killed before this write, the next one finds the bridge by its alias.
    const made = this.#parts.bridges.ensure(planned, this.#parts.host.links())
    this.#parts.networks.put(made)
    this.#parts.ipam.add(made, addressesOf(leases))
    if (made.enableIpv6) forwardIpv6(this.#parts.config)
    logger.info('default bridge ready', { device: made.bridge?.device, subnet: made.ipam[0]?.subnet })
  }

  /** Makes the missing devices of users' networks, and removes devices of networks that no longer exist. A network
   *  that fails is logged; the others go on. */
  restoreNetworks(): void {
    const links = this.#parts.host.links()
    const known = new Set<string>()
    for (const stored of this.#parts.networks.list()) {
      if (stored.name === 'bridge' || stored.configOnly) continue
      const record = withTrust(stored, this.#parts.config.directRouting === true)
      if (record !== stored) this.#parts.networks.put(record)
      try {
        const made = this.#parts.drivers[record.driver]?.ensure(record, links) ?? record
        if (made.bridge?.device !== record.bridge?.device) this.#parts.networks.put(made)
        known.add(made.bridge?.device ?? made.parent?.device ?? '')
        if (made.enableIpv6 && made.bridge !== undefined) forwardIpv6(this.#parts.config)
      } catch (error) {
        this.#parts.logger.error('network can not be restored', { network: record.name, error: messageOf(error) })
      }
      this.#parts.ipam.add(record, addressesOf(this.#parts.leases.ofNetwork(record.id)))
    }
    for (const link of links) if (isOrphan(link, this.#parts.tag, known)) removeLink(this.#parts.host, link.index)
  }

  /** Deletes the network namespaces that belong to no lease. */
  dropOrphanNamespaces(): void {
    const { stateDir } = this.#parts
    const kept = new Set(this.#parts.leases.all().map((record) => netnsPath(stateDir, record.sandboxId)))
    for (const name of readdirSync(stateDir)) {
      const path = join(stateDir, name)
      if (!kept.has(path)) deleteNetworkNamespace(path)
    }
  }

  /** Reconnects live containers' devices to a bridge that was made again; deletes the devices of containers that are
   *  gone. */
  restoreDevices(): void {
    const endpoints = this.#parts.leases.all().flatMap((record) => record.endpoints)
    const owners = new Map(endpoints.map((endpoint) => [endpoint.veth, endpoint]))
    const orphans: number[] = []
    for (const link of this.#parts.host.links()) {
      if (!link.name.startsWith(vethPrefix(this.#parts.tag))) continue
      const owner = owners.get(link.name)
      const master = owner === undefined ? undefined : this.#parts.bridges.indexOf(owner.networkId)
      if (owner === undefined) orphans.push(link.index)
      else if (master !== undefined && link.master !== master) this.#parts.host.execute(setLink(link.index, { master }))
    }
    try {
      if (orphans.length > 0) this.#parts.host.execute(...orphans.map(deleteLink))
    } catch (error) {
      // The kernel removes a device when its namespace ends, so some may be gone by now.
      if (errnoOf(error) !== 'ENODEV') throw error
    }
  }

  /** Reserves the host ports of all leases again. A port that another program took meanwhile is logged. */
  restorePorts(): void {
    for (const record of this.#parts.leases.all()) this.#restorePortsOf(record)
  }

  /** Removes or releases the device of the default bridge as it was, if the daemon's options now name another or
   *  none. */
  #replaceDevice(own: LinkInfo | undefined, before: NetworkRecord | undefined, after: NetworkRecord | undefined): void {
    if (own !== undefined && after?.bridge?.device !== own.name) removeLink(this.#parts.host, own.index)
    if (before?.bridge?.foreign === true && after?.bridge?.device !== before.bridge.device)
      this.#parts.bridges.letGo(before)
  }

  #otherSubnets({ id }: NetworkRecord): ReturnType<typeof usedSubnets> {
    const rules = this.#parts.networks.list().map((record) => (record.id === id ? undefined : firewallNetwork(record)))
    return rules.flatMap((network) => network?.subnets ?? [])
  }

  #restorePortsOf(record: SandboxRecord): void {
    for (const port of record.ports) {
      if (isRoutedPort(port, record.endpoints)) continue
      if (this.#parts.ports.restore(record.containerId, port)) continue
      const { hostIp, hostPort, protocol } = port
      this.#parts.logger.warn('another program uses a published port', { hostIp, hostPort, protocol })
    }
    this.#parts.ports.seal(record.containerId)
  }
}

/** Enables IPv6 forwarding on the host, unless the daemon's options leave forwarding to the administrator. */
export function forwardIpv6({ forward }: NetworkConfig): void {
  if (forward !== false) enableIpv6Forwarding()
}

function addressesOf(endpoints: readonly EndpointRecord[]): string[] {
  return endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== '')
}

/** True for a device that this daemon made for a network that no longer exists. */
function isOrphan({ alias, name }: LinkInfo, tag: string, known: ReadonlySet<string>): boolean {
  return alias.startsWith(`${bridgeAlias(tag)}:`) && !known.has(name)
}
