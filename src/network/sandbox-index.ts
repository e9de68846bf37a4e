/** Which container has which endpoints and ports: memory in front of the database.
 *  Invariant: what is in memory is in the database; a lease is written before anything is made in the kernel. */
import { type Logger, messageOf } from '../base/index.ts'
import type { NetworkTable } from '../store/index.ts'
import type { EndpointRecord, NetworkRecord, Protocol, PublishedPort } from './network-record.ts'

/** One container's leases. */
export interface SandboxRecord {
  readonly containerId: string
  readonly sandboxId: string
  readonly endpoints: readonly EndpointRecord[]
  readonly ports: readonly PublishedPort[]
}

export class SandboxIndex {
  readonly #table: NetworkTable<NetworkRecord, EndpointRecord>
  readonly #records = new Map<string, SandboxRecord>()

  private constructor(table: NetworkTable<NetworkRecord, EndpointRecord>) {
    this.#table = table
  }

  /** Reads all leases. Those that can't be read are dropped and logged. */
  static open(table: NetworkTable<NetworkRecord, EndpointRecord>, logger: Logger): SandboxIndex {
    const index = new SandboxIndex(table)
    const endpoints = new Map<string, EndpointRecord[]>()
    const ports = Map.groupBy(table.ports(), (row) => row.containerId)
    const holders = new Set([...ports.keys(), ...table.addresses().map((row) => row.owner)])
    for (const row of table.endpoints()) {
      holders.add(row.containerId)
      try {
        const record = JSON.parse(row.json) as EndpointRecord
        endpoints.set(row.containerId, [...(endpoints.get(row.containerId) ?? []), record])
      } catch (error) {
        logger.error('broken endpoint record dropped', { container: row.containerId, error: messageOf(error) })
      }
    }
    for (const containerId of holders) {
      const [first, ...rest] = endpoints.get(containerId) ?? []
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
      const record = { containerId, sandboxId: first.sandboxId, endpoints: [first, ...rest], ports: published }
      index.#records.set(containerId, record)
    }
    return index
  }

  /** Writes a container's leases in one transaction. Throws `conflict` when the database knows one of them already. */
  add(record: SandboxRecord): void {
    const { containerId } = record
    this.#table.transaction(() => {
      for (const endpoint of record.endpoints) {
        this.#table.putEndpoint(endpoint)
        const { networkId, ipv4 } = endpoint
        if (ipv4 !== '') this.#table.insertAddress({ networkId, address: ipv4, owner: containerId })
      }
      for (const port of record.ports) this.#table.insertPort({ ...port, containerId })
    })
    this.#records.set(containerId, record)
  }

  find(containerId: string): SandboxRecord | undefined {
    return this.#records.get(containerId)
  }

  all(): SandboxRecord[] {
    return [...this.#records.values()]
  }

  /** Drops a container's leases; undefined when it has none. */
  remove(containerId: string): SandboxRecord | undefined {
    const record = this.#records.get(containerId)
    if (record === undefined) return undefined
    this.#table.release(containerId)
    this.#records.delete(containerId)
    return record
  }

  /** Notes a container's new name. */
  rename(containerId: string, containerName: string): void {
    const record = this.#records.get(containerId)
    if (record === undefined) return
    const endpoints = record.endpoints.map((endpoint) => ({ ...endpoint, containerName }))
    this.#table.transaction(() => {
      for (const endpoint of endpoints) this.#table.putEndpoint(endpoint)
    })
    this.#records.set(containerId, { ...record, endpoints })
  }
}
