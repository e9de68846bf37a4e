/** Turns a container's request to join a network into the record of its endpoint. Leases addresses in memory; makes
 *  no device. */
import { BerthError, invalidArgument, newId, shortId } from '../../base/index.ts'
import { randomMac } from '../drivers/bridge-driver.ts'
import type { AddressLease, Ipam } from '../ipam/ipam.ts'
import { canonicalAddress, isAddress, macOfAddress, parseCidr } from '../record/ip.ts'
import { type EndpointRecord, type EndpointRequest, hasNames, type NetworkRecord } from '../record/network-record.ts'
import { vethName } from '../record/paths.ts'

/** The container that an endpoint is for. */
export interface EndpointOwner {
  readonly containerId: string
  readonly name: string
  readonly hostname: string
  readonly sandboxId: string
}

const noLease: AddressLease = { address: '', prefix: 0, gateway: '' }
const ifnameOption = 'com.docker.network.endpoint.ifname'
const sysctlsOption = 'com.docker.network.endpoint.sysctls'

/** Plans an endpoint and leases its addresses. `taken` are the names of the devices that the sandbox already has.
 *  Throws `invalidArgument` for a request that this network can't fulfill, `forbidden` for an address in use,
 *  `conflict` for a device name in use, `unavailable` if no address is left. */
export function planEndpoint(
  network: NetworkRecord,
  owner: EndpointOwner,
  request: EndpointRequest,
  ipam: Ipam,
  context: { readonly tag: string; readonly taken: readonly string[] },
): EndpointRecord {
  const { containerId, name, hostname, sandboxId } = owner
  const endpointId = newId()
  const aliases = request.aliases ?? []
  const base = {
    version: 1,
    containerId,
    containerName: name,
    sandboxId,
    networkId: network.id,
    networkName: network.name,
    endpointId,
    aliases,
    links: request.links ?? [],
    dnsNames: hasNames(network)
      ? [...new Set([name, ...aliases, shortId(containerId), hostname].filter((text) => text !== ''))]
      : [],
    gatewayPriority: request.gatewayPriority ?? 0,
    linkLocal: (request.linkLocal ?? []).map(linkLocalAddress),
  } as const
  if (network.driver === 'null') return { ...base, ...noDevice }
  checkUserAddresses(network, request)
  const device = deviceFor(network, request, context.taken)
  const sysctls = parseSysctls(request.driverOptions?.[sysctlsOption])
  const [lease4, lease6] = takeAddresses(network, request, ipam)
  return {
    ...base,
    ipv4: lease4.address,
    prefix: lease4.prefix,
    gateway: network.internal ? '' : lease4.gateway,
    ipv6: lease6.address,
    prefix6: lease6.prefix,
    gateway6: network.internal ? '' : lease6.gateway,
    mac: macFor(network, request, lease4.address),
    device,
    sysctls,
    veth: network.driver === 'bridge' ? vethName(context.tag, endpointId) : '',
  }
}

const noDevice = {
  ipv4: '',
  prefix: 0,
  gateway: '',
  ipv6: '',
  prefix6: 0,
  gateway6: '',
  mac: '',
  device: '',
  sysctls: [],
  veth: '',
} as const

/** Leases the addresses of both families, or none. */
function takeAddresses(
  network: NetworkRecord,
  { ipv4, ipv6 }: EndpointRequest,
  ipam: Ipam,
): [ipv4: AddressLease, ipv6: AddressLease] {
  const lease4 = ipam.has(network.id, 4) ? ipam.take(network.id, 4, ipv4) : noLease
  if (!ipam.has(network.id, 6)) return [lease4, noLease]
  try {
    return [lease4, ipam.take(network.id, 6, ipv6 === undefined ? undefined : canonicalAddress(ipv6))]
  } catch (error) {
    ipam.giveBack(network.id, lease4.address)
    throw error
  }
}

function checkUserAddresses(network: NetworkRecord, request: EndpointRequest): void {
  for (const [wanted, family] of [
    [request.ipv4, 4],
    [request.ipv6, 6],
  ] as const) {
    if (wanted === undefined) continue
    if (!isAddress(wanted) || wanted.includes(':') !== (family === 6)) {
      throw invalidArgument(`invalid endpoint settings:\ninvalid IPv${family} address: ${wanted}`)
    }
    if (!hasNames(network)) {
      throw invalidArgument('user specified IP address is supported on user defined networks only')
    }
    const pools = network.ipam.filter(({ subnet }) => parseCidr(subnet).subnet.family === family)
    if (pools.length === 0 || pools.every(({ chosen }) => chosen === true)) {
      throw invalidArgument(
        'invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets',
      )
    }
  }
}

function macFor(network: NetworkRecord, request: EndpointRequest, ipv4: string): string {
  // An ipvlan device has its parent's MAC.
  if (network.driver === 'ipvlan') return ''
  if (request.macAddress !== undefined && request.macAddress !== '') return macAddress(request.macAddress)
  return ipv4 === '' ? randomMac() : macOfAddress(ipv4)
}

/** The canonical form of a MAC address, lower case with colons. Takes colons or hyphens. Throws `invalidArgument` for
 *  anything that is not the address of one device. */
export function macAddress(text: string): string {
  if (!/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text)) throw invalidArgument(`invalid MAC address: ${text}`)
  // If the lowest bit of the first byte is set, it is a group address (IEEE 802). Neither that nor zero fits a device.
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1 || /^[0:-]+$/.test(text)) {
    throw invalidArgument(`invalid MAC address: ${text}: a device has an individual address`)
  }
  return text.replaceAll('-', ':').toLowerCase()
}

/** The requested name of the device, or the network's prefix with the first free number. */
function deviceFor(network: NetworkRecord, request: EndpointRequest, taken: readonly string[]): string {
  const wanted = request.driverOptions?.[ifnameOption]
  if (wanted !== undefined && wanted !== '') {
    if (!/^[^\s/:"%]{1,15}$/.test(wanted) || wanted === 'lo' || wanted === '.' || wanted === '..') {
      throw invalidArgument(`invalid endpoint settings:\ninvalid interface name: ${wanted}`)
    }
    if (taken.includes(wanted)) throw new BerthError('conflict', `interface name ${wanted} is in use in the container`)
    return wanted
  }
  const prefix = network.bridge?.interfacePrefix ?? 'eth'
  for (let number = 0; ; number += 1) if (!taken.includes(prefix + number)) return prefix + number
}

/** Splits a list like `net.ipv4.conf.IFNAME.a=1,net.ipv6.conf.IFNAME.b=0`. Throws `invalidArgument` for settings that
 *  don't belong to a device. */
export function parseSysctls(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return []
  return text.split(',').map((setting) => {
    // The docker CLI turns the whole option into lower case.
    const canonical = setting.replace(/\.ifname(?=[.=])/i, '.IFNAME')
    if (/^net\.(ipv4|ipv6)\.(conf|neigh)\.IFNAME\.\w+=[^\s/]*$/.test(canonical)) return canonical
    if (/^net\.mpls\.(conf|input)\.IFNAME(\.\w+)?=[^\s/]*$/.test(canonical)) return canonical
    throw invalidArgument(
      `invalid endpoint settings:\nunrecognised network interface sysctl '${setting}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
    )
  })
}

function linkLocalAddress(text: string): string {
  if (!isAddress(text)) throw invalidArgument(`invalid endpoint settings:\ninvalid link-local IP address: ${text}`)
  return `${canonicalAddress(text)}/${text.includes(':') ? 64 : 16}`
}
