/** The nftables rules of one daemon, as text for `nft` and as map elements. Pure.
 *  One table per daemon; a published port is one element of a map, so the number of rules does not grow with it. */
import type { MapElement } from '../sys/index.ts'
import { formatSubnet, type Subnet } from './ipv4.ts'
import type { Protocol, PublishedPort } from './network-record.ts'

/** A bridge that the rules are about. */
export interface FirewallBridge {
  readonly device: string
  readonly subnet: Subnet
  /** Containers of the bridge reach each other. */
  readonly icc: boolean
}

/** Connections to a port of the host go to this address of a container. */
export interface Forwarding {
  readonly port: PublishedPort
  readonly address: string
}

/** Everything that the table holds. */
export interface FirewallState {
  readonly bridges: readonly FirewallBridge[]
  readonly forwardings: readonly Forwarding[]
}

const anyAddress = '0.0.0.0'
const onAnyAddress = 'published_any'
const onOneAddress = 'published_at'
const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 }

/** A script that replaces the whole table in one transaction. */
export function formatTable(table: string, state: FirewallState): string {
  const { bridges, forwardings } = state
  const anywhere = forwardings.filter(({ port }) => port.hostIp === anyAddress)
  const specific = forwardings.filter(({ port }) => port.hostIp !== anyAddress)
  const each = (rule: (bridge: FirewallBridge) => string) => bridges.map(rule).join('\n')
  return `table ip ${table} {}
delete table ip ${table}
table ip ${table} {
  map ${onAnyAddress} {
    type inet_proto . inet_service : ipv4_addr . inet_service
    ${elements(anywhere.map(({ port, address }) => `${port.protocol} . ${port.hostPort} : ${address} . ${port.containerPort}`))}
  }
  map ${onOneAddress} {
    type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
    ${elements(specific.map(({ port, address }) => `${port.protocol} . ${port.hostIp} . ${port.hostPort} : ${address} . ${port.containerPort}`))}
  }
  # route_localnet lets answers to 127.0.0.1 come back over a bridge; containers must not start anything that way.
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    ${each((bridge) => `iifname "${bridge.device}" ip daddr 127.0.0.0/8 drop`)}
  }
  chain publish {
    dnat ip to meta l4proto . ip daddr . th dport map @${onOneAddress}
    dnat ip to meta l4proto . th dport map @${onAnyAddress}
  }
  # A neighbour's packet for 127.0.0.1 must not reach a port that is published for the host alone.
  chain from_outside {
    type nat hook prerouting priority -100; policy accept;
    ip daddr != 127.0.0.0/8 fib daddr type local jump publish
  }
  chain from_host {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  # Back into its own bridge goes what a container sends to a published port of the host. (No iifname here: a packet
  # that br_netfilter shows after bridging has none.)
  chain outwards {
    type nat hook postrouting priority 100; policy accept;
    ${each(
      ({ device, subnet }) => `ip saddr 127.0.0.0/8 oifname "${device}" masquerade
    ip saddr ${formatSubnet(subnet)} oifname "${device}" ct status dnat masquerade
    ip saddr ${formatSubnet(subnet)} oifname != "${device}" masquerade`,
    )}
  }
  # Into a bridge come answers, what was published, and what its own containers send (unless icc is off).
  chain forward {
    type filter hook forward priority 0; policy accept;
    ${each(
      ({ device, icc }) => `oifname "${device}" ct state established,related accept
    oifname "${device}" ct status dnat accept
    iifname "${device}" oifname "${device}" ${icc ? 'accept' : 'drop'}
    oifname "${device}" drop`,
    )}
  }
}
`
}

/** The same forwarding as one map element. */
export function elementOf({ port, address }: Forwarding): MapElement {
  const protocol = Buffer.from([protocolNumbers[port.protocol], 0, 0, 0])
  const value = Buffer.concat([addressBytes(address), portBytes(port.containerPort)])
  if (port.hostIp === anyAddress) {
    return { map: onAnyAddress, key: Buffer.concat([protocol, portBytes(port.hostPort)]), value }
  }
  return {
    map: onOneAddress,
    key: Buffer.concat([protocol, addressBytes(port.hostIp), portBytes(port.hostPort)]),
    value,
  }
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : `elements = { ${list.join(', ')} }`
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** A port in network order, padded as the kernel keeps each part of a concatenation. */
function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255, 0, 0])
}
