/** Which of a container's published ports stay when others are wanted. Pure. */
import type { PublishedPort } from '../record/network-record.ts'
import type { PortDemand } from './port-allocator.ts'

/** What a change of ports comes to. */
export interface PortChange {
  readonly kept: readonly PublishedPort[]
  readonly missing: readonly PortDemand[]
  readonly surplus: readonly PublishedPort[]
}

/** Holds what is wanted against what there is. A demand for any port, or for one of a range, is met by the one that was
 *  taken for it. The demands that say one port choose first, so that none is left to them by one that could do with another. */
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

/** How many host ports would do. */
function width({ hostPort, hostPortEnd }: PortDemand): number {
  return hostPort === 0 ? 65536 : (hostPortEnd || hostPort) - hostPort
}

/** One port on each of the demand's addresses, all under the same number; undefined when there are none. */
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
