/** The network side of containers: namespaces, endpoints and published ports.
 *  A setup writes the leases to the database first (`reserve`), then makes namespace and devices, then names and
 *  published ports. After a crash in between, the next boot drops the leases of containers that don't run, and all
 *  that belongs to them. Kernel work is synchronous on the calling thread (about 2 ms); only the packet filter and the
 *  names are awaited. */
import { BerthError, internal, type Logger, newId, type Undo, undoOnFailure } from '../../base/index.ts'
import type { NameService, UpstreamServer } from '../dns/name-service.ts'
import type { Firewall } from '../firewall/firewall.ts'
import type { Ipam } from '../ipam/ipam.ts'
import type { PortAllocator } from '../ports/port-allocator.ts'
import { changeOfPorts } from '../ports/port-change.ts'
import { forwardingsOf, isRoutedPort, portDemands } from '../ports/publication.ts'
import { defaultGateway } from '../record/gateway.ts'
import type { NetworkIndex } from '../record/network-index.ts'
import {
  type EndpointRecord,
  type EndpointRequest,
  hasNames,
  type NetworkRecord,
  type PublishedPort,
  type Sandbox,
  type SandboxRequest,
} from '../record/network-record.ts'
import type { SandboxIndex, SandboxRecord } from '../record/sandbox-index.ts'
import { type EndpointOwner, planEndpoint } from './endpoint-plan.ts'
import { LinkPermits } from './link-permits.ts'
import { type NetworkDrivers, SandboxDevices } from './sandbox-devices.ts'

/** What `Sandboxes` works with; all of it is owned by `Networks`. */
export interface SandboxParts {
  readonly networks: NetworkIndex
  readonly index: SandboxIndex
  readonly ipam: Ipam
  readonly ports: PortAllocator
  readonly firewall: Firewall
  readonly names: NameService
  readonly drivers: NetworkDrivers
  readonly stateDir: string
  readonly tag: string
  /** Host address for published ports without one. */
  readonly hostIp: string
  readonly logger: Logger
}

/** The container that joins a network or changes its ports: its setup request without the endpoints. */
export type SandboxOwner = Omit<SandboxRequest, 'endpoints'>

/** The sandboxes of all containers of one daemon. */
export class Sandboxes {
  /** Ports that links open on the default bridge. */
  readonly links: LinkPermits
  readonly #parts: SandboxParts
  readonly #devices: SandboxDevices
  /** Name servers of containers on networks with names. */
  readonly #upstream = new Map<string, () => readonly UpstreamServer[]>()

  constructor(parts: SandboxParts) {
    this.#parts = parts
    this.links = new LinkPermits(parts)
    this.#devices = new SandboxDevices(parts)
  }

  /** Leases addresses and host ports for a container in one transaction, without making devices. Releases what the
   *  container had before. Throws `notFound` for an unknown network, `internal` with Docker's message for a port in
   *  use, and the errors of `planEndpoint`. */
  reserve(request: SandboxRequest): Sandbox {
    const { containerId, name, hostname } = request
    this.release(containerId)
    const { index, networks, ports } = this.#parts
    const owner = { containerId, name, hostname, sandboxId: newId() }
    const endpoints: EndpointRecord[] = []
    try {
      const taken: string[] = []
      for (const wanted of request.endpoints) {
        const endpoint = this.#plan(networks.find(wanted.network), owner, wanted, taken)
        endpoints.push(endpoint)
        taken.push(endpoint.device)
      }
      const published = this.#takePorts(request, endpoints)
      index.add({ containerId, containerName: name, sandboxId: owner.sandboxId, endpoints, ports: published })
    } catch (error) {
      ports.release(containerId)
      for (const endpoint of endpoints) this.#giveBack(endpoint)
      throw error
    }
    this.#upstream.set(containerId, request.upstream ?? noServers)
    return this.#toSandbox(this.#reserved(containerId))
  }

  /** Makes a container's namespace with its devices and publishes its ports. Calls `reserve` first if nothing is
   *  reserved. If a step fails, everything is undone, the leases included. */
  setUp(request: SandboxRequest): Promise<Sandbox> {
    return undoOnFailure(this.#parts.logger, (undo) => this.#setUp(request, undo))
  }

  async #setUp(request: SandboxRequest, undo: Undo): Promise<Sandbox> {
    const { index, networks, firewall, ports } = this.#parts
    if (index.find(request.containerId) === undefined) this.reserve(request)
    const record = this.#reserved(request.containerId)
    undo.add(() => this.release(request.containerId))
    this.#devices.make(record, request.namespace)
    const named = this.#openNames(record)
    await firewall.publish(forwardingsOf(record, networks))
    await named
    ports.seal(record.containerId)
    return this.#toSandbox(record)
  }

  /** Removes a container's namespace, ports and leases. Does nothing for a container without leases. */
  release(containerId: string): void {
    const { index, networks, firewall, ports, names } = this.#parts
    const record = index.remove(containerId)
    if (record === undefined) return
    firewall.withdraw(forwardingsOf(record, networks))
    ports.release(containerId)
    this.links.end(record)
    if (this.#namedNetworks(record.endpoints).length > 0) {
      names.closeSandbox(containerId)
      for (const { networkId } of record.endpoints) names.removeEndpoint(networkId, containerId)
    }
    this.#upstream.delete(containerId)
    this.#devices.remove(record)
    for (const endpoint of record.endpoints) this.#giveBack(endpoint)
  }

  /** A container's current network, or undefined if it has no leases. */
  find(containerId: string): Sandbox | undefined {
    const record = this.#parts.index.find(containerId)
    return record === undefined ? undefined : this.#toSandbox(record)
  }

  /** Changes the container's name in its endpoints and in the DNS. */
  rename(containerId: string, name: string): void {
    const record = this.#parts.index.rename(containerId, name)
    for (const endpoint of record?.endpoints ?? []) this.#putName(endpoint)
  }

  /** Connects a running container to a network. Rejects with `forbidden` if it is already on it, and as `reserve`
   *  does. */
  connect(owner: SandboxOwner, request: EndpointRequest): Promise<Sandbox> {
    return undoOnFailure(this.#parts.logger, (undo) => this.#connect(owner, request, undo))
  }

  async #connect(owner: SandboxOwner, request: EndpointRequest, undo: Undo): Promise<Sandbox> {
    const { index, networks, ports } = this.#parts
    const before = this.#reserved(owner.containerId)
    const network = networks.find(request.network)
    if (before.endpoints.some(({ networkId }) => networkId === network.id)) {
      throw new BerthError('forbidden', `endpoint with name ${owner.name} already exists in network ${network.name}`)
    }
    const taken = before.endpoints.map(({ device }) => device)
    const endpoint = this.#plan(network, { ...owner, sandboxId: before.sandboxId }, request, taken)
    undo.add(() => this.#giveBack(endpoint))
    // The container may have requested ports that none of its networks could publish so far.
    const published = before.ports.length > 0 ? [] : this.#takePorts(owner, [...before.endpoints, endpoint])
    if (published.length > 0) undo.add(() => ports.release(owner.containerId))
    const record = index.addEndpoint(owner.containerId, endpoint, published)
    undo.add(() => {
      index.removeEndpoint(owner.containerId, network.id)
      if (published.length > 0) index.setPorts(owner.containerId, before.ports)
    })
    this.#upstream.set(owner.containerId, owner.upstream ?? noServers)
    undo.add(() => this.#devices.detach(endpoint, record))
    this.#devices.attach(endpoint, before, record)
    await this.#moveForwardings(before, record)
    await this.#openNames(record)
    ports.seal(owner.containerId)
    return this.#toSandbox(record)
  }

  /** Disconnects a running container from a network, by the network's id. The last network can be left, too. Rejects
   *  with `notFound` if the container is not on it. */
  async disconnect(containerId: string, networkId: string): Promise<Sandbox> {
    const { index, names } = this.#parts
    const before = this.#reserved(containerId)
    const endpoint = before.endpoints.find((one) => one.networkId === networkId)
    if (endpoint === undefined)
      throw new BerthError('notFound', `container ${containerId} is not connected to network ${networkId}`)
    // If the daemon dies after this line, the next boot adds the device again: the container is still on the network.
    this.#devices.detach(endpoint, before)
    const record = index.removeEndpoint(containerId, networkId)
    names.removeEndpoint(networkId, containerId)
    this.#giveBack(endpoint)
    await this.#moveForwardings(before, record)
    if (this.#namedNetworks(record.endpoints).length > 0) await this.#openNames(record)
    else if (this.#namedNetworks(before.endpoints).length > 0) names.closeSandbox(containerId)
    return this.#toSandbox(record)
  }

  /** Replaces the published ports of a running container by the owner's, all or none. Ports that are in both stay
   *  open. Rejects as `reserve` does, and with `conflict` if none of its networks publishes ports. */
  changePorts(owner: SandboxOwner): Promise<Sandbox> {
    return undoOnFailure(this.#parts.logger, (undo) => this.#changePorts(owner, undo))
  }

  async #changePorts(owner: SandboxOwner, undo: Undo): Promise<Sandbox> {
    const { index, networks, ports, hostIp } = this.#parts
    const { containerId } = owner
    const before = this.#reserved(containerId)
    const { demands, routed } = portDemands(owner.ports, before.endpoints, networks, hostIp)
    if (owner.ports.length > 0 && demands.length + routed.length === 0) {
      throw new BerthError('conflict', 'no network of the container publishes ports')
    }
    const present = before.ports.filter((port) => !isRoutedPort(port, before.endpoints))
    const { kept, missing, surplus } = changeOfPorts(demands, present)
    const taken = ports.exchange(containerId, endpointLabel(owner.name, before.endpoints), surplus, missing)
    undo.add(() => {
      ports.release(containerId)
      for (const port of present) ports.restore(containerId, port)
      ports.seal(containerId)
    })
    const record = index.setPorts(containerId, [...kept, ...taken, ...routed])
    undo.add(async () => {
      await this.#moveForwardings(record, index.setPorts(containerId, before.ports))
    })
    await this.#moveForwardings(before, record)
    ports.seal(containerId)
    return this.#toSandbox(record)
  }

  /** Reads each container's name servers again and uses them from now on. */
  async refreshUpstream(): Promise<void> {
    for (const record of this.#parts.index.all()) await this.#openNames(record)
  }

  /** At boot, adds missing devices of live containers and makes their names known. A container that fails is logged. */
  async restore(upstreamOf: (containerId: string) => readonly UpstreamServer[]): Promise<void> {
    const { index, logger } = this.#parts
    const records = index.all()
    for (const record of records) {
      try {
        this.#devices.repair(record)
      } catch (error) {
        logger.error("a container's network can not be repaired", {
          container: record.containerId,
          error: String(error),
        })
      }
    }
    for (const { containerId, endpoints } of records) {
      this.#upstream.set(containerId, () => upstreamOf(containerId))
      for (const endpoint of endpoints) this.#putName(endpoint)
    }
    await Promise.all(
      records.map(async (record) => {
        try {
          await this.#openNames(record)
        } catch (error) {
          this.#parts.logger.error('names are not answered', { container: record.containerId, error: String(error) })
        }
      }),
    )
  }

  #plan(
    network: NetworkRecord,
    owner: EndpointOwner,
    request: EndpointRequest,
    taken: readonly string[],
  ): EndpointRecord {
    if (network.driver === 'host') throw internal('the host network has no sandbox')
    if (network.configOnly) throw new BerthError('forbidden', `cannot join config-only network: ${network.name}`)
    return planEndpoint(network, owner, request, this.#parts.ipam, { tag: this.#parts.tag, taken })
  }

  #takePorts(
    { containerId, name, ports: requests }: SandboxOwner,
    endpoints: readonly EndpointRecord[],
  ): readonly PublishedPort[] {
    if (requests.length === 0) return []
    const { networks, ports, hostIp } = this.#parts
    const { demands, routed } = portDemands(requests, endpoints, networks, hostIp)
    return [...ports.take(containerId, endpointLabel(name, endpoints), demands), ...routed]
  }

  /** Changes the packet filter from one record's forwardings to the other's: they follow the default gateway. */
  async #moveForwardings(before: SandboxRecord, after: SandboxRecord): Promise<void> {
    const { networks, firewall } = this.#parts
    const [old, next] = [forwardingsOf(before, networks), forwardingsOf(after, networks)]
    const isIn = (list: typeof old, one: (typeof old)[number]): boolean =>
      list.some(({ port, address, routed }) => port === one.port && address === one.address && routed === one.routed)
    firewall.withdraw(old.filter((one) => !isIn(next, one)))
    await firewall.publish(next.filter((one) => !isIn(old, one)))
  }

  #putName(endpoint: EndpointRecord): void {
    const network = this.#parts.networks.get(endpoint.networkId)
    if (network === undefined || !hasNames(network)) return
    const { networkId, networkName, containerId, endpointId, dnsNames: names, ipv4, ipv6 } = endpoint
    this.#parts.names.putEndpoint({ networkId, networkName, containerId, endpointId, names, ipv4, ipv6 })
  }

  async #openNames(record: SandboxRecord): Promise<void> {
    const networkIds = this.#namedNetworks(record.endpoints)
    if (networkIds.length === 0) return
    for (const endpoint of record.endpoints) this.#putName(endpoint)
    const { containerId } = record
    await this.#parts.names.openSandbox({
      containerId,
      netnsPath: this.#devices.pathOf(record),
      networkIds,
      upstream: (this.#upstream.get(containerId) ?? noServers)(),
      forward: record.endpoints.some(({ gateway, gateway6 }) => gateway !== '' || gateway6 !== ''),
      links: record.endpoints.flatMap(({ networkId, links }) =>
        links.map((link) => ({ networkId, ...linkParts(link) })),
      ),
    })
  }

  /** Ids of the networks with names, the one with the default gateway first. */
  #namedNetworks(endpoints: readonly EndpointRecord[]): readonly string[] {
    const named = endpoints.filter(({ networkId }) => {
      const network = this.#parts.networks.get(networkId)
      return network !== undefined && hasNames(network)
    })
    if (named.length < 2) return named.map(({ networkId }) => networkId)
    const first = defaultGateway(named, 4) ?? defaultGateway(named, 6)
    return [...named].sort((one) => (one === first ? -1 : 0)).map(({ networkId }) => networkId)
  }

  #giveBack({ networkId, ipv4, ipv6 }: EndpointRecord): void {
    this.#parts.ipam.giveBack(networkId, ipv4)
    this.#parts.ipam.giveBack(networkId, ipv6)
  }

  #reserved(containerId: string): SandboxRecord {
    const record = this.#parts.index.find(containerId)
    if (record === undefined) throw internal(`container ${containerId} has no network leases`)
    return record
  }

  #toSandbox(record: SandboxRecord): Sandbox {
    const { containerId, sandboxId, endpoints, ports } = record
    return { containerId, sandboxId, netnsPath: this.#devices.pathOf(record), endpoints, ports }
  }
}

/** The name of a container in errors about ports. */
function endpointLabel(name: string, endpoints: readonly EndpointRecord[]): string {
  const gateway = defaultGateway(endpoints, 4) ?? defaultGateway(endpoints, 6)
  return `${name} (${gateway?.endpointId ?? ''})`
}

function noServers(): readonly UpstreamServer[] {
  return []
}

/** Splits `target:alias`. A link without an alias has the target's name. */
function linkParts(link: string): { readonly target: string; readonly alias: string } {
  const [target = '', alias = target] = link.split(':')
  return { target, alias }
}
