/** Computes which ports of the host a container needs, and where connections to them go. Pure. */
import { BerthError, notImplemented } from '../../base/index.ts'
import type { FirewallNetwork, Forwarding } from '../firewall/firewall-rules.ts'
import { defaultGateway } from '../record/gateway.ts'
import { canonicalAddress, type Family, isAddress, parseCidr } from '../record/ip.ts'
import type { EndpointRecord, LinkPermit, NetworkRecord, PortRequest, PublishedPort } from '../record/network-record.ts'
import type { SandboxRecord } from '../record/sandbox-index.ts'
import type { RelayTarget } from './loopback-relay.ts'
import type { PortDemand } from './port-allocator.ts'

/** Finds a network by its id. */
export interface NetworkLookup {
  get(id: string): NetworkRecord | undefined
}

/** The endpoint through which ports are published in a family: the one with the default gateway, if that is on a
 *  bridge. */
function publishing(
  endpoints: readonly EndpointRecord[],
  networks: NetworkLookup,
  family: Family,
): { readonly endpoint: EndpointRecord; readonly network: NetworkRecord } | undefined {
  const endpoint = defaultGateway(endpoints, family)
  const network = endpoint === undefined ? undefined : networks.get(endpoint.networkId)
  return endpoint === undefined || network?.driver !== 'bridge' ? undefined : { endpoint, network }
}

/** The ports that a container on these networks needs: `demands` on the host, `routed` at its own addresses. Both are
 *  empty if none of its networks publishes ports (`none`, internal networks, macvlan, ipvlan). `hostIp` is the
 *  daemon's default address. Throws `invalidArgument` for a malformed host address, `notImplemented` for one of a
 *  family that can be neither translated nor relayed. */
export function portDemands(
  requests: readonly PortRequest[],
  endpoints: readonly EndpointRecord[],
  networks: NetworkLookup,
  hostIp: string,
): { readonly demands: readonly PortDemand[]; readonly routed: readonly PublishedPort[] } {
  const demands: PortDemand[] = []
  const routed: PublishedPort[] = []
  const ways = { 4: publishing(endpoints, networks, 4), 6: publishing(endpoints, networks, 6) }
  if (ways[4] === undefined && ways[6] === undefined) return { demands, routed }
  for (const request of requests) {
    const hostIps = hostAddresses(request, ways, hostIp)
    const translated = hostIps.filter((address) => !isRouted(ways[familyOf(address)]?.network, familyOf(address)))
    for (const address of hostIps) {
      const way = ways[familyOf(address)]
      if (translated.includes(address) || way === undefined) continue
      // `isRoutedPort` recognizes such a port by the container's own address.
      const own = familyOf(address) === 4 ? way.endpoint.ipv4 : way.endpoint.ipv6
      const { protocol, containerPort } = request
      routed.push({ protocol, containerPort, hostIp: own, hostPort: containerPort })
    }
    if (translated.length > 0) demands.push({ ...request, hostIps: translated })
  }
  return { demands, routed }
}

/** The forwardings of a container's ports in the packet filter, by its current networks. */
export function forwardingsOf(record: SandboxRecord, networks: NetworkLookup): Forwarding[] {
  const ways = { 4: publishing(record.endpoints, networks, 4), 6: publishing(record.endpoints, networks, 6) }
  const direct = new Map<string, Forwarding>()
  const translated = record.ports.flatMap((port) => {
    const family = familyOf(port.hostIp)
    const way = ways[family]
    if (way === undefined) return []
    const address = family === 4 ? way.endpoint.ipv4 : way.endpoint.ipv6
    if (!isRouted(way.network, family) && (way.network.bridge?.trustedInterfaces ?? []).length === 0) {
      return [{ port, address }]
    }
    // One element opens the port at the container's address, however often it is published.
    direct.set(`${address} ${port.protocol} ${port.containerPort}`, { port, address, routed: true })
    return isRouted(way.network, family) ? [] : [{ port, address }]
  })
  return [...translated, ...direct.values()]
}

/** The target of a published port that the daemon relays. A container without IPv6 is reached through IPv4. Undefined
 *  if none of its networks publishes ports. */
export function relayTarget(
  record: SandboxRecord,
  networks: NetworkLookup,
  { hostIp, containerPort }: PublishedPort,
): RelayTarget | undefined {
  const family = familyOf(hostIp)
  const own = publishing(record.endpoints, networks, family)
  if (own !== undefined) return { address: family === 4 ? own.endpoint.ipv4 : own.endpoint.ipv6, port: containerPort }
  const other = publishing(record.endpoints, networks, 4)
  return other === undefined ? undefined : { address: other.endpoint.ipv4, port: containerPort }
}

/** The forwardings for a container's link permits. Empty if it is not on the default bridge, or if `icc` is on
 *  there. */
export function permitForwardings(
  record: SandboxRecord,
  permits: readonly LinkPermit[],
  {
    index,
    networks,
  }: { readonly index: { find(id: string): SandboxRecord | undefined }; readonly networks: NetworkLookup },
): Forwarding[] {
  const own = onDefaultBridge(record)
  if (own === undefined || networks.get(own.networkId)?.bridge?.icc !== false) return []
  return permits.flatMap(({ target, protocol, containerPort }) => {
    const other = index.find(target)
    const address = other === undefined ? undefined : onDefaultBridge(other)?.ipv4
    if (address === undefined) return []
    return [{ port: { protocol, containerPort, hostIp: '', hostPort: 0 }, address, from: own.ipv4 }]
  })
}

function onDefaultBridge({ endpoints }: SandboxRecord): EndpointRecord | undefined {
  return endpoints.find(({ networkName, ipv4 }) => networkName === 'bridge' && ipv4 !== '')
}

/** True for a routed port: it is open at the container's own address and takes no port of the host. */
export function isRoutedPort(port: PublishedPort, endpoints: readonly { ipv4: string; ipv6: string }[]): boolean {
  return endpoints.some(({ ipv4, ipv6 }) => port.hostIp === ipv4 || port.hostIp === ipv6)
}

/** A network as the packet filter sees it; undefined if it has no bridge or no range. */
export function firewallNetwork(record: NetworkRecord): FirewallNetwork | undefined {
  const { bridge } = record
  if (bridge === undefined || record.ipam.length === 0) return undefined
  return {
    id: record.id,
    device: bridge.device,
    subnets: record.ipam.map(({ subnet }) => parseCidr(subnet).subnet),
    icc: bridge.icc,
    internal: record.internal,
    masquerade: bridge.masquerade,
    gatewayModes: { 4: bridge.gatewayMode4, 6: bridge.gatewayMode6 },
    sourceAddresses: { 4: bridge.sourceAddress4, 6: bridge.sourceAddress6 },
    trustedInterfaces: bridge.trustedInterfaces ?? [],
  }
}

type Ways = Readonly<Record<Family, ReturnType<typeof publishing>>>

/** The host addresses on which a port is to be published. */
function hostAddresses(request: PortRequest, ways: Ways, fallback: string): string[] {
  if (request.hostIp !== '') {
    const address = hostAddress(request.hostIp)
    const isRelayed = familyOf(address) === 6 && request.protocol !== 'sctp'
    if (ways[familyOf(address)] === undefined && !isRelayed) {
      throw notImplemented(
        `publishing on ${request.hostIp}: the container has no IPv${familyOf(address)} address to forward to, and forwarding between the families is not implemented in this version of Berth`,
      )
    }
    return [address]
  }
  const own = ways[4]?.network.bridge?.hostBinding || fallback
  // By default, all addresses of both families.
  if (own !== '0.0.0.0') return ways[familyOf(own)] === undefined ? [] : [hostAddress(own)]
  return [...(ways[4] === undefined ? [] : ['0.0.0.0']), ...(ways[6] === undefined ? [] : ['::'])]
}

function hostAddress(text: string): string {
  const plain = text.replace(/^\[(.*)\]$/, '$1')
  if (!isAddress(plain)) throw new BerthError('invalidArgument', `invalid IP address: ${text}`)
  return canonicalAddress(plain)
}

function isRouted(network: NetworkRecord | undefined, family: Family): boolean {
  const mode = family === 4 ? network?.bridge?.gatewayMode4 : network?.bridge?.gatewayMode6
  return mode === 'routed'
}

function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4
}
