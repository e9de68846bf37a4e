/** The host's ports: leases of containers and the choice of free ones.
 *  Invariant: every leased port has a bound socket, if the kernel knows the protocol. So other programs of the host
 *  get EADDRINUSE, as with any server. The exception is a lease of an earlier run whose port another program took
 *  meanwhile. */
import { BerthError, errnoOf } from '../../base/index.ts'
import { type BoundPort, bindHostPort } from '../../sys/index.ts'
import type { Protocol, PublishedPort } from '../record/network-record.ts'
import { relayDatagrams } from './datagram-relay.ts'
import { type Relay, type RelayTarget, relayConnections } from './loopback-relay.ts'

/** A range of ports, both ends included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** A port to lease on several host addresses at once, with the same number on each. */
export interface PortDemand {
  readonly protocol: Protocol
  readonly containerPort: number
  readonly hostIps: readonly string[]
  /** 0 for a random one. */
  readonly hostPort: number
  /** Last port of a range that begins with `hostPort`. The first free port of the range is taken. */
  readonly hostPortEnd?: number
}

/** Gives the current target of a published port, or undefined if there is none. */
export type TargetOf = (containerId: string, port: PublishedPort) => RelayTarget | undefined

interface Lease {
  readonly containerId: string
  readonly port: PublishedPort
  binding: BoundPort | undefined
  relay?: Relay
}

const anyAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

export class PortAllocator {
  readonly #ranges: readonly PortRange[]
  readonly #target: TargetOf
  /** The leases of each port on all addresses, by `tcp/80` and so on. */
  readonly #byPort = new Map<string, Lease[]>()
  readonly #byContainer = new Map<string, Lease[]>()
  /** Where the search for the next random port begins: an offset in each range. */
  readonly #next: number[]

  /** Random ports come from `ranges`, in their order. `target` is for ports that the daemon relays itself. */
  constructor(options: { ranges: readonly PortRange[]; target?: TargetOf }) {
    this.#ranges = options.ranges
    this.#target = options.target ?? (() => undefined)
    this.#next = options.ranges.map((range) => Math.floor(Math.random() * (range.last - range.first + 1)))
  }

  /** Leases a port for each demand, or none at all. `endpoint` names the container in errors. Throws `internal` with
   *  Docker's message if a port is in use or can't be bound. */
  take(containerId: string, endpoint: string, demands: readonly PortDemand[]): PublishedPort[] {
    const taken: Lease[] = []
    try {
      for (const demand of demands) taken.push(...this.#takeOne(containerId, endpoint, demand))
      return taken.map(({ port }) => port)
    } catch (error) {
      for (const lease of taken) this.#remove(lease)
      throw error
    }
  }

  /** Ends some leases of a container and takes others, or changes nothing. Throws as `take` does. */
  exchange(
    containerId: string,
    endpoint: string,
    leaving: readonly PublishedPort[],
    demands: readonly PortDemand[],
  ): PublishedPort[] {
    const leases = (this.#byContainer.get(containerId) ?? []).filter(({ port }) =>
      leaving.some((other) => samePort(port, other)),
    )
    for (const lease of leases) this.#remove(lease)
    try {
      return this.take(containerId, endpoint, demands)
    } catch (error) {
      for (const { port } of leases) this.restore(containerId, port)
      this.seal(containerId)
      throw error
    }
  }

  /** Takes over a lease of an earlier run. False if another program has the port now; the lease stays valid. */
  restore(containerId: string, port: PublishedPort): boolean {
    let binding: BoundPort | undefined
    let free = true
    try {
      binding = bindHostPort(port.protocol, port.hostIp, port.hostPort)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      free = false
    }
    this.#add({ containerId, port, binding })
    return free
  }

  /** To be called when the container's ports are forwarded. From now on, other programs can't bind them even with
   *  SO_REUSEADDR. Starts the relays. */
  seal(containerId: string): void {
    for (const lease of this.#byContainer.get(containerId) ?? []) {
      try {
        if (lease.binding !== undefined && isRelayed(lease.port)) this.#relay(lease, lease.binding)
        else lease.binding?.seal()
      } catch (error) {
        // EADDRINUSE: another program with SO_REUSEADDR bound the port first. The forwarding works nevertheless.
        if (errnoOf(error) === undefined) throw error
      }
    }
  }

  /** Ends all leases of a container. Does nothing if it has none. */
  release(containerId: string): void {
    for (const lease of this.#byContainer.get(containerId) ?? []) this.#giveBack(lease)
    this.#byContainer.delete(containerId)
  }

  /** Closes all sockets and relays. The leases in the database stay. */
  close(): void {
    for (const leases of this.#byContainer.values()) {
      for (const lease of leases) {
        lease.binding?.close()
        lease.relay?.close()
      }
    }
  }

  #takeOne(containerId: string, endpoint: string, demand: PortDemand): Lease[] {
    const { hostPort, hostIps } = demand
    const candidates = hostPort === 0 ? this.#randomPorts() : portsFrom(hostPort, demand.hostPortEnd || hostPort)
    for (const candidate of candidates) {
      const leases = this.#tryBindAll(containerId, endpoint, demand, candidate)
      if (leases !== undefined) return leases
    }
    const where = `${formatHost(hostIps[0] ?? '')}:${hostPort}`
    const reason = hostPort === 0 ? 'all ports are allocated' : `Bind for ${where} failed: port is already allocated`
    throw failure(endpoint, reason)
  }

  /** Leases one port on all addresses of the demand. Undefined if it is in use on one of them. */
  #tryBindAll(containerId: string, endpoint: string, demand: PortDemand, hostPort: number): Lease[] | undefined {
    const { protocol, containerPort, hostIps } = demand
    const leases: Lease[] = []
    try {
      for (const hostIp of hostIps) {
        const lease = this.#tryBind(containerId, endpoint, { protocol, containerPort, hostIp, hostPort })
        if (lease === undefined) return undefined
        this.#add(lease)
        leases.push(lease)
      }
      return leases.splice(0)
    } finally {
      // After success the list is empty.
      for (const lease of leases) this.#remove(lease)
    }
  }

  #tryBind(containerId: string, endpoint: string, port: PublishedPort): Lease | undefined {
    const others = this.#byPort.get(keyOf(port.protocol, port.hostPort)) ?? []
    if (others.some((lease) => addressesOverlap(lease.port.hostIp, port.hostIp))) return undefined
    try {
      return { containerId, port, binding: bindHostPort(port.protocol, port.hostIp, port.hostPort) }
    } catch (cause) {
      if (errnoOf(cause) === 'EADDRINUSE') return undefined
      if (errnoOf(cause) === undefined) throw cause
      const reason = errnoOf(cause) === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : String(errnoOf(cause))
      throw failure(
        endpoint,
        `failed to bind host port ${formatHost(port.hostIp)}:${port.hostPort}/${port.protocol}: ${reason}`,
        cause,
      )
    }
  }

  #add(lease: Lease): void {
    const key = keyOf(lease.port.protocol, lease.port.hostPort)
    const atPort = this.#byPort.get(key)
    if (atPort === undefined) this.#byPort.set(key, [lease])
    else atPort.push(lease)
    const ofContainer = this.#byContainer.get(lease.containerId)
    if (ofContainer === undefined) this.#byContainer.set(lease.containerId, [lease])
    else ofContainer.push(lease)
  }

  #remove(lease: Lease): void {
    this.#giveBack(lease)
    const rest = (this.#byContainer.get(lease.containerId) ?? []).filter((other) => other !== lease)
    if (rest.length > 0) this.#byContainer.set(lease.containerId, rest)
    else this.#byContainer.delete(lease.containerId)
  }

  #relay(lease: Lease, binding: BoundPort): void {
    const { containerId, port } = lease
    const relay = port.protocol === 'udp' ? relayDatagrams : relayConnections
    lease.relay = relay(binding.takeFd(), () => this.#target(containerId, port))
    lease.binding = undefined
  }

  #giveBack(lease: Lease): void {
    lease.binding?.close()
    lease.relay?.close()
    const key = keyOf(lease.port.protocol, lease.port.hostPort)
    const rest = (this.#byPort.get(key) ?? []).filter((other) => other !== lease)
    if (rest.length > 0) this.#byPort.set(key, rest)
    else this.#byPort.delete(key)
  }

  *#randomPorts(): Generator<number> {
    for (const [index, range] of this.#ranges.entries()) {
      const count = range.last - range.first + 1
      for (let tries = 0; tries < count; tries += 1) {
        const offset = (this.#next[index] ?? 0) % count
        this.#next[index] = offset + 1
        yield range.first + offset
      }
    }
  }
}

/** True for ports that may need a relay: IPv6 addresses of the host. What the packet filter can translate never reaches
 *  the relay. */
function isRelayed({ protocol, hostIp }: PublishedPort): boolean {
  return protocol !== 'sctp' && hostIp.includes(':')
}

function samePort(one: PublishedPort, other: PublishedPort): boolean {
  return one.protocol === other.protocol && one.hostIp === other.hostIp && one.hostPort === other.hostPort
}

function* portsFrom(first: number, last: number): Generator<number> {
  for (let port = first; port <= last; port += 1) yield port
}

function keyOf(protocol: Protocol, port: number): string {
  return `${protocol}/${port}`
}

function addressesOverlap(one: string, other: string): boolean {
  if (one.includes(':') !== other.includes(':')) return false
  return one === other || anyAddresses.has(one) || anyAddresses.has(other)
}

/** An address in the form that precedes a colon and a port. */
function formatHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** An error with Docker's message, which clients search for. */
function failure(endpoint: string, reason: string, cause?: unknown): BerthError {
  const message = `driver failed programming external connectivity on endpoint ${endpoint}: ${reason}`
  return new BerthError('internal', message, cause === undefined ? {} : { cause })
}
