/** Host ports: who has which, which is free, and keeping other programs off them.
 *  Invariant: a port that is leased here has a bound socket (where the kernel knows the protocol), so the host's
 *  other programs get EADDRINUSE as they would beside any server. */
import { BerthError, errnoOf, notImplemented } from '../base/index.ts'
import { type BoundPort, bindHostPort } from '../sys/index.ts'
import type { PortRequest, Protocol, PublishedPort } from './network-record.ts'

/** Ports that are tried first for a random one, then the kernel's ephemeral range. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

interface Lease {
  readonly containerId: string
  readonly port: PublishedPort
  binding: BoundPort | undefined
}

const anyAddress = '0.0.0.0'

export class PortAllocator {
  readonly #ranges: readonly PortRange[]
  readonly #defaultAddress: string
  /** By `tcp/80`: all leases of that number, on whatever address. */
  readonly #byPort = new Map<string, Lease[]>()
  readonly #byContainer = new Map<string, Lease[]>()
  /** Where the next random port is looked for, an offset in each range. */
  readonly #next: number[]

  constructor(options: { defaultAddress: string; ranges: readonly PortRange[] }) {
    this.#defaultAddress = options.defaultAddress
    this.#ranges = options.ranges
    this.#next = options.ranges.map((range) => Math.floor(Math.random() * (range.last - range.first + 1)))
  }

  /** Takes a port for each request, or none at all. `endpoint` names the holder in the error. */
  take(containerId: string, endpoint: string, requests: readonly PortRequest[]): PublishedPort[] {
    try {
      return requests.map((request) => this.#takeOne(containerId, endpoint, request))
    } catch (error) {
      this.release(containerId)
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
        lease.binding?.seal()
      } catch (error) {
        // EADDRINUSE: a program that reuses addresses came in between. The forwarding works all the same.
        if (errnoOf(error) === undefined) throw error
      }
    }
  }

  /** Gives a container's ports back; again is no error. */
  release(containerId: string): void {
    for (const lease of this.#byContainer.get(containerId) ?? []) {
      lease.binding?.close()
      const key = keyOf(lease.port.protocol, lease.port.hostPort)
      const rest = (this.#byPort.get(key) ?? []).filter((other) => other !== lease)
      if (rest.length > 0) this.#byPort.set(key, rest)
      else this.#byPort.delete(key)
    }
    this.#byContainer.delete(containerId)
  }

  /** Gives all sockets back (the leases themselves stand). */
  close(): void {
    for (const leases of this.#byContainer.values()) for (const lease of leases) lease.binding?.close()
  }

  #takeOne(containerId: string, endpoint: string, request: PortRequest): PublishedPort {
    const { protocol, containerPort, hostPort } = request
    const hostIp = request.hostIp === '' ? this.#defaultAddress : request.hostIp
    if (hostIp.includes(':')) throw notImplemented(`publishing on an IPv6 address (${hostIp}) is not implemented yet`)
    const candidates = hostPort === 0 ? this.#randomPorts() : portsFrom(hostPort, request.hostPortEnd ?? hostPort)
    for (const candidate of candidates) {
      const port: PublishedPort = { protocol, containerPort, hostIp, hostPort: candidate }
      const lease = this.#tryBind(containerId, endpoint, port)
      if (lease === undefined) continue
      this.#add(lease)
      return port
    }
    const reason =
      hostPort === 0 ? 'all ports are allocated' : `Bind for ${hostIp}:${hostPort} failed: port is already allocated`
    throw failure(endpoint, reason)
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
        `failed to bind host port ${port.hostIp}:${port.hostPort}/${port.protocol}: ${reason}`,
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

function* portsFrom(first: number, last: number): Generator<number> {
  for (let port = first; port <= last; port += 1) yield port
}

function keyOf(protocol: Protocol, port: number): string {
  return `${protocol}/${port}`
}

function addressesOverlap(one: string, other: string): boolean {
  return one === other || one === anyAddress || other === anyAddress
}

/** Docker's wording, which clients look for. */
function failure(endpoint: string, reason: string, cause?: unknown): BerthError {
  const message = `driver failed programming external connectivity on endpoint ${endpoint}: ${reason}`
  return new BerthError('internal', message, cause === undefined ? {} : { cause })
}
