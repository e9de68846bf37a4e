/** Which of a container's networks leads to everywhere else. Pure. */

import type { Family } from './ip.ts'
import type { EndpointInfo } from './network-record.ts'

/** The endpoint with the default gateway of a family: the one with the highest priority, of several the one whose
 *  network's name comes first. Undefined when no network has a gateway. */
export function defaultGateway<E extends EndpointInfo>(endpoints: readonly E[], family: Family): E | undefined {
  let best: E | undefined
  for (const endpoint of endpoints) {
    if ((family === 4 ? endpoint.gateway : endpoint.gateway6) === '') continue
    if (best === undefined || comesBefore(endpoint, best)) best = endpoint
  }
  return best
}

function comesBefore(one: EndpointInfo, other: EndpointInfo): boolean {
  if (one.gatewayPriority !== other.gatewayPriority) return one.gatewayPriority > other.gatewayPriority
  return one.networkName < other.networkName
}
