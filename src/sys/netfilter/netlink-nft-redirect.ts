/** Ports of a loopback address moved to other ports, for programs of the calling thread's network namespace: what
 *  they send to the one goes to the other, and answers come back as from the first. The packets are rewritten on
 *  their way out (everything that a loopback address receives was sent here), without connection tracking, which
 *  would cost every other packet of the namespace something. No process is needed.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import {
  attribute,
  attributeText,
  type NetlinkRequest,
  nested,
  netlinkFlags,
  parseAttributes,
} from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'

/** Packets to `port` go to `target`. */
export interface LoopbackRedirect {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly target: number
}

const NETLINK_NETFILTER = 12
const NFPROTO_INET = 1
const NFPROTO_IPV4 = 2
const NFPROTO_IPV6 = 10
const subsystem = 10
const message = { batchBegin: 16, batchEnd: 17, newTable: 0, getTable: 1, deleteTable: 2, newChain: 3, newRule: 6 }
const { ack, create, dump, request } = netlinkFlags
const append = 0x800
const localOut = 3
/** Before connection tracking, in case that the container's own rules switch that on. */
const rawPriority = -300
const register = 1
const base = { network: 1, transport: 2 } as const
const addressAt = { source: 12, destination: 16 } as const
const portAt = { source: 0, destination: 2 } as const
const protocols = { tcp: { number: 6, checksumAt: 16 }, udp: { number: 17, checksumAt: 6 } } as const
const metaProtocol = 16
const internetChecksum = 1
const chain = 'output'

/** The names of all tables of a family in the calling thread's network namespace. */
export function listNftTables(family: 4 | 6 | 'inet'): string[] {
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    const body = familyHeader(0, family === 'inet' ? NFPROTO_INET : family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6)
    const type = (subsystem << 8) | message.getTable
    const replies = socket.query({ type, flags: request | dump, body, label: 'list tables' })
    return replies.map((reply) => attributeText(parseAttributes(reply.body, 4).get(1)))
  } finally {
    socket.close()
  }
}

/** Installs the redirects as the content of the new table `table`, in one transaction; what is in the calling
 *  thread's namespace when the function is called counts. With `instead`, those tables go in the same transaction,
 *  for which the kernel takes tens of milliseconds, away from this thread. Throws the kernel's error. */
export function redirectLoopbackPorts(
  table: string,
  address: string,
  redirects: readonly LoopbackRedirect[],
  instead: readonly string[] = [],
): Promise<void> {
  const requests = [
    batchMark(message.batchBegin),
    ...instead.map((old) => change(message.deleteTable, old, 0)),
    ...tableRequests(table, Buffer.from(address.split('.').map(Number)), redirects),
    batchMark(message.batchEnd),
  ]
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  if (instead.length > 0) return socket.executeInBackground(requests).finally(() => socket.close())
  try {
    socket.execute(requests)
    return Promise.resolve()
  } finally {
    socket.close()
  }
}

function tableRequests(table: string, address: Buffer, redirects: readonly LoopbackRedirect[]): NetlinkRequest[] {
  const rule = (...expressions: Buffer[]) =>
    change(message.newRule, table, create | append, attribute(2, chain), nested(4, ...expressions))
  const hook = nested(4, attribute(1, number32(localOut)), attribute(2, number32(rawPriority)))
  return [
    change(message.newTable, table, create),
    change(message.newChain, table, create, attribute(3, chain), hook, attribute(7, 'filter')),
    ...redirects.flatMap(({ protocol, port, target }) => [
      rule(...matching('destination', address, protocol, port), ...setting('destination', protocol, target)),
      rule(...matching('source', address, protocol, target), ...setting('source', protocol, port)),
    ]),
  ]
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
    expression('meta', attribute(2, number32(metaProtocol)), attribute(1, number32(register))),
    equals(Buffer.from([protocols[protocol].number])),
    load(base.transport, portAt[side], 2),
    equals(portBytes(port)),
  ]
}

/** `th sport|dport set PORT`. */
function setting(side: 'source' | 'destination', protocol: LoopbackRedirect['protocol'], port: number): Buffer[] {
  return [
    expression('immediate', attribute(1, number32(register)), nested(2, attribute(1, portBytes(port)))),
    expression(
      'payload',
      attribute(5, number32(register)),
      attribute(2, number32(base.transport)),
      attribute(3, number32(portAt[side])),
      attribute(4, number32(2)),
      attribute(6, number32(internetChecksum)),
      attribute(7, number32(protocols[protocol].checksumAt)),
    ),
  ]
}

function load(from: number, at: number, length: number): Buffer {
  return expression(
    'payload',
    attribute(1, number32(register)),
    attribute(2, number32(from)),
    attribute(3, number32(at)),
    attribute(4, number32(length)),
  )
}

function equals(value: Buffer): Buffer {
  const equal = number32(0)
  return expression('cmp', attribute(1, number32(register)), attribute(2, equal), nested(3, attribute(1, value)))
}

function expression(name: string, ...data: Buffer[]): Buffer {
  return nested(1, attribute(1, name), nested(2, ...data))
}

function change(type: number, table: string, flags: number, ...parts: Buffer[]): NetlinkRequest {
  return {
    type: (subsystem << 8) | type,
    flags: request | ack | flags,
    label: `redirect ports, table ${table}`,
    body: Buffer.concat([familyHeader(0, NFPROTO_IPV4), attribute(1, table), ...parts]),
  }
}

function batchMark(type: number): NetlinkRequest {
  return { type, flags: request, body: familyHeader(subsystem, 0), label: 'batch' }
}

function familyHeader(resource: number, family: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff])
}

/** nftables' numbers are in network order. */
function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255])
}
