/** The kernel's side of a bridge network: the device itself and the veth pair of each endpoint.
 *  All names tell whose they are: a bridge by its alias, a veth by its prefix, both with the daemon's tag. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { BerthError, errnoOf } from '../base/index.ts'
import {
  type AddressInfo,
  addAddress,
  addDefaultRoute,
  createBridge,
  createNetworkNamespace,
  createVeth,
  deleteAddress,
  deleteLink,
  type LinkInfo,
  RouteSocket,
  setLink,
  writeNetworkSysctl,
} from '../sys/index.ts'
import { formatAddress, formatSubnet, overlaps, parseAddress, parseCidr, type Subnet, subnetOf } from './ipv4.ts'
import type { EndpointRecord } from './network-record.ts'
import { chooseSubnet } from './subnet-choice.ts'

/** What a bridge device looks like. */
export interface BridgeDevice {
  readonly device: string
  readonly mac: string
  readonly mtu: number
  readonly subnet: string
  readonly gateway: string
}

const maxBridges = 1000

/** Creates or repairs the bridge. `wanted` is what it was last time (or undefined): kept when still free.
 *  `fixed` is the user's own address and prefix. The caller holds the host lock. */
export function ensureBridge(
  host: RouteSocket,
  options: {
    readonly alias: string
    readonly mtu: number
    readonly fixed: string | undefined
    readonly wanted: BridgeDevice | undefined
    /** Containers live on the old range: it must not change. */
    readonly pinned: boolean
  },
): BridgeDevice & { readonly index: number } {
  const links = host.links()
  const own = links.find((link) => link.kind === 'bridge' && link.alias === options.alias)
  const device = own?.name ?? freeName(links, options.wanted?.device)
  const mac = options.wanted?.mac ?? randomMac()
  const range = chooseRange(host, own?.index, options)
  if (own === undefined) host.execute(createBridge({ name: device, mac, mtu: options.mtu }))
  const link = own ?? host.findLink(device)
  if (link === undefined) throw new BerthError('internal', `bridge ${device} has gone`)
  configure(host, link, { ...options, ...range })
  return { device, mac, mtu: options.mtu, ...range, index: link.index }
}

/** Makes a container's namespace; with `attach` also its pair of devices, its addresses and its default route. */
export function makeSandbox(
  host: RouteSocket,
  path: string,
  attach?: { readonly endpoint: EndpointRecord; readonly bridge: number; readonly mtu: number; readonly icc: boolean },
): void {
  const inside = createNetworkNamespace(path, () => {
    // Without an IPv6 network nobody may give the container IPv6 by router advertisements.
    writeNetworkSysctl('ipv6/conf/default/disable_ipv6', '1')
    return { route: RouteSocket.open(), fd: openSync('/proc/thread-self/ns/net', 'r') }
  })
  if (inside === undefined) throw new BerthError('internal', 'no namespace was made')
  const { route, fd } = inside
  try {
    const loopback = setLink(1, { up: true })
    if (attach === undefined) {
      route.execute(loopback)
      return
    }
    const { endpoint, bridge, mtu, icc } = attach
    const peer = { name: 'eth0', mac: endpoint.mac, namespaceFd: fd }
    host.execute(
      createVeth({ name: endpoint.veth, mtu, master: bridge, peer }),
      setLink(endpoint.veth, { automaticIpv6: false }),
      // Where bridged packets pass the packet filter (br_netfilter), a container reaches its own published port
      // only when its frames may go back where they came from.
      setLink(endpoint.veth, { port: { isolated: !icc, hairpin: true } }),
      setLink(endpoint.veth, { up: true }),
    )
    const index = route.findLink(peer.name)?.index ?? 0
    route.execute(
      loopback,
      setLink(index, { up: true }),
      addAddress(index, endpoint.ipv4, endpoint.prefix),
      addDefaultRoute(index, endpoint.gateway),
    )
  } finally {
    route.close()
    closeSync(fd)
  }
}

/** Deletes links of that name or index that are still there. */
export function removeLink(host: RouteSocket, link: string | number): void {
  try {
    host.execute(deleteLink(link))
  } catch (error) {
    if (errnoOf(error) !== 'ENODEV') throw error
  }
}

/** Forwarding between interfaces: what a container host is for. */
export function enableForwarding(): void {
  writeNetworkSysctl('ipv4/ip_forward', '1')
}

function configure(
  host: RouteSocket,
  link: LinkInfo,
  options: { readonly alias: string; readonly mtu: number; readonly subnet: string; readonly gateway: string },
): void {
  const { prefix } = parseCidr(options.subnet).subnet
  if (link.mtu !== options.mtu) host.execute(setLink(link.index, { mtu: options.mtu }))
  const present = host.addresses().filter((entry) => entry.index === link.index)
  const isOurs = (entry: AddressInfo) => entry.address === options.gateway && entry.prefix === prefix
  for (const entry of present) {
    if (!isOurs(entry)) host.execute(deleteAddress(link.index, entry.address, entry.prefix))
  }
  if (!present.some(isOurs)) host.execute(addAddress(link.index, options.gateway, prefix))
  host.execute(setLink(link.index, { alias: options.alias }))
  writeNetworkSysctl(`ipv6/conf/${link.name}/disable_ipv6`, '1')
  // Answers to connections that the host made from 127.0.0.1 to a published port come in over the bridge.
  writeNetworkSysctl(`ipv4/conf/${link.name}/route_localnet`, '1')
  host.execute(setLink(link.index, { up: true }))
}

function chooseRange(
  host: RouteSocket,
  ownIndex: number | undefined,
  options: { readonly fixed: string | undefined; readonly wanted: BridgeDevice | undefined; readonly pinned: boolean },
): { subnet: string; gateway: string } {
  const { fixed, wanted, pinned } = options
  if (wanted !== undefined && pinned) return { subnet: wanted.subnet, gateway: wanted.gateway }
  if (fixed !== undefined) {
    const { address, subnet } = parseCidr(fixed)
    return { subnet: formatSubnet(subnet), gateway: address }
  }
  const used = usedSubnets(host, ownIndex)
  if (wanted !== undefined) {
    const { subnet } = parseCidr(wanted.subnet)
    const free = !used.some((other) => overlaps(other, subnet))
    if (free) return { subnet: wanted.subnet, gateway: wanted.gateway }
  }
  const subnet = chooseSubnet(used)
  return { subnet: formatSubnet(subnet), gateway: formatAddress(subnet.base + 1) }
}

function usedSubnets(host: RouteSocket, ownIndex: number | undefined): Subnet[] {
  const addresses = host.addresses().filter((entry) => entry.index !== ownIndex)
  // A default route, also one in two halves as VPNs make them, says nothing about private ranges.
  const routes = host.routes().filter((route) => route.index !== ownIndex && route.prefix > 1)
  return [
    ...addresses.map((entry) => subnetOf(parseAddress(entry.address), entry.prefix)),
    ...routes.map((route) => subnetOf(parseAddress(route.destination), route.prefix)),
  ]
}

function freeName(links: readonly LinkInfo[], wanted: string | undefined): string {
  const taken = new Set(links.map((link) => link.name))
  if (wanted !== undefined && !taken.has(wanted)) return wanted
  for (let number = 0; number < maxBridges; number += 1) {
    if (!taken.has(`berth${number}`)) return `berth${number}`
  }
  throw new BerthError('unavailable', 'no free name for a bridge')
}

function randomMac(): string {
  const bytes = ['02', '42', ...[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0'))]
  return bytes.join(':')
}
