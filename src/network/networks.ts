/** Networks of the engine and every container's part in them.
 *  Order of a set-up: leases in the database (`reserve`), then namespace and devices, then published ports; a crash
 *  between any two leaves leases of a container that does not run, which `restore` drops with all that belongs to them.
 *  Kernel work is synchronous on the calling thread (about 2 ms); only the packet filter is waited for. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, internal, invalidArgument, type Logger, newId, notFound, shortId, Undo } from '../base/index.ts'
import { type Database, NetworkTable } from '../store/index.ts'
import { deleteLink, deleteNetworkNamespace, RouteSocket, setLink } from '../sys/index.ts'
import { AddressPool } from './address-pool.ts'
import { enableForwarding, ensureBridge, makeSandbox, removeLink } from './bridge-device.ts'
import { Firewall } from './firewall.ts'
import { FirewallRepair } from './firewall-repair.ts'
import type { FirewallBridge, Forwarding } from './firewall-rules.ts'
import { withHostLock } from './host-lock.ts'
import { macOfAddress, parseCidr } from './ipv4.ts'
import type { EndpointRecord, NetworkInspect, NetworkRecord, Sandbox, SandboxRequest } from './network-record.ts'
import { bridgeAlias, instanceTag, netnsPath, tableName, vethName, vethPrefix } from './paths.ts'
import { PortAllocator } from './port-allocator.ts'
import { bridgeDeviceOf, type NetworkConfig, predefinedNetworks, withBridgeDevice } from './predefined.ts'
import { SandboxIndex, type SandboxRecord } from './sandbox-index.ts'

export interface NetworksOptions {
  readonly db: Database
  /** Where namespaces are kept: `<exec-root>/netns`. */
  readonly stateDir: string
  readonly logger: Logger
  readonly config: NetworkConfig
  /** What tells this daemon from others on the host, the same at each start (its data root). */
  readonly instance: string
}

const randomPorts = { first: 49000, last: 49900 } as const

export class Networks {
  readonly #options: NetworksOptions
  readonly #tag: string
  readonly #table: NetworkTable<NetworkRecord, EndpointRecord>
  readonly #sandboxes: SandboxIndex
  readonly #firewall: Firewall
  readonly #repair: FirewallRepair
  readonly #ports: PortAllocator
  readonly #host: RouteSocket
  readonly #records = new Map<string, NetworkRecord>()
  readonly #pools = new Map<string, AddressPool>()
  /** Index of each bridge's device, by network. */
  readonly #bridges = new Map<string, number>()

  private constructor(options: NetworksOptions) {
    this.#options = options
    this.#tag = instanceTag(options.instance)
    this.#table = new NetworkTable(options.db)
    this.#sandboxes = SandboxIndex.open(this.#table, options.logger)
    this.#ports = new PortAllocator({
      defaultAddress: options.config.hostIp,
      ranges: [randomPorts, ephemeralPorts()],
    })
    this.#firewall = new Firewall(tableName(this.#tag), () => this.#firewallState(), options.logger)
    this.#repair = new FirewallRepair({
      table: tableName(this.#tag),
      rebuild: () => this.#firewall.rebuild(),
      logger: options.logger,
    })
    this.#host = RouteSocket.open()
  }

  /** Reads what is known. Nothing can be set up before `restore` has made the world fit it. */
  static async open(options: NetworksOptions): Promise<Networks> {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o755 })
    const networks = new Networks(options)
    const known = networks.#table.all()
    const created = predefinedNetworks(new Set(known.map((record) => record.name)))
    networks.#table.transaction(() => {
      for (const record of created) networks.#table.put(record)
    })
    for (const record of [...known, ...created]) networks.#records.set(record.id, record)
    return networks
  }

  /** Makes bridge, rules and port reservations what the database says, for the containers in `live`;
   *  takes away leases, namespaces and devices of all others. */
  async restore(live: ReadonlySet<string>): Promise<void> {
    for (const { containerId } of this.#sandboxes.all()) {
      if (!live.has(containerId)) this.#sandboxes.remove(containerId)
    }
    this.#dropOrphanNamespaces()
    await this.#restoreBridge()
    enableForwarding()
    this.#restoreDevices()
    await this.#firewall.rebuild()
    this.#repair.start()
    for (const record of this.#sandboxes.all()) this.#restorePorts(record)
  }

  /** Leases an address and host ports for a container, in one transaction and without touching the kernel's devices.
   *  Throws `notFound` for an unknown network, `internal` with Docker's words when a port is taken. */
  reserve(request: SandboxRequest): Sandbox {
    const { containerId } = request
    this.#release(containerId)
    const network = this.#find(request.mode === 'default' || request.mode === '' ? 'bridge' : request.mode)
    if (network.driver === 'host') throw internal('the host network has no sandbox')
    const endpoint = this.#newEndpoint(network, request)
    try {
      const wanted = network.driver === 'bridge' ? request.ports : []
      const ports = this.#ports.take(containerId, `${request.name} (${endpoint.endpointId})`, wanted)
      this.#sandboxes.add({ containerId, sandboxId: endpoint.sandboxId, endpoints: [endpoint], ports })
    } catch (error) {
      this.#ports.release(containerId)
      this.#giveBack(endpoint)
      throw error
    }
    return this.#toSandbox(this.#reserved(containerId))
  }

  /** Makes a container's namespace with its devices and publishes its ports; reserves first if that was not done.
   *  When a step fails, everything (the leases too) is taken back. */
  async setUp(request: SandboxRequest): Promise<Sandbox> {
    if (this.#sandboxes.find(request.containerId) === undefined) this.reserve(request)
    const record = this.#reserved(request.containerId)
    await using undo = new Undo()
    undo.add(() => this.#release(request.containerId))
    for (const endpoint of record.endpoints) this.#makeSandbox(record, endpoint)
    await this.#firewall.publish(forwardingsOf(record))
    this.#ports.seal(record.containerId)
    undo.disarm()
    return this.#toSandbox(record)
  }

  /** Takes away a container's namespace, ports and leases. Again, or for a container without any, is no error. */
  async tearDown(containerId: string): Promise<void> {
    this.#release(containerId)
  }

  /** A container's network as it is now, or undefined. */
  sandbox(containerId: string): Sandbox | undefined {
    const record = this.#sandboxes.find(containerId)
    return record === undefined ? undefined : this.#toSandbox(record)
  }

  /** Notes a container's new name. */
  rename(containerId: string, name: string): void {
    this.#sandboxes.rename(containerId, name)
  }

  list(): NetworkRecord[] {
    return [...this.#records.values()]
  }

  /** A network by name, id or unambiguous start of an id. Throws `notFound`. */
  inspect(nameOrId: string): NetworkInspect {
    const network = this.#find(nameOrId)
    const endpoints = this.#sandboxes.all().flatMap((record) => record.endpoints)
    return { ...network, containers: endpoints.filter((endpoint) => endpoint.networkId === network.id) }
  }

  /** Ends the work. With `remove`, takes away everything that this daemon made on the host. */
  async close(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#repair.close()
    await this.#firewall.settle()
    if (options.remove === true) {
      for (const { containerId } of this.#sandboxes.all()) this.#release(containerId)
      await this.#firewall.destroy()
      this.#dropOrphanNamespaces()
      this.#restoreDevices()
      for (const index of this.#bridges.values()) removeLink(this.#host, index)
    }
    this.#ports.close()
    this.#host.close()
  }

  async #restoreBridge(): Promise<void> {
    const { config, logger } = this.#options
    const network = this.#find('bridge')
    const wanted = bridgeDeviceOf(network)
    const leases = this.#sandboxes.all().flatMap((record) => record.endpoints)
    const pinned = leases.some((endpoint) => endpoint.networkId === network.id && endpoint.ipv4 !== '')
    const alias = bridgeAlias(this.#tag)
    const options = { alias, mtu: config.mtu, fixed: config.bip, wanted, pinned }
    // The record is written under the lock: a daemon killed after this finds its own bridge by the alias anyway.
    const bridge = await withHostLock(() => ensureBridge(this.#host, options))
    const record = withBridgeDevice(network, bridge, config)
    this.#table.put(record)
    this.#records.set(record.id, record)
    this.#bridges.set(record.id, bridge.index)
    const taken = leases.filter((endpoint) => endpoint.networkId === record.id).map((endpoint) => endpoint.ipv4)
    this.#pools.set(record.id, new AddressPool(parseCidr(bridge.subnet).subnet, [bridge.gateway, ...taken]))
    logger.info('default bridge ready', { device: bridge.device, subnet: bridge.subnet })
  }

  #dropOrphanNamespaces(): void {
    const { stateDir } = this.#options
    const kept = new Set(this.#sandboxes.all().map((record) => netnsPath(stateDir, record.sandboxId)))
    for (const name of readdirSync(stateDir)) {
      const path = join(stateDir, name)
      if (!kept.has(path)) deleteNetworkNamespace(path)
    }
  }

  /** Puts live containers' devices back on a bridge that was made anew; deletes those of containers that are gone. */
  #restoreDevices(): void {
    const endpoints = this.#sandboxes.all().flatMap((record) => record.endpoints)
    const owners = new Map(endpoints.map((endpoint) => [endpoint.veth, endpoint]))
    const orphans: number[] = []
    for (const link of this.#host.links()) {
      if (!link.name.startsWith(vethPrefix(this.#tag))) continue
      const owner = owners.get(link.name)
      const master = owner === undefined ? undefined : this.#bridges.get(owner.networkId)
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
      if (this.#ports.restore(record.containerId, port)) continue
      const { hostIp, hostPort, protocol } = port
      this.#options.logger.warn('another program uses a published port', { hostIp, hostPort, protocol })
    }
    this.#ports.seal(record.containerId)
  }

  #newEndpoint(network: NetworkRecord, request: SandboxRequest): EndpointRecord {
    const { containerId, name, hostname } = request
    const endpointId = newId()
    const [range] = network.ipam
    const base = {
      version: 1,
      containerId,
      containerName: name,
      sandboxId: newId(),
      networkId: network.id,
      networkName: network.name,
      endpointId,
      aliases: request.aliases ?? [],
      dnsNames: [...new Set([name, ...(request.aliases ?? []), shortId(containerId), hostname])],
    } as const
    if (network.driver !== 'bridge') return { ...base, ipv4: '', prefix: 0, gateway: '', mac: '', veth: '' }
    const pool = this.#pools.get(network.id)
    if (pool === undefined || range === undefined) throw internal(`network ${network.name} is not ready`)
    if (request.ipv4 !== undefined && network.name === 'bridge') {
      throw invalidArgument('user specified IP address is supported on user defined networks only')
    }
    if (request.ipv4 !== undefined) pool.takeExactly(request.ipv4)
    const ipv4 = request.ipv4 ?? pool.take()
    return {
      ...base,
      ipv4,
      prefix: parseCidr(range.subnet).subnet.prefix,
      gateway: range.gateway,
      mac: request.macAddress ?? macOfAddress(ipv4),
      veth: vethName(this.#tag, endpointId),
    }
  }

  #makeSandbox(record: SandboxRecord, endpoint: EndpointRecord): void {
    const path = netnsPath(this.#options.stateDir, record.sandboxId)
    const bridge = this.#records.get(endpoint.networkId)?.bridge
    const index = this.#bridges.get(endpoint.networkId)
    if (bridge === undefined || index === undefined) makeSandbox(this.#host, path)
    else makeSandbox(this.#host, path, { endpoint, bridge: index, mtu: bridge.mtu, icc: bridge.icc })
  }

  #release(containerId: string): void {
    const record = this.#sandboxes.remove(containerId)
    if (record === undefined) return
    this.#firewall.withdraw(forwardingsOf(record))
    this.#ports.release(containerId)
    deleteNetworkNamespace(netnsPath(this.#options.stateDir, record.sandboxId))
    for (const endpoint of record.endpoints) this.#giveBack(endpoint)
  }

  #giveBack(endpoint: EndpointRecord): void {
    if (endpoint.ipv4 !== '') this.#pools.get(endpoint.networkId)?.giveBack(endpoint.ipv4)
  }

  #firewallState(): { bridges: FirewallBridge[]; forwardings: Forwarding[] } {
    const bridges = this.list().flatMap(({ bridge, ipam: [range] }) =>
      bridge === undefined || range === undefined
        ? []
        : [{ device: bridge.device, icc: bridge.icc, subnet: parseCidr(range.subnet).subnet }],
    )
    return { bridges, forwardings: this.#sandboxes.all().flatMap(forwardingsOf) }
  }

  #find(nameOrId: string): NetworkRecord {
    const all = this.list()
    const exact = all.find((record) => record.name === nameOrId) ?? this.#records.get(nameOrId)
    if (exact !== undefined) return exact
    const matches = nameOrId === '' ? [] : all.filter((record) => record.id.startsWith(nameOrId))
    if (matches.length > 1) throw invalidArgument(`network ${nameOrId} is ambiguous (${matches.length} matches found)`)
    const [match] = matches
    if (match === undefined) throw notFound(`network ${nameOrId} not found`)
    return match
  }

  #reserved(containerId: string): SandboxRecord {
    const record = this.#sandboxes.find(containerId)
    if (record === undefined) throw internal(`container ${containerId} has no network leases`)
    return record
  }

  #toSandbox({ containerId, sandboxId, endpoints, ports }: SandboxRecord): Sandbox {
    return { containerId, sandboxId, netnsPath: netnsPath(this.#options.stateDir, sandboxId), endpoints, ports }
  }
}

function forwardingsOf(record: SandboxRecord): Forwarding[] {
  const address = record.endpoints.find((endpoint) => endpoint.ipv4 !== '')?.ipv4
  return address === undefined ? [] : record.ports.map((port) => ({ port, address }))
}

/** The kernel's range for ports that programs don't choose themselves. */
function ephemeralPorts(): { first: number; last: number } {
  const [first = 32768, last = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number)
  return { first, last }
}
