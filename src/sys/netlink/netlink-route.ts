/** rtnetlink: links. The functions build requests, and `RouteSocket` sends any number of them in one call. A request
 *  can name a link by its name, so its index need not be looked up.
 *  https://man7.org/linux/man-pages/man7/rtnetlink.7.html */

import { type AddressInfo, addressDump, type RouteInfo, routeDump } from './netlink-address.ts'
import {
  attribute,
  attributeText,
  type NetlinkRequest,
  nested,
  netlinkFlags,
  parseAttributes,
} from './netlink-codec.ts'
import { NetlinkSocket } from './netlink-socket.ts'

/** A network device, as the kernel lists it. */
export interface LinkInfo {
  readonly index: number
  readonly name: string
  /** 'bridge', 'veth' and so on; '' for a physical device. */
  readonly kind: string
  readonly alias: string
  readonly up: boolean
  readonly mtu: number
  readonly mac: string
  /** Index of the bridge that it belongs to; 0 for none. */
  readonly master: number
}

/** A pair of devices: one in this network namespace, its peer in another. */
export interface VethOptions {
  readonly name: string
  readonly mtu: number
  /** Index of the bridge that the local end joins. */
  readonly master?: number
  readonly peer: { readonly name: string; readonly mac: string; readonly namespaceFd: number }
}

const { ack, create, dump, exclusive, request } = netlinkFlags
const AF_INET6 = 10
const IFF_UP = 1
const IFF_NOARP = 0x80
const message = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  getAddress: 22,
  getRoute: 26,
}
const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  linkInfo: 18,
  alias: 20,
  familySpec: 26,
  namespaceFd: 28,
  extensions: 29,
}
const info = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 }
const vethPeer = 1
const bridgeForwardDelay = 1
const portHairpin = 4
const portIsolated = 33
/** Keeps the kernel from giving the device a link-local IPv6 address. */
const noAutomaticIpv6 = nested(ifla.familySpec, nested(AF_INET6, attribute(8, Buffer.from([1]))))
/** Leaves counters out of lists of links. */
const skipStatistics = attribute(ifla.extensions, 8)
const createFlags = request | ack | create | exclusive

/** A request that creates a bridge, which is down. It has no spanning tree delay, and a fixed MAC address, which
 *  otherwise would depend on its ports. */
export function createBridge(options: { name: string; mac: string; mtu: number }): NetlinkRequest {
  const forwardDelay = attribute(bridgeForwardDelay, 0)
  return {
    type: message.newLink,
    flags: createFlags,
    label: `create bridge ${options.name}`,
    body: Buffer.concat([
      linkHeader(0, 0),
      attribute(ifla.name, options.name),
      attribute(ifla.mtu, options.mtu),
      attribute(ifla.address, macBytes(options.mac)),
      nested(ifla.linkInfo, attribute(info.kind, 'bridge'), nested(info.data, forwardDelay)),
    ]),
  }
}

/** A request that creates a veth pair. Both ends are down. */
export function createVeth(options: VethOptions): NetlinkRequest {
  const peer = nested(
    vethPeer,
    linkHeader(0, 0),
    attribute(ifla.name, options.peer.name),
    attribute(ifla.address, macBytes(options.peer.mac)),
    attribute(ifla.mtu, options.mtu),
    attribute(ifla.namespaceFd, options.peer.namespaceFd),
  )
  return {
    type: message.newLink,
    flags: createFlags,
    label: `create veth ${options.name}`,
    body: Buffer.concat([
      linkHeader(0, 0),
      attribute(ifla.name, options.name),
      attribute(ifla.mtu, options.mtu),
      ...(options.master === undefined ? [] : [attribute(ifla.master, options.master)]),
      nested(ifla.linkInfo, attribute(info.kind, 'veth'), nested(info.data, peer)),
    ]),
  }
}

/** A request that changes the given properties of a link, which is named by its name or index. The kernel handles `up`
 *  before the rest. So to avoid a link-local address, send `automaticIpv6` in a request before the one with `up`. */
export function setLink(
  link: string | number,
  change: {
    up?: boolean
    mtu?: number
    alias?: string
    master?: number
    port?: { readonly isolated: boolean; readonly hairpin: boolean }
    automaticIpv6?: false
    /** Switches off ARP and neighbor discovery: packets go to the device's own hardware address. */
    arp?: false
    /** A new name; the link must be given by its index, and be down. */
    name?: string
    mac?: string
  },
): NetlinkRequest {
  const { up, arp } = change
  const flags = (up === true ? IFF_UP : 0) | (arp === false ? IFF_NOARP : 0)
  const changed = (up === undefined ? 0 : IFF_UP) | (arp === undefined ? 0 : IFF_NOARP)
  const parts = [linkHeader(typeof link === 'number' ? link : 0, flags, changed)]
  if (typeof link === 'string') parts.push(attribute(ifla.name, link))
  else if (change.name !== undefined) parts.push(attribute(ifla.name, change.name))
  if (change.mac !== undefined) parts.push(attribute(ifla.address, macBytes(change.mac)))
  if (change.mtu !== undefined) parts.push(attribute(ifla.mtu, change.mtu))
  if (change.alias !== undefined) parts.push(attribute(ifla.alias, Buffer.from(change.alias)))
  if (change.master !== undefined) parts.push(attribute(ifla.master, change.master))
  if (change.automaticIpv6 !== undefined) parts.push(noAutomaticIpv6)
  if (change.port !== undefined) {
    const { isolated, hairpin } = change.port
    const settings = [flag(portIsolated, isolated), flag(portHairpin, hairpin)]
    parts.push(nested(ifla.linkInfo, attribute(info.slaveKind, 'bridge'), nested(info.slaveData, ...settings)))
  }
  return { type: message.newLink, flags: request | ack, label: `set link ${link}`, body: Buffer.concat(parts) }
}

/** A request that deletes a link; a veth together with its peer. It may take the kernel tens of milliseconds. */
export function deleteLink(link: string | number): NetlinkRequest {
  const parts = [linkHeader(typeof link === 'number' ? link : 0, 0)]
  if (typeof link === 'string') parts.push(attribute(ifla.name, link))
  return { type: message.deleteLink, flags: request | ack, label: `delete link ${link}`, body: Buffer.concat(parts) }
}

/** An open rtnetlink socket in one network namespace. Its methods throw the system's error. */
export class RouteSocket {
  readonly #socket: NetlinkSocket

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Opens a socket in the calling thread's network namespace. */
  static open(): RouteSocket {
    return new RouteSocket(NetlinkSocket.open(0))
  }

  /** Sends requests in one call. The kernel tries all of them; then the first failure is thrown. */
  execute(...requests: readonly NetlinkRequest[]): void {
    this.#socket.execute(requests)
  }

  /** All links. */
  links(): LinkInfo[] {
    return this.#query(message.getLink, dump, Buffer.concat([linkHeader(0, 0), skipStatistics]), 'links').map(parseLink)
  }

  /** The link with this name; undefined when there is none. */
  findLink(name: string): LinkInfo | undefined {
    const body = Buffer.concat([linkHeader(0, 0), attribute(ifla.name, name), skipStatistics])
    try {
      return this.#query(message.getLink, ack, body, name).map(parseLink)[0]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') return undefined
      throw error
    }
  }

  /** All addresses of the family. */
  addresses(family: 4 | 6 = 4): AddressInfo[] {
    const { body, parse } = addressDump(family)
    return this.#query(message.getAddress, dump, body, 'addresses').map(parse)
  }

  /** All routes of the family, except the kernel's own table of local addresses. */
  routes(family: 4 | 6 = 4): RouteInfo[] {
    const { body, parse } = routeDump(family)
    return this.#query(message.getRoute, dump, body, 'routes').flatMap(parse)
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    this.#socket.close()
  }

  #query(type: number, flags: number, body: Buffer, label: string): Buffer[] {
    return this.#socket.query({ type, flags: request | flags, body, label }).map((reply) => reply.body)
  }
}

function flag(type: number, on: boolean): Buffer {
  return attribute(type, Buffer.from([on ? 1 : 0]))
}

function linkHeader(index: number, flags: number, change = flags): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(index, 4)
  header.writeUInt32LE(flags, 8)
  header.writeUInt32LE(change, 12)
  return header
}

function parseLink(body: Buffer): LinkInfo {
  const attributes = parseAttributes(body, 16)
  const linkInfo = attributes.get(ifla.linkInfo)
  const mac = attributes.get(ifla.address) ?? Buffer.alloc(0)
  return {
    index: body.readInt32LE(4),
    name: attributeText(attributes.get(ifla.name)),
    kind: linkInfo === undefined ? '' : attributeText(parseAttributes(linkInfo).get(info.kind)),
    alias: attributeText(attributes.get(ifla.alias)),
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: attributes.get(ifla.mtu)?.readUInt32LE() ?? 0,
    mac: [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    master: attributes.get(ifla.master)?.readUInt32LE() ?? 0,
  }
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}
