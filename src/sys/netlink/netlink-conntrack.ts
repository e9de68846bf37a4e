/** Deletes connections from the kernel's tracking table. UDP connections have no visible end: while a client continues
 *  to send, its old translation stays, even to a removed container, or around a new one. */
import { errnoOf } from '../../base/index.ts'
import { addressBytes } from '../native/ip-bytes.ts'
import { attribute, type NetlinkRequest, nested, netlinkFlags, parseAttributes } from './netlink-codec.ts'
import { NetlinkSocket } from './netlink-socket.ts'

/** Which connections to delete; all given conditions must hold. */
export interface FlowFilter {
  /** Protocol number: 17 for UDP. */
  readonly protocol: number
  /** Default: 4. */
  readonly family?: 4 | 6
  /** The port that clients send to. */
  readonly originalPort?: number
  /** The address that answers come from. */
  readonly replySource?: string
}

const NETLINK_NETFILTER = 12
const families = { 4: 2, 6: 10 } as const
const getFlow = 0x101
const deleteFlow = 0x102
const { ack, dump, request } = netlinkFlags
/** Attributes of a connection, of its tuples, and of the kernel's filter of lists (since Linux 5.8). */
const flow = { original: 1, reply: 2, filter: 25 } as const
const tuple = { ip: 1, protocol: 2 } as const
/** CTA_IP_V4_SRC and CTA_IP_V6_SRC. */
const ipSource = { 4: 1, 6: 3 } as const
const protocolPart = { number: 1, destinationPort: 3 } as const
const filterFlags = { original: 1, reply: 2, source: 1 << 0, number: 1 << 3, destinationPort: 1 << 5 } as const
/** `struct nfgenmsg`. */
const headerOf = (family: 4 | 6): Buffer => Buffer.from([families[family], 0, 0, 0])

/** Deletes the matching connections in the calling thread's network namespace, and returns their number. Throws the
 *  system's error when the kernel has no connection tracking. */
export function forgetFlows(filter: FlowFilter): number {
  const family = filter.family ?? 4
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    const found = socket
      .query({ type: getFlow, flags: request | dump, body: filterBody(filter), label: 'connections' })
      .map((reply) => parseAttributes(reply.body, headerOf(family).length))
      .filter((attributes) => fits(attributes, filter))
    for (const attributes of found) remove(socket, family, attributes.get(flow.original))
    return found.length
  } finally {
    socket.close()
  }
}

function filterBody(filter: FlowFilter): Buffer {
  const number = attribute(protocolPart.number, Buffer.from([filter.protocol]))
  const family = filter.family ?? 4
  const parts: Buffer[] = [headerOf(family)]
  let originalFlags = 0
  let replyFlags = 0
  if (filter.originalPort !== undefined) {
    const port = attribute(protocolPart.destinationPort, portBytes(filter.originalPort))
    parts.push(nested(flow.original, nested(tuple.protocol, number, port)))
    originalFlags = filterFlags.number | filterFlags.destinationPort
  }
  if (filter.replySource !== undefined) {
    const source = attribute(ipSource[family], addressBytes(filter.replySource))
    parts.push(nested(flow.reply, nested(tuple.ip, source), nested(tuple.protocol, number)))
    replyFlags = filterFlags.source | filterFlags.number
  }
  const flags = [attribute(filterFlags.original, originalFlags), attribute(filterFlags.reply, replyFlags)]
  return Buffer.concat([...parts, nested(flow.filter, ...flags)])
}

/** Checks a connection against the filter, because older kernels ignore the filter and list everything. */
function fits(attributes: Map<number, Buffer>, filter: FlowFilter): boolean {
  const original = parseAttributes(
    parseAttributes(attributes.get(flow.original) ?? noBytes).get(tuple.protocol) ?? noBytes,
  )
  if (original.get(protocolPart.number)?.[0] !== filter.protocol) return false
  const { originalPort, replySource } = filter
  if (originalPort !== undefined && original.get(protocolPart.destinationPort)?.readUInt16BE() !== originalPort)
    return false
  if (replySource === undefined) return true
  const reply = parseAttributes(parseAttributes(attributes.get(flow.reply) ?? noBytes).get(tuple.ip) ?? noBytes)
  return reply.get(ipSource[filter.family ?? 4])?.equals(addressBytes(replySource)) === true
}

const noBytes = Buffer.alloc(0)

function remove(socket: NetlinkSocket, family: 4 | 6, original: Buffer | undefined): void {
  if (original === undefined) return
  const body = Buffer.concat([headerOf(family), nested(flow.original, original)])
  const removal: NetlinkRequest = { type: deleteFlow, flags: request | ack, body, label: 'delete connection' }
  try {
    socket.execute([removal])
  } catch (error) {
    // The connection has ended meanwhile.
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255])
}
