import { BerthError, conflict, isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** A lease of an address: `owner` is the container that holds it. */
export interface AddressRow {
  readonly networkId: string
  readonly address: string
  readonly owner: string
}

/** A lease of a host port. */
export interface PortRow {
  readonly protocol: string
  readonly hostIp: string
  readonly hostPort: number
  readonly containerId: string
  readonly containerPort: number
}

/** Rows of networks with their leases and endpoints. `N` and `E` are the records, which the network layer defines. */
export class NetworkTable<
  N extends { readonly id: string; readonly name: string },
  E extends { readonly containerId: string; readonly networkId: string },
> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** All changes that `work` makes are kept, or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }

  /** Adds or replaces a network. Throws `conflict` when another one has the name. */
  put(record: N): void {
    try {
      this.#db.run(
        'INSERT INTO networks (id, name, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
        record.id,
        record.name,
        JSON.stringify(record),
      )
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) throw conflict(`network name in use: ${record.name}`, { cause })
      throw cause
    }
  }

  delete(id: string): void {
    this.#db.run('DELETE FROM networks WHERE id = ?', id)
  }

  /** Every network, as text still to be parsed, so that a broken record harms no other. */
  all(): { readonly id: string; readonly name: string; readonly json: string }[] {
    return this.#db.all('SELECT id, name, record FROM networks').map((row) => ({
      id: String(row.id),
      name: String(row.name),
      json: String(row.record),
    }))
  }

  /** Throws `conflict` when the address is leased already. */
  insertAddress(row: AddressRow): void {
    refuseDouble(`address ${row.address} is leased already`, () =>
      this.#db.run(
        'INSERT INTO addresses (network_id, address, owner) VALUES (?, ?, ?)',
        row.networkId,
        row.address,
        row.owner,
      ),
    )
  }

  addresses(): AddressRow[] {
    return this.#db.all('SELECT network_id, address, owner FROM addresses').map((row) => ({
      networkId: String(row.network_id),
      address: String(row.address),
      owner: String(row.owner),
    }))
  }

  /** Throws `conflict` when that port of that very address is leased already. */
  insertPort(row: PortRow): void {
    refuseDouble(`port ${row.hostIp}:${row.hostPort}/${row.protocol} is leased already`, () =>
      this.#db.run(
        'INSERT INTO ports (protocol, host_ip, host_port, container_id, container_port) VALUES (?, ?, ?, ?, ?)',
        row.protocol,
        row.hostIp,
        row.hostPort,
        row.containerId,
        row.containerPort,
      ),
    )
  }

  /** Drops a container's ports. */
  releasePorts(containerId: string): void {
    this.#db.run('DELETE FROM ports WHERE container_id = ?', containerId)
  }

  ports(): PortRow[] {
    return this.#db
      .all(
        'SELECT protocol, host_ip, host_port, container_id, container_port FROM ports ORDER BY container_port, host_port',
      )
      .map((row) => ({
        protocol: String(row.protocol),
        hostIp: String(row.host_ip),
        hostPort: Number(row.host_port),
        containerId: String(row.container_id),
        containerPort: Number(row.container_port),
      }))
  }

  putEndpoint(record: E): void {
    this.#db.run(
      'INSERT OR REPLACE INTO endpoints (container_id, network_id, record) VALUES (?, ?, ?)',
      record.containerId,
      record.networkId,
      JSON.stringify(record),
    )
  }

  /** Every endpoint, as text still to be parsed, so that a broken record harms no other. */
  endpoints(): { readonly containerId: string; readonly networkId: string; readonly json: string }[] {
    return this.#db.all('SELECT container_id, network_id, record FROM endpoints').map((row) => ({
      containerId: String(row.container_id),
      networkId: String(row.network_id),
      json: String(row.record),
    }))
  }

  /** Drops a container's membership in a network with its addresses. */
  releaseEndpoint(containerId: string, networkId: string): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM addresses WHERE owner = ? AND network_id = ?', containerId, networkId)
      this.#db.run('DELETE FROM endpoints WHERE container_id = ? AND network_id = ?', containerId, networkId)
    })
  }

  /** Drops all that a container holds: endpoints, addresses, ports. */
  release(containerId: string): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM ports WHERE container_id = ?', containerId)
      this.#db.run('DELETE FROM addresses WHERE owner = ?', containerId)
      this.#db.run('DELETE FROM endpoints WHERE container_id = ?', containerId)
    })
  }
}

function refuseDouble(message: string, work: () => unknown): void {
  try {
    work()
  } catch (cause) {
    if (isKind(cause, 'alreadyExists')) throw new BerthError('conflict', message, { cause })
    throw cause
  }
}
