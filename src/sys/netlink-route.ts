/** rtnetlink: links, addresses and routes. The functions build requests; `RouteSocket` sends any number of
 *  them in one call. Requests that name a link by its name need no index first.
 *  https://man7.org/linux/man-pages/man7/rtnetlink.7.html */
import {
  attribute,
  attributeText,
  type NetlinkRequest,
  nested,
  netlinkFlags,
  parseAttributes,
} from './netlink-codec.ts'
import { NetlinkSocket } from './netlink-socket.ts'

/** A network device as the kernel lists it. */
export interface LinkInfo {
  readonly index: number
  readonly name: string
  readonly kind: string
  readonly alias: string
  readonly up: boolean
  readonly mtu: number
  readonly mac: string
  /** Index of the bridge that it belongs to, 0 for none. */
  readonly master: number
}

/** An address on a device. */
export interface AddressInfo {
  readonly index: number
  readonly address: string
  readonly prefix: number
}

/** A route; destination 0.0.0.0/0 is the default route. */
export interface RouteInfo {
  readonly destination: string
  readonly prefix: number
  readonly gateway: string
  readonly index: number
  readonly table: number
}

/** A pair of devices: one end on a bridge here, the other in a container's namespace. */
export interface VethOptions {
  readonly name: string
  readonly mtu: number
  /** Index of the bridge. */
  readonly master: number
  readonly peer: { readonly name: string; readonly mac: string; readonly namespaceFd: number }
}

const { ack, create, dump, exclusive, request } = netlinkFlags
const AF_INET = 2
const AF_INET6 = 10
const IFF_UP = 1
const table = { main: 254, local: 255 } as const
const message = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
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
/** Attribute of AF_INET6 that keeps the kernel from giving the device a link-local address. */
const noAutomaticIpv6 = nested(ifla.familySpec, nested(AF_INET6, attribute(8, Buffer.from([1]))))
/** Leaves the counters out of link lists. */
const skipStatistics = attribute(ifla.extensions, 8)
const createFlags = request | ack | create | exclusive

/** A bridge without spanning tree delay, with a fixed MAC (else it would follow its ports'). It is down. */
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

/** A veth pair, both ends down, the near end a port of `master`. */
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
      attribute(ifla.master, options.master),
      nested(ifla.linkInfo, attribute(info.kind, 'veth'), nested(info.data, peer)),
    ]),
  }
}

/** Changes what is given of an existing link. Flags come first: a link that shall have no link-local address
 *  is told so by a request before the one that sets it up. */
export function setLink(
  link: string | number,
  change: {
    up?: boolean
    mtu?: number
    alias?: string
    master?: number
    port?: { readonly isolated: boolean; readonly hairpin: boolean }
    automaticIpv6?: false
  },
): NetlinkRequest {
  const up = change.up
  const parts = [
    linkHeader(typeof link === 'number' ? link : 0, up === true ? IFF_UP : 0, up === undefined ? 0 : IFF_UP),
  ]
  if (typeof link === 'string') parts.push(attribute(ifla.name, link))
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

/** Takes a link away (a veth with its peer). The kernel may need tens of milliseconds. */
export function deleteLink(link: string | number): NetlinkRequest {
  const parts = [linkHeader(typeof link === 'number' ? link : 0, 0)]
  if (typeof link === 'string') parts.push(attribute(ifla.name, link))
  return { type: message.deleteLink, flags: request | ack, label: `delete link ${link}`, body: Buffer.concat(parts) }
}

/** Gives a link an IPv4 address with the broadcast address of its network. */
export function addAddress(index: number, address: string, prefix: number): NetlinkRequest {
  const bytes = addressBytes(address)
  const host = prefix === 0 ? 0xffffffff : 2 ** (32 - prefix) - 1
  const broadcast = Buffer.alloc(4)
  broadcast.writeUInt32BE((bytes.readUInt32BE() | host) >>> 0)
  return {
    type: message.newAddress,
    flags: createFlags,
    label: `add address ${address}/${prefix}`,
    body: Buffer.concat([addressBody(index, address, prefix), attribute(4, broadcast)]),
  }
}

/** Takes an IPv4 address from a link. */
export function deleteAddress(index: number, address: string, prefix: number): NetlinkRequest {
  return {
    type: message.deleteAddress,
    flags: request | ack,
    label: `delete address ${address}/${prefix}`,
    body: addressBody(index, address, prefix),
  }
}

/** A default route through `gateway`. */
export function addDefaultRoute(index: number, gateway: string): NetlinkRequest {
  const protocolBoot = 3
  const unicast = 1
  return {
    type: message.newRoute,
    flags: createFlags,
    label: `add default route by ${gateway}`,
    body: Buffer.concat([
      Buffer.from([AF_INET, 0, 0, 0, table.main, protocolBoot, 0, unicast, 0, 0, 0, 0]),
      attribute(5, addressBytes(gateway)),
      attribute(4, index),
    ]),
  }
}

/** An open rtnetlink socket of one network namespace. */
export class RouteSocket {
  readonly #socket: NetlinkSocket

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Opens a socket in the calling thread's network namespace. */
  static open(): RouteSocket {
    return new RouteSocket(NetlinkSocket.open(0))
  }

  /** Sends requests in one call; throws the first failure (with its errno name as `code`) after all were tried. */
  execute(...requests: readonly NetlinkRequest[]): void {
    this.#socket.execute(requests)
  }

  links(): LinkInfo[] {
    return this.#query(message.getLink, dump, Buffer.concat([linkHeader(0, 0), skipStatistics]), 'links').map(parseLink)
  }

  /** The link of that name, or undefined. */
  findLink(name: string): LinkInfo | undefined {
    const body = Buffer.concat([linkHeader(0, 0), attribute(ifla.name, name), skipStatistics])
    try {
      return this.#query(message.getLink, ack, body, name).map(parseLink)[0]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') return undefined
      throw error
    }
  }

  /** All IPv4 addresses. */
  addresses(): AddressInfo[] {
    const header = Buffer.from([AF_INET, 0, 0, 0, 0, 0, 0, 0])
    return this.#query(message.getAddress, dump, header, 'addresses').map((body) => {
      const attributes = parseAttributes(body, 8)
      const address = attributes.get(2) ?? attributes.get(1)
      return { index: body.readUInt32LE(4), address: addressText(address), prefix: body[1] ?? 0 }
    })
  }

  /** IPv4 routes of every table but the kernel's own of local addresses. */
  routes(): RouteInfo[] {
    const header = Buffer.alloc(12)
    header[0] = AF_INET
    return this.#query(message.getRoute, dump, header, 'routes')
      .map((body) => {
        const attributes = parseAttributes(body, 12)
        return {
          destination: addressText(attributes.get(1)),
          prefix: body[1] ?? 0,
          gateway: addressText(attributes.get(5)),
          index: attributes.get(4)?.readUInt32LE() ?? 0,
          table: attributes.get(15)?.readUInt32LE() ?? body[4] ?? 0,
        }
      })
      .filter((route) => route.table !== table.local)
  }

  close(): void {
    this.#socket.close()
  }

  #query(type: number, flags: number, body: Buffer, label: string): Buffer[] {
    return this.#socket.query({ type, flags: request | flags, body, label }).map((reply) => reply.body)
  }
}

/** `struct ifaddrmsg` and the address, as peer's and as the link's own. */
function addressBody(index: number, address: string, prefix: number): Buffer {
  const bytes = addressBytes(address)
  const header = Buffer.alloc(8)
  header.set([AF_INET, prefix, 0, 0])
  header.writeUInt32LE(index, 4)
  return Buffer.concat([header, attribute(1, bytes), attribute(2, bytes)])
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

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

function addressText(bytes: Buffer | undefined): string {
  return bytes === undefined || bytes.length !== 4 ? '0.0.0.0' : bytes.join('.')
}
