/** The engine's networks: creating, listing and removing them. `sandboxes` handles the containers on them.
 *  A network's devices and rules are made before its row is written, and the row is deleted before they are. So a crash
 *  can leave only a device without a row. Its alias names the daemon, and the next boot removes it. */
import { mkdirSync, readFileSync } from 'node:fs'
import { BerthError, type Logger, messageOf, type Undo, undoOnFailure } from '../base/index.ts'
import { type Database, NetworkTable, SandboxTable } from '../store/index.ts'
import { RouteSocket } from '../sys/index.ts'
import type { NameService, UpstreamServer } from './dns/name-service.ts'
import { BridgeDriver, enableForwarding, randomMac } from './drivers/bridge-driver.ts'
import { ParentDriver } from './drivers/parent-driver.ts'
import { admissionDevices, ensureAdmission, removeAdmission } from './firewall/admission.ts'
import { Firewall } from './firewall/firewall.ts'
import { FirewallRepair } from './firewall/firewall-repair.ts'
import type { Admission, FirewallState } from './firewall/firewall-rules.ts'
import { ForwardExemption } from './firewall/forward-exemption.ts'
import { forwardIpv6, HostState } from './host-state.ts'
import { Ipam } from './ipam/ipam.ts'
import { type NetworkConfig, predefinedNetworks } from './ipam/predefined.ts'
import { type AddressRange, completePools } from './ipam/subnet-choice.ts'
import { planNetwork, readHostRanges } from './plan/network-plan.ts'
import type { NetworkRequest } from './plan/network-request.ts'
import type { RelayTarget } from './ports/loopback-relay.ts'
import { PortAllocator } from './ports/port-allocator.ts'
import { firewallNetwork, forwardingsOf, relayTarget } from './ports/publication.ts'
import { withHostLock } from './record/host-lock.ts'
import { NetworkIndex } from './record/network-index.ts'
import type { NetworkInspect, NetworkRecord, PublishedPort } from './record/network-record.ts'
import { instanceTag, tableName } from './record/paths.ts'
import { ResolvConfWatch } from './record/resolv-conf-watch.ts'
import { SandboxIndex } from './record/sandbox-index.ts'
import type { NetworkDrivers } from './sandbox/sandbox-devices.ts'
import { Sandboxes } from './sandbox/sandboxes.ts'

/** What `Networks.open` needs. */
export interface NetworksOptions {
  readonly db: Database
  /** The directory of the network namespaces: `<exec-root>/netns`. */
  readonly stateDir: string
  readonly logger: Logger
  readonly config: NetworkConfig
  /** Identifies this daemon among others on the host. The same at each start: its data root. */
  readonly instance: string
  /** The DNS of containers. Default: none. */
  readonly names?: NameService
}

/** For daemons without an embedded DNS. */
const noNames: NameService = {
  putEndpoint: () => {},
  removeEndpoint: () => {},
  openSandbox: async () => {},
  closeSandbox: () => {},
  close: () => {},
}
const randomPorts = { first: 49000, last: 49900 } as const
/** Of users' networks. The daemon's own `mtu` option applies to the default bridge only. */
const defaultMtu = 1500

/** All networks of one daemon. Call `restore` before anything else is set up. */
export class Networks {
  /** The network namespaces, endpoints and published ports of containers. */
  readonly sandboxes: Sandboxes
  readonly #options: NetworksOptions
  readonly #tag: string
  readonly #pools: readonly AddressRange[]
  readonly #host = RouteSocket.open()
  readonly #index: NetworkIndex
  readonly #leases: SandboxIndex
  readonly #ipam = new Ipam()
  readonly #ports = new PortAllocator({
    ranges: [randomPorts, ephemeralPorts()],
    target: (containerId, port) => this.#targetOf(containerId, port),
  })
  readonly #admission: Admission | undefined
  readonly #firewall: Firewall
  readonly #repair: FirewallRepair
  readonly #resolvConf: ResolvConfWatch
  readonly #exemption: ForwardExemption
  readonly #names: NameService
  readonly #drivers: NetworkDrivers
  readonly #hostState: HostState
  /** Resolves when the last requested creation ends: networks are created one at a time. */
  #creation: Promise<unknown> = Promise.resolve()

  private constructor(options: NetworksOptions) {
    const { config, db, instance, logger, names = noNames, stateDir } = options
    this.#options = options
    this.#names = names
    const tag = instanceTag(instance)
    this.#tag = tag
    this.#pools = completePools(config.pools, instance)
    this.#index = NetworkIndex.open(new NetworkTable(db), logger)
    this.#leases = SandboxIndex.open(new SandboxTable(db), logger)
    this.#admission = config.published === 'host-rules' ? admissionDevices(tag) : undefined
    this.#firewall = new Firewall(tableName(tag), () => this.#firewallState(), logger, this.#admission)
    const bridges = new BridgeDriver(this.#host, tag)
    const parents = new ParentDriver(this.#host, tag)
    this.#drivers = { bridge: bridges, macvlan: parents, ipvlan: parents }
    this.#hostState = new HostState({
      config,
      stateDir,
      logger,
      tag,
      pools: this.#pools,
      host: this.#host,
      networks: this.#index,
      leases: this.#leases,
      ipam: this.#ipam,
      ports: this.#ports,
      bridges,
      drivers: this.#drivers,
    })
    this.sandboxes = new Sandboxes({
      networks: this.#index,
      index: this.#leases,
      ipam: this.#ipam,
      ports: this.#ports,
      firewall: this.#firewall,
      names,
      drivers: this.#drivers,
      stateDir,
      tag,
      hostIp: config.hostIp,
      logger,
    })
    this.#exemption = new ForwardExemption({
      tag,
      bridges: () => this.list().flatMap(({ bridge }) => bridge?.device ?? []),
      logger,
      systemBus: config.systemBus,
    })
    this.#resolvConf = new ResolvConfWatch({
      logger,
      onChange: () => {
        // This fails for a namespace that was just removed. Its container ends and closes its names itself.
        this.sandboxes.refreshUpstream().catch((error) => logger.warn('names', { error: messageOf(error) }))
      },
    })
    this.#repair = new FirewallRepair({ table: tableName(tag), rebuild: () => this.#firewall.rebuild(), logger })
  }

  /** Reads the database and adds the predefined networks. Touches no device; `restore` does. */
  static async open(options: NetworksOptions): Promise<Networks> {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 })
    const networks = new Networks(options)
    const known = new Set(networks.list().map((record) => record.name))
    networks.#index.put(...predefinedNetworks(known, options.config))
    return networks
  }

  /** Makes bridges, rules, names and port reservations agree with the database for the containers in `live`, by id.
   *  Removes the leases, namespaces and devices of all others. `upstream` gives a container's name servers. */
  async restore(
    live: ReadonlySet<string>,
    upstream: (containerId: string) => readonly UpstreamServer[] = () => [],
  ): Promise<void> {
    for (const { containerId } of this.#leases.all()) {
      if (!live.has(containerId)) this.#leases.remove(containerId)
    }
    this.#hostState.dropOrphanNamespaces()
    await withHostLock(() => this.#hostState.restoreDefaultBridge(), this.#options)
    this.#hostState.restoreNetworks()
    if (this.#options.config.forward !== false) enableForwarding()
    this.#hostState.restoreDevices()
    if (this.#admission !== undefined) ensureAdmission(this.#host, this.#admission)
    await this.#firewall.rebuild()
    if (this.#admission === undefined) removeAdmission(this.#host, admissionDevices(this.#tag))
    this.#repair.start()
    await this.#exemption.start()
    this.#hostState.restorePorts()
    await this.sandboxes.restore(upstream)
    this.#resolvConf.start()
  }

  /** All networks, the predefined ones included. */
  list(): NetworkRecord[] {
    return this.#index.list()
  }

  /** A network and its containers, by name, id or unambiguous prefix of an id. Throws `notFound`, and `invalidArgument`
   *  for an ambiguous prefix. */
  inspect(nameOrId: string): NetworkInspect {
    const network = this.#index.find(nameOrId)
    return { ...network, containers: this.#leases.ofNetwork(network.id) }
  }

  /** A network without its containers, or undefined. Throws `invalidArgument` for an ambiguous prefix. */
  find(nameOrId: string): NetworkRecord | undefined {
    return this.#index.match(nameOrId)
  }

  /** Creates a network: device, rules and record, or nothing at all. Rejects with Docker's errors: `conflict` for a
   *  name in use, `forbidden` and `invalidArgument` for settings that are not allowed, `unavailable` without a free
   *  range. */
  create(request: NetworkRequest): Promise<NetworkRecord> {
    const result = this.#creation.then(() => undoOnFailure(this.#options.logger, (undo) => this.#create(request, undo)))
    this.#creation = result.catch(() => {})
    return result
  }

  /** Removes a network and gives its last record. Rejects with `notFound`, and with `forbidden` for a predefined
   *  network and for one that is in use. */
  async remove(nameOrId: string): Promise<NetworkRecord> {
    const network = this.#index.find(nameOrId)
    const { id, name } = network
    if (name === 'bridge' || name === 'host' || name === 'none') {
      throw new BerthError('forbidden', `${name} is a pre-defined network and cannot be removed`)
    }
    if (network.configOnly && this.list().some((other) => other.configFrom === name)) {
      throw new BerthError('forbidden', `error while removing network: configuration network "${name}" is in use`)
    }
    const users = this.#leases.ofNetwork(id)
    if (users.length > 0) {
      const list = users.map((user) => `name:"${user.containerName}" id:"${user.endpointId.slice(0, 12)}"`).join(', ')
      throw new BerthError('forbidden', `error while removing network: network ${name} has active endpoints (${list})`)
    }
    this.#index.delete(id)
    this.#ipam.remove(id)
    await this.#takeAway(network)
    return network
  }

  /** Stops the background work and closes all sockets. With `remove`, also removes everything that this daemon made on
   *  the host. */
  async close(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#creation
    this.#resolvConf.close()
    this.#names.close()
    await this.#repair.close()
    await this.#exemption.close(options)
    await this.#firewall.settle()
    if (options.remove === true) {
      for (const { containerId } of this.#leases.all()) this.sandboxes.release(containerId)
      await this.#firewall.destroy()
      removeAdmission(this.#host, admissionDevices(this.#tag))
      this.#hostState.dropOrphanNamespaces()
      this.#hostState.restoreDevices()
      for (const record of this.list()) this.#drivers[record.driver]?.remove(record)
    }
    this.#ports.close()
    this.#host.close()
  }

  async #create(request: NetworkRequest, undo: Undo): Promise<NetworkRecord> {
    const { defaultOptions = {}, directRouting = false } = this.#options.config
    const settings = { pools: this.#pools, mtu: defaultMtu, mac: randomMac(), directRouting, defaultOptions }
    // Without the lock, two daemons could choose the same range at the same time.
    const record = await withHostLock(() => {
      const host = readHostRanges(this.#host)
      const planned = planNetwork(request, this.#index, settings, host)
      this.#refuseSameBridge(planned)
      const driver = planned.configOnly ? undefined : this.#drivers[planned.driver]
      const made = driver?.ensure(planned, host.links) ?? planned
      undo.add(() => driver?.remove(made))
      return made
    }, this.#options)
    if (record.enableIpv6 && record.driver === 'bridge') forwardIpv6(this.#options.config)
    const rules = firewallNetwork(record)
    if (rules !== undefined) {
      undo.add(() => this.#firewall.removeNetwork(rules))
      await this.#firewall.addNetwork(rules)
    }
    this.#index.put(record)
    undo.add(() => this.#index.delete(record.id))
    if (rules !== undefined) await this.#exemption.look()
    this.#ipam.add(record, [])
    return record
  }

  #refuseSameBridge({ id, bridge }: NetworkRecord): void {
    const other = this.list().find((record) => bridge !== undefined && record.bridge?.device === bridge.device)
    if (other === undefined) return
    const [own, theirs] = [`${id} (${bridge?.device})`, `${other.id} (${bridge?.device})`]
    throw new BerthError(
      'forbidden',
      `cannot create network ${own}: conflicts with network ${theirs}: networks have same bridge name`,
    )
  }

  async #takeAway(network: NetworkRecord): Promise<void> {
    if (!network.configOnly) this.#drivers[network.driver]?.remove(network)
    const rules = firewallNetwork(network)
    if (rules === undefined) return
    await this.#firewall.removeNetwork(rules)
    this.#exemption.update()
  }

  #targetOf(containerId: string, port: PublishedPort): RelayTarget | undefined {
    const record = this.#leases.find(containerId)
    return record === undefined ? undefined : relayTarget(record, this.#index, port)
  }

  #firewallState(): FirewallState {
    return {
      networks: this.list().flatMap((record) => firewallNetwork(record) ?? []),
      forwardings: [
        ...this.#leases.all().flatMap((record) => forwardingsOf(record, this.#index)),
        ...this.sandboxes.links.all(),
      ],
    }
  }
}

/** The kernel's range of ports for sockets that are bound without a port. */
function ephemeralPorts(): { first: number; last: number } {
  const [first = 32768, last = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number)
  return { first, last }
}
