/** Host ports: who has which, which is free, and keeping other programs off them.
 *  Invariant: a port that is leased here has a bound socket (where the kernel knows the protocol), so the host's
 *  other programs get EADDRINUSE as they would beside any server. */
import { BerthError, errnoOf } from '../../base/index.ts'
import { type BoundPort, bindHostPort } from '../../sys/index.ts'
import type { Protocol, PublishedPort } from '../record/network-record.ts'
import { relayDatagrams } from './datagram-relay.ts'
import { type Relay, type RelayTarget, relayConnections } from './loopback-relay.ts'

/** Ports that are tried first for a random one, then the kernel's ephemeral range. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** A port to be taken on all of some host addresses at once, under the same number. */
export interface PortDemand {
  readonly protocol: Protocol
  readonly containerPort: number
  readonly hostIps: readonly string[]
  /** 0 for a random one. */
  readonly hostPort: number
  /** Last port of a range to choose the first free one from. */
  readonly hostPortEnd?: number
}

/** Where connections to a published port of a container go now. */
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
  /** By `tcp/80`: all leases of that number, on whatever address. */
  readonly #byPort = new Map<string, Lease[]>()
  readonly #byContainer = new Map<string, Lease[]>()
  /** Where the next random port is looked for, an offset in each range. */
  readonly #next: number[]

  /** `target` says where a container's port is to be found. */
  constructor(options: { ranges: readonly PortRange[]; target?: TargetOf }) {
    this.#ranges = options.ranges
    this.#target = options.target ?? (() => undefined)
    this.#next = options.ranges.map((range) => Math.floor(Math.random() * (range.last - range.first + 1)))
  }

  /** Takes a port for each demand, or none at all. `endpoint` names the holder in the error. */
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

  /** Gives some of a container's ports back and takes others, or leaves all as it was. */
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

  /** Takes up a lease of an earlier run. False when another program has the port now; the lease stands all the same. */
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

  /** To be called when the container's ports are forwarded: from here on no program can reuse the addresses. */
  seal(containerId: string): void {
    for (const lease of this.#byContainer.get(containerId) ?? []) {
      try {
        if (lease.binding !== undefined && isRelayed(lease.port)) this.#relay(lease, lease.binding)
        else lease.binding?.seal()
      } catch (error) {
        // EADDRINUSE: a program that reuses addresses came in between. The forwarding works all the same.
        if (errnoOf(error) === undefined) throw error
      }
    }
  }

  /** Gives a container's ports back; again is no error. */
  release(containerId: string): void {
    for (const lease of this.#byContainer.get(containerId) ?? []) this.#giveBack(lease)
    this.#byContainer.delete(containerId)
  }

  /** Gives all sockets back (the leases themselves stand). */
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

  /** The leases of one number on all the demand's addresses, or undefined when one of them has it taken. */
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
      // Empty when all went well.
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

/** ::1 is beyond the packet filter, and so is a container that has no IPv6. Whatever the packet filter forwards does not
 *  come here. */
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

/** An address as it stands before a colon and a port. */
function formatHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Docker's wording, which clients look for. */
function failure(endpoint: string, reason: string, cause?: unknown): BerthError {
  const message = `driver failed programming external connectivity on endpoint ${endpoint}: ${reason}`
  return new BerthError('internal', message, cause === undefined ? {} : { cause })
}
