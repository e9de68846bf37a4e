/** The nftables rules of one daemon, as text for `nft` and as map elements. Pure.
 *  There is one table per daemon and family. A map leads each packet to the chain of its network by the device's name,
 *  and each published port is one element of a map. So a packet passes the same number of rules however many networks
 *  and ports there are. */
import { addressBytes, type MapElement, type NftTable } from '../../sys/index.ts'
import type { GatewayMode } from '../record/bridge-options.ts'
import { type Family, formatSubnet, type Subnet } from '../record/ip.ts'
import type { Protocol, PublishedPort } from '../record/network-record.ts'

/** A network with a bridge, as the rules see it. */
export interface FirewallNetwork {
  readonly id: string
  readonly device: string
  /** At most one of each family. */
  readonly subnets: readonly Subnet[]
  /** Containers of the bridge reach each other. */
  readonly icc: boolean
  /** No packet leaves the bridge or enters it. */
  readonly internal: boolean
  /** Containers' packets to other networks get a source address of the host. */
  readonly masquerade: boolean
  readonly gatewayModes: Readonly<Record<Family, GatewayMode>>
  /** The source address for `masquerade`; '' for the address of the route's device. */
  readonly sourceAddresses: Readonly<Record<Family, string>>
  /** Devices from which published ports are also reached at containers' own addresses in mode `nat`; `*` for all. */
  readonly trustedInterfaces?: readonly string[]
}

/** Where connections to a port go. */
export interface Forwarding {
  readonly port: PublishedPort
  /** The container's address. */
  readonly address: string
  /** The container's own address and port are open. Otherwise connections to the host's port are translated. */
  readonly routed?: boolean
  /** Only the container with this address may connect to the container's own address and port, on a bridge with `icc`
   *  off. */
  readonly from?: string
}

/** The names of the pair of devices that `admission.ts` describes. */
export interface Admission {
  readonly near: string
  readonly far: string
}

/** Everything from which the tables are made. */
export interface FirewallState {
  readonly networks: readonly FirewallNetwork[]
  readonly forwardings: readonly Forwarding[]
  /** Set if the host's own rules decide who reaches published ports. */
  readonly admission?: Admission | undefined
}

const onAnyAddress = 'published_any'
const onOneAddress = 'published_at'
const routedPorts = 'routed'
const linkedPorts = 'linked'
/** Sets with the keys of the first two maps: the ports that the host's own rules decide about. */
const askedOnAny = 'asked_any'
const askedOnOne = 'asked_at'
const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 }
const anyAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
/** ::1 can't be forwarded; see loopback-relay.ts. */
const fromHost = { 4: 'fib daddr type local', 6: 'ip6 daddr != ::1 fib daddr type local' } as const
const loopbacks = { 4: '127.0.0.0/8', 6: '::1' } as const

/** The daemon's table of a family. */
export function tableOf(name: string, family: Family): NftTable {
  return { family: family === 4 ? 'ip' : 'ip6', name }
}

/** The family that a forwarding belongs to. */
export function familyOf({ address }: Forwarding): Family {
  return address.includes(':') ? 6 : 4
}

/** A script that replaces the whole table of a family in one transaction. */
export function formatTable(name: string, family: Family, state: FirewallState): string {
  const ip = family === 4 ? 'ip' : 'ip6'
  const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr'
  const here = state.forwardings.filter((forwarding) => familyOf(forwarding) === family)
  const { admission } = state
  const texts = (map: string) =>
    here.flatMap((forwarding) => elementTexts(forwarding, admission)).filter((element) => element.map === map)
  const list = (map: string) => elements(texts(map).map(({ text }) => text))
  const networks = state.networks.filter((network) => subnetOf(network, family) !== undefined)
  const members = (map: Map) => elements(networks.flatMap((network) => memberOf(network, family, map) ?? []))
  return `table ${ip} ${name} {}
delete table ${ip} ${name}
table ${ip} ${name} {
  map ${onAnyAddress} {
    type inet_proto . inet_service : ${address} . inet_service
    ${list(onAnyAddress)}
  }
  map ${onOneAddress} {
    type inet_proto . ${address} . inet_service : ${address} . inet_service
    ${list(onOneAddress)}
  }
${admission === undefined ? '' : askedSets(address, list)}  set ${routedPorts} {
    type ${address} . inet_proto . inet_service
    ${list(routedPorts)}
  }
  set ${linkedPorts} {
    type ${address} . ${address} . inet_proto . inet_service
    ${list(linkedPorts)}
  }
${networks.map((network) => formatChains(network, family)).join('')}  set bridges {
    type ifname
    ${members('bridges')}
  }
  map entering {
    type ifname : verdict
    ${members('entering')}
  }
  map leaving {
    type ifname : verdict
    ${members('leaving')}
  }
  map returning {
    type ifname : verdict
    ${members('returning')}
  }
  map sources {
    type ${address} : verdict
    flags interval
    ${members('sources')}
  }
${family === 4 ? guard : ''}${family === 4 && networks.some(({ icc }) => !icc) ? noRedirects : ''}  chain publish {
    dnat ${ip} to meta l4proto . ${ip} daddr . th dport map @${onOneAddress}
    dnat ${ip} to meta l4proto . th dport map @${onAnyAddress}
  }
  # A packet from the network to a loopback address must not reach a port that is published on the host's loopback only.
  chain from_outside {
    type nat hook prerouting priority -100; policy accept;
    ${admission === undefined ? '' : `iifname != @bridges iifname != "${admission.far}" return`}
    ${ip} daddr != ${loopbacks[family]} fib daddr type local jump publish
  }
${admission === undefined ? '' : admissionChains(admission, family)}  chain from_host {
    type nat hook output priority -100; policy accept;
    ${fromHost[family]} jump publish
  }
  chain outwards {
    type nat hook postrouting priority 100; policy accept;
    ${ip} saddr ${loopbacks[family]} oifname @bridges masquerade
    oifname vmap @returning
    ${ip} saddr vmap @sources
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    oifname vmap @entering
    iifname vmap @leaving
  }
}
`
}

/** A script that adds a network to the tables of its families, in one transaction. */
export function formatAddition(name: string, network: FirewallNetwork): string {
  return network.subnets
    .map(({ family }) => {
      const table = `${tableOf(name, family).family} ${name}`
      const added = maps.flatMap((map) => {
        const member = memberOf(network, family, map)
        return member === undefined ? [] : [`add element ${table} ${map} { ${member} }\n`]
      })
      return `table ${table} {\n${formatChains(network, family)}}\n${added.join('')}`
    })
    .join('')
}

/** A script that removes a network from the tables of its families, in one transaction. */
export function formatRemoval(name: string, network: FirewallNetwork): string {
  return network.subnets
    .map(({ family }) => {
      const table = `${tableOf(name, family).family} ${name}`
      const removed = maps.flatMap((map) => {
        const member = memberOf(network, family, map)
        // Only the key; the part after the colon is the verdict.
        return member === undefined ? [] : [`delete element ${table} ${map} { ${member.split(' : ')[0]} }\n`]
      })
      const chains = Object.keys(chainsOf(network, family)).map((chain) => `delete chain ${table} ${chain}\n`)
      return [...removed, ...chains].join('')
    })
    .join('')
}

/** The elements of a forwarding in the maps and sets. With `admission`, those of the asked ports too. */
export function elementsOf(forwarding: Forwarding, admission?: Admission): MapElement[] {
  const element = elementOf(forwarding)
  const asked = askedSet(element.map)
  if (admission === undefined || asked === undefined) return [element]
  return [element, { map: asked, key: element.key }]
}

function elementOf({ port, address, routed, from }: Forwarding): MapElement {
  const protocol = Buffer.from([protocolNumbers[port.protocol], 0, 0, 0])
  if (from !== undefined) {
    const key = [addressBytes(from), addressBytes(address), protocol, portBytes(port.containerPort)]
    return { map: linkedPorts, key: Buffer.concat(key) }
  }
  if (routed === true) {
    return { map: routedPorts, key: Buffer.concat([addressBytes(address), protocol, portBytes(port.containerPort)]) }
  }
  const value = Buffer.concat([addressBytes(address), portBytes(port.containerPort)])
  if (anyAddresses.has(port.hostIp)) {
    return { map: onAnyAddress, key: Buffer.concat([protocol, portBytes(port.hostPort)]), value }
  }
  return {
    map: onOneAddress,
    key: Buffer.concat([protocol, addressBytes(port.hostIp), portBytes(port.hostPort)]),
    value,
  }
}

function elementTexts(forwarding: Forwarding, admission: Admission | undefined): ReturnType<typeof elementText>[] {
  const element = elementText(forwarding)
  const asked = askedSet(element.map)
  if (admission === undefined || asked === undefined) return [element]
  return [element, { map: asked, text: element.text.split(' : ')[0] ?? '' }]
}

function askedSet(map: string): string | undefined {
  return { [onAnyAddress]: askedOnAny, [onOneAddress]: askedOnOne }[map]
}

function askedSets(address: string, list: (map: string) => string): string {
  return `  set ${askedOnAny} {
    type inet_proto . inet_service
    ${list(askedOnAny)}
  }
  set ${askedOnOne} {
    type inet_proto . ${address} . inet_service
    ${list(askedOnOne)}
  }
`
}

/** The chains of `published = "host-rules"`. The first packet of a connection from outside passes all of the host's
 *  rules for its input. If they accept it, it is sent through the pair of devices, and translated to a container's
 *  address when it comes in again. The kernel remembers the translation for the rest of the connection. The next hop
 *  is made up, since the pair uses no ARP. */
function admissionChains({ near, far }: Admission, family: Family): string {
  const ip = family === 4 ? 'ip' : 'ip6'
  const nextHop = family === 4 ? '192.0.0.1' : 'fe80::1'
  return `  chain admit {
    dup to ${nextHop} device "${near}"
    drop
  }
  chain admission {
    type filter hook input priority 200; policy accept;
    iifname "${far}" drop
    iifname "lo" return
    iifname @bridges return
    ct state != new return
    fib daddr type != local return
    meta l4proto . ${ip} daddr . th dport @${askedOnOne} jump admit
    meta l4proto . th dport @${askedOnAny} jump admit
  }
`
}

function elementText({ port, address, routed, from }: Forwarding): { readonly map: string; readonly text: string } {
  const { protocol, containerPort, hostIp, hostPort } = port
  if (from !== undefined) return { map: linkedPorts, text: `${from} . ${address} . ${protocol} . ${containerPort}` }
  if (routed === true) return { map: routedPorts, text: `${address} . ${protocol} . ${containerPort}` }
  const target = `${address} . ${containerPort}`
  if (anyAddresses.has(hostIp)) return { map: onAnyAddress, text: `${protocol} . ${hostPort} : ${target}` }
  return { map: onOneAddress, text: `${protocol} . ${hostIp} . ${hostPort} : ${target}` }
}

const maps = ['bridges', 'entering', 'leaving', 'returning', 'sources'] as const
type Map = (typeof maps)[number]

/** The element of a network in one of the maps, or undefined. */
function memberOf(network: FirewallNetwork, family: Family, map: Map): string | undefined {
  const key = `"${network.device}"`
  const chains = chainsOf(network, family)
  switch (map) {
    case 'bridges':
      return key
    case 'entering':
      return `${key} : jump ${nameOf('in', network)}`
    case 'leaving':
      return network.internal ? `${key} : drop` : undefined
    case 'returning':
      return `${key} : jump ${nameOf('back', network)}`
    case 'sources': {
      const subnet = subnetOf(network, family)
      if (subnet === undefined || chains[nameOf('out', network)] === undefined) return undefined
      return `${formatSubnet(subnet)} : jump ${nameOf('out', network)}`
    }
    default:
      return map satisfies never
  }
}

function formatChains(network: FirewallNetwork, family: Family): string {
  const chains = Object.entries(chainsOf(network, family))
  return chains
    .map(([name, rules]) => `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`)
    .join('')
}

/** The chains of one network: for packets into the bridge (`in`), from the bridge back into it (`back`), and to other
 *  networks (`out`). */
function chainsOf(network: FirewallNetwork, family: Family): Readonly<Record<string, readonly string[]>> {
  const { device, icc, internal, masquerade } = network
  const ip = family === 4 ? 'ip' : 'ip6'
  const mode = network.gatewayModes[family]
  const subnet = subnetOf(network, family)
  // A bridge admits answers, connections to published ports, and packets of its own containers unless `icc` is off.
  const entering = [
    'ct state established,related accept',
    ...(internal ? [] : ['ct status dnat accept']),
    ...(icc ? [] : [`iifname "${device}" ${ip} saddr . ${ip} daddr . meta l4proto . th dport @${linkedPorts} accept`]),
    `iifname "${device}" oifname "${device}" ${icc ? 'accept' : 'drop'}`,
    ...(internal ? [] : admitted(mode, family, network.trustedInterfaces ?? [])),
    'drop',
  ]
  // A container's packets to a published port of the host go back into its own bridge. They are not matched by iifname,
  // because a packet that br_netfilter passes after bridging has none.
  const returning = subnet === undefined ? [] : [`${ip} saddr ${formatSubnet(subnet)} ct status dnat masquerade`]
  const source = network.sourceAddresses[family]
  const outwards = `oifname != "${device}" ${source === '' ? 'masquerade' : `snat to ${source}`}`
  const translates = masquerade && !internal && mode !== 'routed'
  return {
    [nameOf('in', network)]: entering,
    [nameOf('back', network)]: returning,
    ...(translates ? { [nameOf('out', network)]: [outwards] } : {}),
  }
}

function admitted(mode: GatewayMode, family: Family, trusted: readonly string[]): readonly string[] {
  const ip = family === 4 ? 'ip' : 'ip6'
  const published = `${ip} daddr . meta l4proto . th dport @${routedPorts} accept`
  switch (mode) {
    case 'isolated':
      return []
    case 'nat': {
      if (trusted.length === 0) return []
      const devices = trusted.map((device) => `"${device}"`).join(', ')
      return [trusted.includes('*') ? published : `iifname { ${devices} } ${published}`]
    }
    case 'nat-unprotected':
      return ['accept']
    case 'routed': {
      const echo = family === 4 ? 'icmp type echo-request' : 'icmpv6 type echo-request'
      return [published, `${echo} accept`]
    }
    default:
      return mode satisfies never
  }
}

/** `route_localnet` lets answers to 127.0.0.1 come back over a bridge. Containers must not begin connections that
 *  way. */
const guard = `  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
`

/** Linked containers of a bridge with `icc` off talk through the host. It must not send them ICMP redirects to the
 *  direct way, which is closed. */
const noRedirects = `  chain no_redirects {
    type filter hook output priority 0; policy accept;
    oifname @bridges icmp type redirect drop
  }
`

function subnetOf({ subnets }: FirewallNetwork, family: Family): Subnet | undefined {
  return subnets.find((subnet) => subnet.family === family)
}

function nameOf(part: 'in' | 'back' | 'out', { id }: FirewallNetwork): string {
  return `${part}_${id.slice(0, 12)}`
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : `elements = { ${list.join(', ')} }`
}

/** A port in network byte order, padded to four bytes like each part of a concatenated key in the kernel. */
function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255, 0, 0])
}
