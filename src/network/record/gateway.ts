/** Chooses the network of a container that carries its default route. Pure. */

import type { Family } from './ip.ts'
import type { EndpointInfo } from './network-record.ts'

/** The endpoint whose gateway is the default of a family: the one with the highest priority. If several have the same,
 *  the name of the network decides, in the order of its characters. Undefined if no endpoint has a gateway. */
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
