/** rtnetlink: requests for addresses and routes of both families, and parsers for the kernel's lists of them. The
 *  requests are sent with `RouteSocket`.
 *  https://man7.org/linux/man-pages/man7/rtnetlink.7.html */
import { addressBytes, addressText } from '../native/ip-bytes.ts'
import { attribute, type NetlinkRequest, netlinkFlags, parseAttributes } from './netlink-codec.ts'

/** An address on a device. */
export interface AddressInfo {
  /** Index of the device. */
  readonly index: number
  readonly address: string
  readonly prefix: number
}

/** A route. The destination of a default route is 0.0.0.0/0 or ::/0. */
export interface RouteInfo {
  readonly destination: string
  readonly prefix: number
  /** 0.0.0.0 or :: when there is none. */
  readonly gateway: string
  /** Index of the device. */
  readonly index: number
  readonly table: number
}

/** A route to add or delete. Without a destination, the default route. */
export interface RouteOptions {
  /** Index of the device. */
  readonly index: number
  readonly destination?: { readonly address: string; readonly prefix: number }
  /** Absent: the destination is on the link. */
  readonly gateway?: string
  /** Family of a route with neither destination nor gateway. Default: 4. */
  readonly family?: 4 | 6
}

const { ack, create, exclusive, replace, request } = netlinkFlags
const families = { 4: 2, 6: 10 } as const
const IFA_F_NODAD = 2
const RT_SCOPE_LINK = 253
const table = { main: 254, local: 255 } as const
const message = { newAddress: 20, deleteAddress: 21, newRoute: 24, deleteRoute: 25 }
const createFlags = request | ack | create | exclusive
const unspecified = { 4: '0.0.0.0', 6: '::' } as const

/** A request that adds an address to a link. An IPv4 address gets the broadcast address of its network. An IPv6 address
 *  is usable at once, without duplicate address detection. */
export function addAddress(index: number, address: string, prefix: number): NetlinkRequest {
  const body = [addressBody(index, address, prefix)]
  const bytes = addressBytes(address)
  if (bytes.length === 4 && prefix < 31) {
    const host = prefix === 0 ? 0xffffffff : 2 ** (32 - prefix) - 1
    const broadcast = Buffer.alloc(4)
    broadcast.writeUInt32BE((bytes.readUInt32BE() | host) >>> 0)
    body.push(attribute(4, broadcast))
  }
  return {
    type: message.newAddress,
    flags: createFlags,
    label: `add address ${address}/${prefix}`,
    body: Buffer.concat(body),
  }
}

/** A request that removes an address from a link. */
export function deleteAddress(index: number, address: string, prefix: number): NetlinkRequest {
  return {
    type: message.deleteAddress,
    flags: request | ack,
    label: `delete address ${address}/${prefix}`,
    body: addressBody(index, address, prefix),
  }
}

/** A request that sets the default route through `gateway`, and replaces an existing one. */
export function addDefaultRoute(index: number, gateway: string): NetlinkRequest {
  return { ...addRoute({ index, gateway }), flags: request | ack | create | replace }
}

/** A request that adds a route to the main table. */
export function addRoute(route: RouteOptions): NetlinkRequest {
  const scope = route.gateway === undefined ? RT_SCOPE_LINK : 0
  return { type: message.newRoute, flags: createFlags, label: `add ${labelOf(route)}`, body: routeBody(route, scope) }
}

/** A request that removes a route from the main table. */
export function deleteRoute(route: RouteOptions): NetlinkRequest {
  // 255 matches any scope.
  return {
    type: message.deleteRoute,
    flags: request | ack,
    label: `delete ${labelOf(route)}`,
    body: routeBody(route, 255),
  }
}

/** The body of a request for all addresses of a family, and a parser for each answer. */
export function addressDump(family: 4 | 6): { readonly body: Buffer; readonly parse: (body: Buffer) => AddressInfo } {
  return {
    body: Buffer.from([families[family], 0, 0, 0, 0, 0, 0, 0]),
    parse(body) {
      const attributes = parseAttributes(body, 8)
      const bytes = attributes.get(2) ?? attributes.get(1)
      return { index: body.readUInt32LE(4), address: textOf(bytes, family), prefix: body[1] ?? 0 }
    },
  }
}

/** The body of a request for all routes of a family, and a parser for each answer, which leaves out the kernel's own
 *  routes of local addresses. */
export function routeDump(family: 4 | 6): { readonly body: Buffer; readonly parse: (body: Buffer) => RouteInfo[] } {
  const header = Buffer.alloc(12)
  header[0] = families[family]
  return {
    body: header,
    parse(body) {
      const attributes = parseAttributes(body, 12)
      const route = {
        destination: textOf(attributes.get(1), family),
        prefix: body[1] ?? 0,
        gateway: textOf(attributes.get(5), family),
        index: attributes.get(4)?.readUInt32LE() ?? 0,
        table: attributes.get(15)?.readUInt32LE() ?? body[4] ?? 0,
      }
      return route.table === table.local ? [] : [route]
    },
  }
}

/** `struct ifaddrmsg`, and the address both as the link's own and as the peer's. */
function addressBody(index: number, address: string, prefix: number): Buffer {
  const bytes = addressBytes(address)
  const isIpv6 = bytes.length === 16
  const header = Buffer.alloc(8)
  header.set([isIpv6 ? families[6] : families[4], prefix, isIpv6 ? IFA_F_NODAD : 0, 0])
  header.writeUInt32LE(index, 4)
  return Buffer.concat([header, attribute(1, bytes), attribute(2, bytes)])
}

/** `struct rtmsg` and the attributes of a unicast route. */
function routeBody({ index, destination, gateway, family = 4 }: RouteOptions, scope: number): Buffer {
  const sample = gateway ?? destination?.address ?? unspecified[family]
  const protocolBoot = 3
  const unicast = 1
  const addressFamily = addressBytes(sample).length === 16 ? families[6] : families[4]
  const parts = [
    Buffer.from([addressFamily, destination?.prefix ?? 0, 0, 0, table.main, protocolBoot, scope, unicast, 0, 0, 0, 0]),
    attribute(4, index),
  ]
  if (destination !== undefined) parts.push(attribute(1, addressBytes(destination.address)))
  if (gateway !== undefined) parts.push(attribute(5, addressBytes(gateway)))
  return Buffer.concat(parts)
}

function labelOf({ destination, gateway }: RouteOptions): string {
  const where = destination === undefined ? 'default route' : `route to ${destination.address}/${destination.prefix}`
  return gateway === undefined ? where : `${where} by ${gateway}`
}

function textOf(bytes: Buffer | undefined, family: 4 | 6): string {
  return bytes === undefined || bytes.length !== (family === 4 ? 4 : 16) ? unspecified[family] : addressText(bytes)
}
