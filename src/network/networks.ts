/** Networks of the engine: what there is of them, made and taken away; `sandboxes` is containers' part in them.
 *  A network's devices and rules are made before its row is written, and its row goes before they do: what a crash leaves
 *  is a device that no row knows, told by its alias, which the next boot takes away. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BerthError, errnoOf, type Logger, messageOf, type Undo, undoOnFailure } from '../base/index.ts'
import { type Database, NetworkTable, SandboxTable } from '../store/index.ts'
import { deleteLink, deleteNetworkNamespace, type LinkInfo, RouteSocket, setLink } from '../sys/index.ts'
import { isWithoutBridge, planDefaultBridge } from './default-bridge.ts'
import type { NameService, UpstreamServer } from './dns/name-service.ts'
import { BridgeDriver, enableForwarding, enableIpv6Forwarding, randomMac, removeLink } from './drivers/bridge-driver.ts'
import { ParentDriver } from './drivers/parent-driver.ts'
import { admissionDevices, ensureAdmission, removeAdmission } from './firewall/admission.ts'
import { Firewall } from './firewall/firewall.ts'
import { FirewallRepair } from './firewall/firewall-repair.ts'
import type { Admission, FirewallState } from './firewall/firewall-rules.ts'
import { ForwardExemption } from './firewall/forward-exemption.ts'
import { Ipam } from './ipam/ipam.ts'
import { type NetworkConfig, predefinedNetworks } from './ipam/predefined.ts'
import { type AddressRange, completePools } from './ipam/subnet-choice.ts'
import { planNetwork, readHostRanges, type usedSubnets, withTrust } from './plan/network-plan.ts'
import type { NetworkRequest } from './plan/network-request.ts'
import type { RelayTarget } from './ports/loopback-relay.ts'
import { PortAllocator } from './ports/port-allocator.ts'
import { firewallNetwork, forwardingsOf, isRoutedPort, relayTarget } from './ports/publication.ts'
import { withHostLock } from './record/host-lock.ts'
import { NetworkIndex } from './record/network-index.ts'
import type { EndpointRecord, NetworkInspect, NetworkRecord, PublishedPort } from './record/network-record.ts'
import { bridgeAlias, instanceTag, netnsPath, tableName, vethPrefix } from './record/paths.ts'
import { ResolvConfWatch } from './record/resolv-conf-watch.ts'
import { SandboxIndex, type SandboxRecord } from './record/sandbox-index.ts'
import type { NetworkDrivers } from './sandbox/sandbox-devices.ts'
import { Sandboxes } from './sandbox/sandboxes.ts'

export interface NetworksOptions {
  readonly db: Database
  /** Where namespaces are kept: `<exec-root>/netns`. */
  readonly stateDir: string
  readonly logger: Logger
  readonly config: NetworkConfig
  /** What tells this daemon from others on the host, the same at each start (its data root). */
  readonly instance: string
  /** Answers containers' questions for names; nobody by default. */
  readonly names?: NameService
}

/** Where nobody answers names. */
const noNames: NameService = {
  putEndpoint: () => {},
  removeEndpoint: () => {},
  openSandbox: async () => {},
  closeSandbox: () => {},
  close: () => {},
}
const randomPorts = { first: 49000, last: 49900 } as const
/** The daemon's option is for the default bridge. */
const defaultMtu = 1500

export class Networks {
  /** Containers' part. */
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
  readonly #bridges: BridgeDriver
  /** One network is made at a time. */
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
    this.#bridges = new BridgeDriver(this.#host, tag)
    const parents = new ParentDriver(this.#host, tag)
    this.#drivers = { bridge: this.#bridges, macvlan: parents, ipvlan: parents }
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
        // A namespace that has just gone is the end of its container, which closes its names anyway.
        this.sandboxes.refreshUpstream().catch((error) => logger.warn('names', { error: messageOf(error) }))
      },
    })
    this.#repair = new FirewallRepair({ table: tableName(tag), rebuild: () => this.#firewall.rebuild(), logger })
  }

  /** Reads what is known. Nothing can be set up before `restore` has made the world fit it. */
  static async open(options: NetworksOptions): Promise<Networks> {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 })
    const networks = new Networks(options)
    const known = new Set(networks.list().map((record) => record.name))
    networks.#index.put(...predefinedNetworks(known, options.config))
    return networks
  }

  /** Makes bridges, rules, names and port reservations what the database says, for the containers in `live`;
   *  takes away leases, namespaces and devices of all others. `upstream` gives a container's name servers. */
  async restore(
    live: ReadonlySet<string>,
    upstream: (containerId: string) => readonly UpstreamServer[] = () => [],
  ): Promise<void> {
    for (const { containerId } of this.#leases.all()) {
      if (!live.has(containerId)) this.#leases.remove(containerId)
    }
    this.#dropOrphanNamespaces()
    await withHostLock(() => this.#restoreDefaultBridge(), this.#options)
    this.#restoreNetworks()
    if (this.#options.config.forward !== false) enableForwarding()
    this.#restoreDevices()
    if (this.#admission !== undefined) ensureAdmission(this.#host, this.#admission)
    await this.#firewall.rebuild()
    if (this.#admission === undefined) removeAdmission(this.#host, admissionDevices(this.#tag))
    this.#repair.start()
    await this.#exemption.start()
    for (const record of this.#leases.all()) this.#restorePorts(record)
    await this.sandboxes.restore(upstream)
    this.#resolvConf.start()
  }

  list(): NetworkRecord[] {
    return this.#index.list()
  }

  /** A network by name, id or unambiguous start of an id. Throws `notFound`. */
  inspect(nameOrId: string): NetworkInspect {
    const network = this.#index.find(nameOrId)
    return { ...network, containers: this.#leases.ofNetwork(network.id) }
  }

  /** The same without the containers; undefined when there is none. */
  find(nameOrId: string): NetworkRecord | undefined {
    return this.#index.match(nameOrId)
  }

  /** Makes a network: device, rules, record, all or nothing. Throws Docker's errors. */
  create(request: NetworkRequest): Promise<NetworkRecord> {
    const result = this.#creation.then(() => undoOnFailure(this.#options.logger, (undo) => this.#create(request, undo)))
    this.#creation = result.catch(() => {})
    return result
  }

  /** Takes a network away. Throws `forbidden` for a predefined one and for one that containers run on. */
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

  /** Ends the work. With `remove`, takes away everything that this daemon made on the host. */
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
      this.#dropOrphanNamespaces()
      this.#restoreDevices()
      for (const record of this.list()) this.#drivers[record.driver]?.remove(record)
    }
    this.#ports.close()
    this.#host.close()
  }

  async #create(request: NetworkRequest, undo: Undo): Promise<NetworkRecord> {
    const { defaultOptions = {}, directRouting = false } = this.#options.config
    const settings = { pools: this.#pools, mtu: defaultMtu, mac: randomMac(), directRouting, defaultOptions }
    // Two daemons that choose at once would take the same range.
    const record = await withHostLock(() => {
      const host = readHostRanges(this.#host)
      const planned = planNetwork(request, this.#index, settings, host)
      this.#refuseSameBridge(planned)
      const driver = planned.configOnly ? undefined : this.#drivers[planned.driver]
      const made = driver?.ensure(planned, host.links) ?? planned
      undo.add(() => driver?.remove(made))
      return made
    }, this.#options)
    if (record.enableIpv6 && record.driver === 'bridge') this.#forwardIpv6()
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

  #restoreDefaultBridge(): void {
    const { config, logger } = this.#options
    const record = this.#index.byName('bridge')
    const host = readHostRanges(this.#host)
    const alias = bridgeAlias(this.#tag)
    const own = host.links.find((link) => link.kind === 'bridge' && link.alias === alias)
    const leases = record === undefined ? [] : this.#leases.ofNetwork(record.id)
    const pinned = leases.length > 0
    if (record === undefined || isWithoutBridge(config, pinned)) {
      this.#replaceDevice(own, record, undefined)
      if (record !== undefined) this.#index.delete(record.id)
      return
    }
    const others = this.#otherSubnets(record)
    const planned = planDefaultBridge(record, config, { ...host, own, others, pools: this.#pools, pinned })
    this.#replaceDevice(own, record, planned)
    // The record is written under the lock: a daemon killed after this finds its own bridge by the alias anyway.
    const made = this.#bridges.ensure(planned, this.#host.links())
    this.#index.put(made)
    this.#ipam.add(made, addressesOf(leases))
    if (made.enableIpv6) this.#forwardIpv6()
    logger.info('default bridge ready', { device: made.bridge?.device, subnet: made.ipam[0]?.subnet })
  }

  /** Takes away what the default bridge was, where the daemon's options have another one now, or none. */
  #replaceDevice(own: LinkInfo | undefined, before: NetworkRecord | undefined, after: NetworkRecord | undefined): void {
    if (own !== undefined && after?.bridge?.device !== own.name) removeLink(this.#host, own.index)
    if (before?.bridge?.foreign === true && after?.bridge?.device !== before.bridge.device) this.#bridges.letGo(before)
  }

  #otherSubnets({ id }: NetworkRecord): ReturnType<typeof usedSubnets> {
    const rules = this.list().map((record) => (record.id === id ? undefined : firewallNetwork(record)))
    return rules.flatMap((network) => network?.subnets ?? [])
  }

  /** Makes users' networks anew where their devices have gone, and takes devices away that no network knows. */
  #restoreNetworks(): void {
    const links = this.#host.links()
    const known = new Set<string>()
    for (const stored of this.list()) {
      if (stored.name === 'bridge' || stored.configOnly) continue
      const record = withTrust(stored, this.#options.config.directRouting === true)
      if (record !== stored) this.#index.put(record)
      try {
        const made = this.#drivers[record.driver]?.ensure(record, links) ?? record
        if (made.bridge?.device !== record.bridge?.device) this.#index.put(made)
        known.add(made.bridge?.device ?? made.parent?.device ?? '')
        if (made.enableIpv6 && made.bridge !== undefined) this.#forwardIpv6()
      } catch (error) {
        this.#options.logger.error('network can not be restored', { network: record.name, error: messageOf(error) })
      }
      this.#ipam.add(record, addressesOf(this.#leases.ofNetwork(record.id)))
    }
    for (const link of links) if (isOrphan(link, this.#tag, known)) removeLink(this.#host, link.index)
  }

  #dropOrphanNamespaces(): void {
    const { stateDir } = this.#options
    const kept = new Set(this.#leases.all().map((record) => netnsPath(stateDir, record.sandboxId)))
    for (const name of readdirSync(stateDir)) {
      const path = join(stateDir, name)
      if (!kept.has(path)) deleteNetworkNamespace(path)
    }
  }

  /** Puts live containers' devices back on a bridge that was made anew; deletes those of containers that are gone. */
  #restoreDevices(): void {
    const endpoints = this.#leases.all().flatMap((record) => record.endpoints)
    const owners = new Map(endpoints.map((endpoint) => [endpoint.veth, endpoint]))
    const orphans: number[] = []
    for (const link of this.#host.links()) {
      if (!link.name.startsWith(vethPrefix(this.#tag))) continue
      const owner = owners.get(link.name)
      const master = owner === undefined ? undefined : this.#bridges.indexOf(owner.networkId)
      if (owner === undefined) orphans.push(link.index)
      else if (master !== undefined && link.master !== master) this.#host.execute(setLink(link.index, { master }))
    }
    try {
      if (orphans.length > 0) this.#host.execute(...orphans.map(deleteLink))
    } catch (error) {
      // The kernel takes a device away itself when its namespace dies; some may have gone by now.
      if (errnoOf(error) !== 'ENODEV') throw error
    }
  }

  #restorePorts(record: SandboxRecord): void {
    for (const port of record.ports) {
      if (isRoutedPort(port, record.endpoints)) continue
      if (this.#ports.restore(record.containerId, port)) continue
      const { hostIp, hostPort, protocol } = port
      this.#options.logger.warn('another program uses a published port', { hostIp, hostPort, protocol })
    }
    this.#ports.seal(record.containerId)
  }

  #forwardIpv6(): void {
    if (this.#options.config.forward !== false) enableIpv6Forwarding()
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

function addressesOf(endpoints: readonly EndpointRecord[]): string[] {
  return endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== '')
}

/** A device that was made for a network of this daemon which there is not (any more). */
function isOrphan({ alias, name }: LinkInfo, tag: string, known: ReadonlySet<string>): boolean {
  return alias.startsWith(`${bridgeAlias(tag)}:`) && !known.has(name)
}

/** The kernel's range for ports that programs don't choose themselves. */
function ephemeralPorts(): { first: number; last: number } {
  const [first = 32768, last = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number)
  return { first, last }
}
