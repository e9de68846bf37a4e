/** The endpoints and ports of each container, in memory and in the database.
 *  Invariant: memory holds nothing that the database lacks. A lease is written before its device is made. */
import { type Logger, messageOf } from '../../base/index.ts'
import type { SandboxTable } from '../../store/index.ts'
import { completeEndpointRecord, type EndpointRecord, type Protocol, type PublishedPort } from './network-record.ts'

/** One container's leases. */
export interface SandboxRecord {
  readonly containerId: string
  readonly containerName: string
  readonly sandboxId: string
  /** In the order of their devices. */
  readonly endpoints: readonly EndpointRecord[]
  readonly ports: readonly PublishedPort[]
}

type Table = SandboxTable<StoredEndpoint>

/** A row of the table of endpoints. A sandbox without networks has one row, whose network is ''. */
export type StoredEndpoint = EndpointRecord | Placeholder
interface Placeholder {
  readonly containerId: string
  readonly containerName: string
  readonly sandboxId: string
  readonly networkId: ''
}

export class SandboxIndex {
  readonly #table: Table
  readonly #records = new Map<string, SandboxRecord>()
  /** The same endpoints by network. */
  readonly #byNetwork = new Map<string, Map<string, EndpointRecord>>()

  private constructor(table: Table) {
    this.#table = table
  }

  /** Reads all leases. A lease that can't be read is logged and dropped. */
  static open(table: Table, logger: Logger): SandboxIndex {
    const index = new SandboxIndex(table)
    const rows = new Map<string, StoredEndpoint[]>()
    const ports = Map.groupBy(table.ports(), (row) => row.containerId)
    const holders = new Set([...ports.keys(), ...table.addresses().map((row) => row.owner)])
    for (const row of table.endpoints()) {
      holders.add(row.containerId)
      try {
        const record = JSON.parse(row.json) as StoredEndpoint
        rows.set(row.containerId, [...(rows.get(row.containerId) ?? []), record])
      } catch (error) {
        logger.error('broken endpoint record dropped', { container: row.containerId, error: messageOf(error) })
      }
    }
    for (const containerId of holders) {
      const found = rows.get(containerId) ?? []
      const [first] = found
      if (first === undefined) {
        table.release(containerId)
        continue
      }
      const published = (ports.get(containerId) ?? []).map(({ protocol, hostIp, hostPort, containerPort }) => ({
        protocol: protocol as Protocol,
        containerPort,
        hostIp,
        hostPort,
      }))
      const endpoints = found.flatMap((row) =>
        row.networkId === '' ? [] : [completeEndpointRecord(row as EndpointRecord)],
      )
      endpoints.sort((one, other) => one.device.localeCompare(other.device, 'en', { numeric: true }))
      const { containerName, sandboxId } = first
      index.#remember({ containerId, containerName, sandboxId, endpoints, ports: published })
    }
    return index
  }

  /** Writes a container's leases in one transaction. Throws `conflict` if one of its addresses or ports is leased. */
  add(record: SandboxRecord): void {
    this.#table.transaction(() => {
      for (const endpoint of record.endpoints) this.#insert(endpoint)
      if (record.endpoints.length === 0) this.#table.putEndpoint(placeholderOf(record))
      this.#insertPorts(record)
    })
    this.#remember(record)
  }

  /** Adds an endpoint, and ports that were leased with it, to a container that has leases. Throws as `add` does. */
  addEndpoint(containerId: string, endpoint: EndpointRecord, ports: readonly PublishedPort[]): SandboxRecord {
    const record = this.#get(containerId)
    const next = { ...record, endpoints: [...record.endpoints, endpoint], ports: [...record.ports, ...ports] }
    this.#table.transaction(() => {
      this.#insert(endpoint)
      this.#insertPorts({ containerId, ports })
      if (record.endpoints.length === 0) this.#table.releaseEndpoint(containerId, '')
    })
    this.#remember(next)
    return next
  }

  /** Drops one endpoint with its addresses. The container keeps its ports. */
  removeEndpoint(containerId: string, networkId: string): SandboxRecord {
    const record = this.#get(containerId)
    const next = { ...record, endpoints: record.endpoints.filter((endpoint) => endpoint.networkId !== networkId) }
    this.#table.transaction(() => {
      this.#table.releaseEndpoint(containerId, networkId)
      if (next.endpoints.length === 0) this.#table.putEndpoint(placeholderOf(next))
    })
    this.#remember(next)
    return next
  }

  /** Replaces a container's ports. */
  setPorts(containerId: string, ports: readonly PublishedPort[]): SandboxRecord {
    const next = { ...this.#get(containerId), ports }
    this.#table.transaction(() => {
      this.#table.releasePorts(containerId)
      this.#insertPorts(next)
    })
    this.#remember(next)
    return next
  }

  find(containerId: string): SandboxRecord | undefined {
    return this.#records.get(containerId)
  }

  all(): SandboxRecord[] {
    return [...this.#records.values()]
  }

  /** The endpoints of a network. */
  ofNetwork(networkId: string): EndpointRecord[] {
    return [...(this.#byNetwork.get(networkId)?.values() ?? [])]
  }

  /** Drops a container's leases and gives them; undefined if it has none. */
  remove(containerId: string): SandboxRecord | undefined {
    const record = this.#records.get(containerId)
    if (record === undefined) return undefined
    this.#table.release(containerId)
    this.#forget(record)
    return record
  }

  /** Changes a container's name, in its endpoints and DNS names too. Undefined if it has no leases. */
  rename(containerId: string, containerName: string): SandboxRecord | undefined {
    const record = this.#records.get(containerId)
    if (record === undefined) return undefined
    const endpoints = record.endpoints.map((endpoint) => ({
      ...endpoint,
      containerName,
      dnsNames: endpoint.dnsNames.map((name) => (name === record.containerName ? containerName : name)),
    }))
    const next = { ...record, containerName, endpoints }
    this.#table.transaction(() => {
      for (const endpoint of endpoints) this.#table.putEndpoint(endpoint)
      if (endpoints.length === 0) this.#table.putEndpoint(placeholderOf(next))
    })
    this.#remember(next)
    return next
  }

  #insert(endpoint: EndpointRecord): void {
    this.#table.putEndpoint(endpoint)
    const { networkId, containerId: owner } = endpoint
    for (const address of [endpoint.ipv4, endpoint.ipv6]) {
      if (address !== '') this.#table.insertAddress({ networkId, address, owner })
    }
  }

  #insertPorts({ containerId, ports }: Pick<SandboxRecord, 'containerId' | 'ports'>): void {
    for (const port of ports) this.#table.insertPort({ ...port, containerId })
  }

  #get(containerId: string): SandboxRecord {
    const record = this.#records.get(containerId)
    if (record === undefined) throw new Error(`container ${containerId} has no network leases`)
    return record
  }

  #remember(record: SandboxRecord): void {
    const before = this.#records.get(record.containerId)
    if (before !== undefined) this.#forget(before)
    this.#records.set(record.containerId, record)
    for (const endpoint of record.endpoints) {
      const members = this.#byNetwork.get(endpoint.networkId) ?? new Map<string, EndpointRecord>()
      members.set(endpoint.containerId, endpoint)
      this.#byNetwork.set(endpoint.networkId, members)
    }
  }

  #forget(record: SandboxRecord): void {
    this.#records.delete(record.containerId)
    for (const { networkId, containerId } of record.endpoints) {
      const members = this.#byNetwork.get(networkId)
      members?.delete(containerId)
      if (members?.size === 0) this.#byNetwork.delete(networkId)
    }
  }
}

function placeholderOf({ containerId, containerName, sandboxId }: SandboxRecord): Placeholder {
  return { containerId, containerName, sandboxId, networkId: '' }
}
