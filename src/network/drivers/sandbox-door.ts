/** A container's network namespace, opened to work on its devices. Everything is synchronous. */
import { closeSync, openSync } from 'node:fs'
import { internal, invalidArgument } from '../../base/index.ts'
import {
  addAddress,
  addDefaultRoute,
  createNetworkNamespace,
  deleteRoute,
  inNetworkNamespace,
  RouteSocket,
  setLink,
  writeNetworkSysctl,
} from '../../sys/index.ts'
import { defaultGateway } from '../record/gateway.ts'
import { parseCidr } from '../record/ip.ts'
import type { EndpointInfo, EndpointRecord } from '../record/network-record.ts'

/** An open namespace. */
export interface SandboxDoor {
  /** The file on which the namespace is mounted. */
  readonly path: string
  /** Routing netlink inside the namespace. */
  readonly route: RouteSocket
  /** Descriptor of the namespace, for devices that are created in it from outside. */
  readonly fd: number
  close(): void
}

/** Makes a namespace, mounts it at `path` and sets its loopback up. With `own`, the path in /proc of a process's
 *  namespace, mounts that one in place of a new one. */
export function makeNamespace(path: string, own?: string): SandboxDoor {
  const inside = () => {
    // Unless a network with IPv6 is attached, no router advertisement may give the container an address.
    writeNetworkSysctl('ipv6/conf/default/disable_ipv6', '1')
    return openHere(path)
  }
  const door = createNetworkNamespace(path, inside, own)
  if (door === undefined) throw internal('no namespace was made')
  try {
    door.route.execute(setLink(1, { up: true }))
  } catch (error) {
    door.close()
    throw error
  }
  return door
}

/** Opens the namespace that is mounted at `path`. */
export function openNamespace(path: string): SandboxDoor {
  return inNetworkNamespace(path, () => openHere(path))
}

/** Gives a device in the namespace its addresses and sysctls and sets it up. `moveDefaultRoutes` adds the routes.
 *  Throws `invalidArgument` for a sysctl that the kernel refuses. */
export function configureDevice({ path, route }: SandboxDoor, endpoint: EndpointRecord): void {
  const { device } = endpoint
  const index = route.findLink(device)?.index
  if (index === undefined) throw internal(`device ${device} has gone`)
  if (endpoint.ipv6 !== '' || endpoint.sysctls.length > 0) {
    inNetworkNamespace(path, () => {
      if (endpoint.ipv6 !== '') enableIpv6(device)
      for (const setting of endpoint.sysctls) applySysctl(device, setting)
    })
  }
  const addresses = [
    ...(endpoint.ipv4 === '' ? [] : [addAddress(index, endpoint.ipv4, endpoint.prefix)]),
    ...(endpoint.ipv6 === '' ? [] : [addAddress(index, endpoint.ipv6, endpoint.prefix6)]),
    ...endpoint.linkLocal.map((text) => addAddress(index, parseCidr(text).address, parseCidr(text).subnet.prefix)),
  ]
  route.execute(setLink(index, { up: true }), ...addresses)
}

/** Changes the default routes from those of the endpoints `before` to those of the endpoints `after`. The routes of
 *  endpoints that are only in `before` went with their devices. */
export function moveDefaultRoutes(
  { route }: SandboxDoor,
  before: readonly EndpointInfo[],
  after: readonly EndpointInfo[],
): void {
  for (const family of [4, 6] as const) {
    const old = defaultGateway(before, family)
    const next = defaultGateway(after, family)
    if (old?.endpointId === next?.endpointId) continue
    const stays = old !== undefined && after.some(({ endpointId }) => endpointId === old.endpointId)
    if (stays) route.execute(deleteRoute({ index: indexOf(route, old), gateway: gatewayOf(old, family) }))
    if (next !== undefined) route.execute(addDefaultRoute(indexOf(route, next), gatewayOf(next, family)))
  }
}

function gatewayOf(endpoint: EndpointInfo, family: 4 | 6): string {
  return family === 4 ? endpoint.gateway : endpoint.gateway6
}

function indexOf(route: RouteSocket, { device }: EndpointInfo): number {
  const index = route.findLink(device)?.index
  if (index === undefined) throw internal(`device ${device} has gone`)
  return index
}

function openHere(path: string): SandboxDoor {
  const route = RouteSocket.open()
  const fd = openSync('/proc/thread-self/ns/net', 'r')
  return {
    path,
    route,
    fd,
    close() {
      route.close()
      closeSync(fd)
    },
  }
}

/** Enables IPv6 without autoconfiguration and without duplicate detection: the engine assigns all addresses and knows
 *  that they are free. */
function enableIpv6(device: string): void {
  writeNetworkSysctl(`ipv6/conf/${device}/accept_ra`, '0')
  writeNetworkSysctl(`ipv6/conf/${device}/accept_dad`, '0')
  writeNetworkSysctl(`ipv6/conf/${device}/disable_ipv6`, '0')
}

/** Applies a setting like `net.ipv4.conf.IFNAME.forwarding=1`, whose format `parseSysctls` has checked. */
function applySysctl(device: string, setting: string): void {
  const [, family = '', area = '', key = '', value = ''] =
    /^net\.(ipv4|ipv6|mpls)\.(conf|neigh|input)\.IFNAME(?:\.(\w+))?=(.*)$/.exec(setting) ?? []
  const path = `${family}/${area}/${device}${key === '' ? '' : `/${key}`}`
  let known: boolean
  try {
    known = writeNetworkSysctl(path, value)
  } catch (cause) {
    throw invalidArgument(`unable to set sysctl ${setting.replace('IFNAME', device)}`, { cause })
  }
  if (!known) throw invalidArgument(`unable to set sysctl ${setting.replace('IFNAME', device)}: no such setting`)
}
