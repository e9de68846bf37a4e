import { conflict, isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** A lease of an address in a network. */
export interface AddressRow {
  readonly networkId: string
  readonly address: string
  /** Id of the container that holds it. */
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

/** Rows of what containers hold in networks: endpoints, addresses and host ports. `E` is the record of an endpoint, which
 *  the network layer defines. */
export class SandboxTable<E extends { readonly containerId: string; readonly networkId: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** All changes that `work` makes are kept, or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }

  /** Adds a lease. Throws `conflict` when the address is leased already. */
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

  /** Every leased address, in no order. */
  addresses(): AddressRow[] {
    return this.#db.all('SELECT network_id, address, owner FROM addresses').map((row) => ({
      networkId: String(row.network_id),
      address: String(row.address),
      owner: String(row.owner),
    }))
  }

  /** Adds a lease. Throws `conflict` when the port of exactly this host address is leased already. */
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

  /** Every leased port, ordered by container port, then host port. */
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

  /** Adds or replaces an endpoint. */
  putEndpoint(record: E): void {
    this.#db.run(
      'INSERT OR REPLACE INTO endpoints (container_id, network_id, record) VALUES (?, ?, ?)',
      record.containerId,
      record.networkId,
      JSON.stringify(record),
    )
  }

  /** Every endpoint, as JSON text: the caller parses each one, so that one broken record does not hide the others. */
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
    if (isKind(cause, 'alreadyExists')) throw conflict(message, { cause })
    throw cause
  }
}
