/** Containers' network namespaces and the devices in them, made from the leases. Everything is synchronous. */
import { type Logger, messageOf } from '../../base/index.ts'
import { deleteNetworkNamespace } from '../../sys/index.ts'
import type { NetworkDriver } from '../drivers/network-driver.ts'
import {
  configureDevice,
  makeNamespace,
  moveDefaultRoutes,
  openNamespace,
  type SandboxDoor,
} from '../drivers/sandbox-door.ts'
import type { NetworkIndex } from '../record/network-index.ts'
import type { EndpointRecord, NetworkRecord } from '../record/network-record.ts'
import { netnsPath } from '../record/paths.ts'
import type { SandboxRecord } from '../record/sandbox-index.ts'

/** The drivers by name. `host` and `null` have none. */
export type NetworkDrivers = Readonly<Partial<Record<NetworkRecord['driver'], NetworkDriver>>>

export interface SandboxDevicesOptions {
  readonly networks: NetworkIndex
  readonly drivers: NetworkDrivers
  readonly stateDir: string
  readonly logger: Logger
}

export class SandboxDevices {
  readonly #options: SandboxDevicesOptions

  constructor(options: SandboxDevicesOptions) {
    this.#options = options
  }

  /** The file on which a sandbox's namespace is mounted. */
  pathOf({ sandboxId }: Pick<SandboxRecord, 'sandboxId'>): string {
    return netnsPath(this.#options.stateDir, sandboxId)
  }

  /** Makes the namespace with all devices, addresses and routes. `own` as in `makeNamespace`. */
  make(record: SandboxRecord, own?: string): void {
    this.#work(makeNamespace(this.pathOf(record), own), (door) => {
      for (const endpoint of record.endpoints) this.#attach(endpoint, door)
      moveDefaultRoutes(door, [], record.endpoints)
    })
  }

  /** Adds the device of an endpoint that `after` has and `before` lacks. */
  attach(endpoint: EndpointRecord, before: SandboxRecord, after: SandboxRecord): void {
    this.#work(openNamespace(this.pathOf(after)), (door) => {
      this.#attach(endpoint, door)
      moveDefaultRoutes(door, before.endpoints, after.endpoints)
    })
  }

  /** Removes the device of one of the sandbox's endpoints. The default route moves to another network if needed. */
  detach(endpoint: EndpointRecord, record: SandboxRecord): void {
    const rest = record.endpoints.filter(({ endpointId }) => endpointId !== endpoint.endpointId)
    this.#work(openNamespace(this.pathOf(record)), (door) => {
      this.#driverOf(endpoint)?.driver.detach(endpoint, door)
      moveDefaultRoutes(door, [...rest, endpoint], rest)
    })
  }

  /** Removes the namespace with all its devices. Does nothing if it does not exist. */
  remove(record: SandboxRecord): void {
    for (const endpoint of record.endpoints) {
      const { driver } = this.#driverOf(endpoint) ?? {}
      if (driver?.detachesFirst !== true) continue
      try {
        this.#work(openNamespace(this.pathOf(record)), (door) => driver.detach(endpoint, door))
      } catch (error) {
        // The namespace was not made yet, or is gone.
        this.#options.logger.debug('a device was gone before its namespace', { error: messageOf(error) })
      }
    }
    deleteNetworkNamespace(this.pathOf(record))
  }

  /** Adds the devices that a live sandbox should have but lacks: the daemon died during a connect, or a program deleted
   *  them. */
  repair(record: SandboxRecord): void {
    this.#work(openNamespace(this.pathOf(record)), (door) => {
      const links = new Map(door.route.links().map((link) => [link.name, link]))
      const withAddresses = new Set([...door.route.addresses(4), ...door.route.addresses(6)].map(({ index }) => index))
      let changed = false
      for (const endpoint of record.endpoints) {
        const link = links.get(endpoint.device)
        if (link !== undefined && (link.up || withAddresses.has(link.index))) continue
        if (link === undefined && !this.#attach(endpoint, door)) continue
        if (link !== undefined) configureDevice(door, endpoint)
        changed = true
      }
      if (changed) moveDefaultRoutes(door, [], record.endpoints)
    })
  }

  /** Adds a device; returns false for a network without devices. */
  #attach(endpoint: EndpointRecord, door: SandboxDoor): boolean {
    const found = this.#driverOf(endpoint)
    if (found === undefined) return false
    found.driver.attach(found.network, endpoint, door)
    configureDevice(door, endpoint)
    return true
  }

  #driverOf({ networkId }: EndpointRecord): { network: NetworkRecord; driver: NetworkDriver } | undefined {
    const network = this.#options.networks.get(networkId)
    const driver = network === undefined ? undefined : this.#options.drivers[network.driver]
    return network === undefined || driver === undefined ? undefined : { network, driver }
  }

  #work(door: SandboxDoor, work: (door: SandboxDoor) => void): void {
    try {
      work(door)
    } finally {
      door.close()
    }
  }
}
