/** Redirects ports of a loopback address to other ports, for programs in the calling thread's network namespace.
 *  Packets to the first port arrive at the second, and answers seem to come from the first. No process is needed.
 *
 *  There are two ways. In the initial user namespace, rules rewrite the packets on their way out, since everything that
 *  a loopback address receives was sent in the same namespace. These rules don't use connection tracking, which would
 *  slow down all other packets of the namespace. In other user namespaces, newer kernels refuse rules that write to
 *  packets (EPERM since the stable kernels of 2026), so a NAT chain translates the destination there.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { isInInitialUserNamespace } from '../namespaces/namespaces.ts'
import {
  attribute,
  attributeText,
  type NetlinkRequest,
  nested,
  netlinkFlags,
  parseAttributes,
} from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeader, NETLINK_NETFILTER, nftFamilies, nftMessageType, nftNumber, transaction } from './nfnetlink.ts'

/** Packets to `port` go to `target`. */
export interface LoopbackRedirect {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly target: number
}

/** Options of `redirectLoopbackPorts`. */
export interface RedirectOptions {
  /** Tables that are removed in the same transaction. That takes the kernel tens of milliseconds, in another thread. */
  readonly instead?: readonly string[]
  /** By default the way that the user namespace of the network namespace allows: `rewrite` in the initial one,
   *  `translate` in others. */
  readonly way?: 'rewrite' | 'translate'
}

const message = { newTable: 0, getTable: 1, deleteTable: 2, newChain: 3, newRule: 6 }
const { ack, create, dump, request } = netlinkFlags
const append = 0x800
const localOut = 3
/** Before connection tracking (-200), which the container's own rules may enable. */
const beforeTracking = -300
/** After connection tracking, before destination NAT (-100) of the container's own rules. */
const afterTracking = -150
const register = 1
const portRegister = 2
const destinationNat = 1
const base = { network: 1, transport: 2 } as const
const addressAt = { source: 12, destination: 16 } as const
const portAt = { source: 0, destination: 2 } as const
const protocols = { tcp: { number: 6, checksumAt: 16 }, udp: { number: 17, checksumAt: 6 } } as const
const metaProtocol = 16
const internetChecksum = 1
const chains = { requests: 'requests', answers: 'answers' } as const

/** Names of all nftables tables of a family in the calling thread's network namespace. Throws the system's error when
 *  the kernel has no nftables. */
export function listNftTables(family: 4 | 6 | 'inet'): string[] {
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    const body = familyHeader(nftFamilies[family === 'inet' ? family : family === 4 ? 'ip' : 'ip6'])
    const type = nftMessageType(message.getTable)
    const replies = socket.query({ type, flags: request | dump, body, label: 'list tables' })
    return replies.map((reply) => attributeText(parseAttributes(reply.body, 4).get(1)))
  } finally {
    socket.close()
  }
}

/** Creates the table `table` with the redirects of the IPv4 address `address`, in one transaction, in the calling
 *  thread's network namespace at the time of the call. Throws, or rejects with, the system's error. */
export function redirectLoopbackPorts(
  table: string,
  address: string,
  redirects: readonly LoopbackRedirect[],
  { instead = [], way }: RedirectOptions = {},
): Promise<void> {
  const rewrites = way === undefined ? isInInitialUserNamespace() : way === 'rewrite'
  const requests = transaction([
    ...instead.map((old) => change(message.deleteTable, old, 0)),
    ...tableRequests(table, Buffer.from(address.split('.').map(Number)), redirects, rewrites),
  ])
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  if (instead.length > 0) return socket.executeInBackground(requests).finally(() => socket.close())
  try {
    socket.execute(requests)
    return Promise.resolve()
  } finally {
    socket.close()
  }
}

function tableRequests(
  table: string,
  address: Buffer,
  redirects: readonly LoopbackRedirect[],
  rewrites: boolean,
): NetlinkRequest[] {
  const chain = (name: string, type: 'filter' | 'nat', priority: number) => {
    const hook = nested(4, attribute(1, nftNumber(localOut)), attribute(2, nftNumber(priority)))
    return change(message.newChain, table, create, attribute(3, name), hook, attribute(7, type))
  }
  const rule = (name: string, ...expressions: Buffer[]) =>
    change(message.newRule, table, create | append, attribute(2, name), nested(4, ...expressions))
  const requests = redirects.map(({ protocol, port, target }) => {
    const action = rewrites ? setting('destination', protocol, target) : translating(address, target)
    return rule(chains.requests, ...matching('destination', address, protocol, port), ...action)
  })
  const common = [
    change(message.newTable, table, create),
    chain(chains.requests, rewrites ? 'filter' : 'nat', afterTracking),
    ...requests,
  ]
  if (!rewrites) return common
  // Connection tracking sees the first port in both directions, so no packet is invalid for the container's own rules.
  const answers = redirects.map(({ protocol, port, target }) =>
    rule(chains.answers, ...matching('source', address, protocol, target), ...setting('source', protocol, port)),
  )
  return [...common, chain(chains.answers, 'filter', beforeTracking), ...answers]
}

/** `ip saddr|daddr ADDRESS`, `meta l4proto PROTOCOL`, `th sport|dport PORT`. */
function matching(
  side: 'source' | 'destination',
  address: Buffer,
  protocol: LoopbackRedirect['protocol'],
  port: number,
): Buffer[] {
  return [
    load(base.network, addressAt[side], 4),
    equals(address),
    expression('meta', attribute(2, nftNumber(metaProtocol)), attribute(1, nftNumber(register))),
    equals(Buffer.from([protocols[protocol].number])),
    load(base.transport, portAt[side], 2),
    equals(portBytes(port)),
  ]
}

/** `dnat to ADDRESS:PORT`. Connection tracking translates the answers. */
function translating(address: Buffer, port: number): Buffer[] {
  return [
    immediate(register, address),
    immediate(portRegister, portBytes(port)),
    expression(
      'nat',
      attribute(1, nftNumber(destinationNat)),
      attribute(2, nftNumber(nftFamilies.ip)),
      attribute(3, nftNumber(register)),
      attribute(5, nftNumber(portRegister)),
    ),
  ]
}

/** `th sport|dport set PORT`. */
function setting(side: 'source' | 'destination', protocol: LoopbackRedirect['protocol'], port: number): Buffer[] {
  return [
    immediate(register, portBytes(port)),
    expression(
      'payload',
      attribute(5, nftNumber(register)),
      attribute(2, nftNumber(base.transport)),
      attribute(3, nftNumber(portAt[side])),
      attribute(4, nftNumber(2)),
      attribute(6, nftNumber(internetChecksum)),
      attribute(7, nftNumber(protocols[protocol].checksumAt)),
    ),
  ]
}

function load(from: number, at: number, length: number): Buffer {
  return expression(
    'payload',
    attribute(1, nftNumber(register)),
    attribute(2, nftNumber(from)),
    attribute(3, nftNumber(at)),
    attribute(4, nftNumber(length)),
  )
}

function immediate(into: number, value: Buffer): Buffer {
  return expression('immediate', attribute(1, nftNumber(into)), nested(2, attribute(1, value)))
}

function equals(value: Buffer): Buffer {
  const equal = nftNumber(0)
  return expression('cmp', attribute(1, nftNumber(register)), attribute(2, equal), nested(3, attribute(1, value)))
}

function expression(name: string, ...data: Buffer[]): Buffer {
  return nested(1, attribute(1, name), nested(2, ...data))
}

function change(type: number, table: string, flags: number, ...parts: Buffer[]): NetlinkRequest {
  return {
    type: nftMessageType(type),
    flags: request | ack | flags,
    label: `redirect ports, table ${table}`,
    body: Buffer.concat([familyHeader(nftFamilies.ip), attribute(1, table), ...parts]),
  }
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255])
}
