/** Compares a container's published ports with a new set of demands. Pure. */
import type { PublishedPort } from '../record/network-record.ts'
import type { PortDemand } from './port-allocator.ts'

/** The steps of a change of ports. */
export interface PortChange {
  /** Ports that stay as they are. */
  readonly kept: readonly PublishedPort[]
  /** Demands for which new ports are leased. */
  readonly missing: readonly PortDemand[]
  /** Ports that are given up. */
  readonly surplus: readonly PublishedPort[]
}

/** Matches demands with the present ports. A demand for a random port, or for one of a range, keeps the port that was
 *  chosen for it. Demands for fewer host ports are matched first, so that a demand with a choice doesn't take the only
 *  port of another. */
export function changeOfPorts(demands: readonly PortDemand[], present: readonly PublishedPort[]): PortChange {
  const free = new Set(present)
  const kept: PublishedPort[] = []
  const missing = [...demands]
    .sort((one, other) => width(one) - width(other))
    .filter((demand) => {
      const found = matching(demand, free)
      for (const port of found ?? []) {
        free.delete(port)
        kept.push(port)
      }
      return found === undefined
    })
  return { kept, missing, surplus: [...free] }
}

/** A measure of how many host ports satisfy a demand. */
function width({ hostPort, hostPortEnd }: PortDemand): number {
  return hostPort === 0 ? 65536 : (hostPortEnd || hostPort) - hostPort
}

/** Ports with the same number on each of the demand's addresses; undefined if there are none. */
function matching(demand: PortDemand, free: ReadonlySet<PublishedPort>): PublishedPort[] | undefined {
  const { protocol, containerPort, hostPort, hostIps } = demand
  const last = demand.hostPortEnd || hostPort
  const candidates = [...free].filter(
    (port) =>
      port.protocol === protocol &&
      port.containerPort === containerPort &&
      (hostPort === 0 || (port.hostPort >= hostPort && port.hostPort <= last)),
  )
  for (const { hostPort: number } of candidates) {
    const found = hostIps.flatMap(
      (hostIp) => candidates.find((port) => port.hostIp === hostIp && port.hostPort === number) ?? [],
    )
    if (found.length === hostIps.length) return found
  }
  return undefined
}
