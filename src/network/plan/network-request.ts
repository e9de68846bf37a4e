/** The request to create a network, and all checks that need only the request. Pure. Messages are Docker's. */
import { BerthError, invalidArgument } from '../../base/index.ts'
import { contains, formatSubnet, isAddress, parseAddress, parseCidr, type Subnet } from '../record/ip.ts'
import type { DriverName, IpamPool } from '../record/network-record.ts'

/** One entry of the IPAM configuration, unchecked. */
export interface IpamRequest {
  /** In CIDR form. */
  readonly subnet?: string | undefined
  /** The part of the subnet that containers get addresses from, in CIDR form. */
  readonly range?: string | undefined
  readonly gateway?: string | undefined
  /** Addresses by name that no container gets. */
  readonly auxiliary?: Readonly<Record<string, string>> | undefined
}

/** The request to create a network; the members are those of `POST /networks/create`. */
export interface NetworkRequest {
  readonly name: string
  /** '' for `bridge`. */
  readonly driver: string
  /** '' or `local`; other scopes are refused. */
  readonly scope: string
  readonly internal: boolean
  readonly attachable: boolean
  readonly ingress: boolean
  readonly enableIpv4: boolean
  readonly enableIpv6: boolean
  /** Make a template for other networks. */
  readonly configOnly: boolean
  /** Name or id of the template; '' for none. */
  readonly configFrom: string
  readonly ipamDriver: string
  readonly ipamOptions: Readonly<Record<string, string>> | null
  readonly ipam: readonly IpamRequest[]
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

const notSwarmManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'
const predefined: ReadonlySet<string> = new Set(['bridge', 'host', 'none', 'default'])

/** Checks everything but the address ranges and driver options, and gives the driver's name. Throws `forbidden`,
 *  `invalidArgument`, `notFound` for an unknown driver, `unavailable` for what needs a swarm. */
export function checkRequest(request: NetworkRequest): DriverName {
  const { name, internal, attachable, ingress, scope, configOnly, configFrom } = request
  if (name.trim() === '') throw invalidArgument(`invalid name: ${name}`)
  if (predefined.has(name)) throw forbidden(`operation is not permitted on predefined ${name} network `)
  if (ingress) throw forbidden('Ingress network can only be global scope network')
  if (scope === 'swarm') throw forbidden('cannot create a swarm scoped network when swarm is not active')
  if (configOnly) {
    if (configFrom !== '') throw forbidden('a configuration network cannot depend on another configuration network')
    if (internal || attachable) {
      throw forbidden(
        'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
      )
    }
  }
  if (configFrom !== '') checkDependent(request)
  if (scope !== '' && scope !== 'local') throw new BerthError('unavailable', notSwarmManager)
  return driverOf(request)
}

function driverOf({ driver, ipamDriver, enableIpv4, enableIpv6, configOnly }: NetworkRequest): DriverName {
  const wanted = driver === '' ? 'bridge' : driver
  if (wanted === 'overlay') throw new BerthError('unavailable', notSwarmManager)
  if (wanted === 'host' || wanted === 'null') {
    throw forbidden(`only one instance of "${wanted}" network is allowed`)
  }
  if (wanted !== 'bridge' && wanted !== 'macvlan' && wanted !== 'ipvlan') {
    throw new BerthError('notFound', `plugin "${wanted}" not found`)
  }
  if (ipamDriver !== 'default' && ipamDriver !== 'null') {
    throw new BerthError('notFound', `plugin "${ipamDriver}" not found`)
  }
  if (!configOnly && !enableIpv4 && !enableIpv6) throw invalidArgument('IPv4 or IPv6 must be enabled')
  if (ipamDriver === 'null' && wanted === 'bridge') throw invalidArgument('ipv4 pool is empty')
  return wanted
}

function checkDependent({ ipam, ipamOptions, ipamDriver, options, enableIpv6 }: NetworkRequest): void {
  if (Object.keys(options).length > 0) {
    throw forbidden('network driver options are not supported if the network depends on a configuration network')
  }
  if (ipam.length > 0 || Object.keys(ipamOptions ?? {}).length > 0 || ipamDriver !== 'default' || enableIpv6) {
    throw forbidden('user specified configurations are not supported if the network depends on a configuration network')
  }
}

/** Reads the IPAM configuration into canonical form, IPv4 first. Like Docker, leaves out ranges of a family that is not
 *  enabled. Throws `invalidArgument` with a list of all problems. */
export function parseIpam(
  requests: readonly IpamRequest[],
  enabled: { readonly ipv4: boolean; readonly ipv6: boolean },
): readonly IpamPool[] {
  const problems: string[] = []
  const pools = requests.flatMap((request) => parsePool(request, problems) ?? [])
  if (problems.length > 0) throw invalidArgument(`invalid network config:\n${problems.join('\n')}`)
  const ofFamily = (family: number) => pools.filter(({ subnet }) => parseCidr(subnet).subnet.family === family)
  return [...(enabled.ipv4 ? ofFamily(4) : []), ...(enabled.ipv6 ? ofFamily(6) : [])]
}

function parsePool(request: IpamRequest, problems: string[]): IpamPool | undefined {
  const text = request.subnet ?? ''
  const subnet = range(text, `invalid subnet ${text}`, problems)
  if (subnet === undefined) return undefined
  const { auxiliary = {} } = request
  checkAddress(request.gateway, 'gateway', subnet, problems)
  for (const address of Object.values(auxiliary)) checkAddress(address, 'auxiliary address', subnet, problems)
  if (request.range) checkRange(request.range, subnet, problems)
  if (problems.length > 0) return undefined
  return {
    subnet: formatSubnet(subnet),
    ...(request.range ? { range: formatSubnet(parseCidr(request.range).subnet) } : {}),
    gateway: request.gateway ?? '',
    ...(Object.keys(auxiliary).length === 0 ? {} : { auxiliary }),
  }
}

function range(text: string, prefix: string, problems: string[]): Subnet | undefined {
  try {
    const { address, subnet } = parseCidr(text)
    const canonical = formatSubnet(subnet)
    if (canonical === `${address}/${subnet.prefix}`) return subnet
    problems.push(`${prefix}: it should be ${canonical}`)
  } catch {
    problems.push(`${prefix}: invalid CIDR block notation`)
  }
  return undefined
}

function checkRange(text: string, parent: Subnet, problems: string[]): void {
  const prefix = `invalid ip-range ${text}`
  const own = range(text, prefix, problems)
  if (own === undefined) return
  if (own.family !== parent.family) problems.push(`${prefix}: parent subnet is an IPv${parent.family} block`)
  else if (own.prefix < parent.prefix) {
    problems.push(`${prefix}: CIDR block is bigger than its parent subnet ${formatSubnet(parent)}`)
  } else if (!contains(parent, { family: own.family, value: own.base })) {
    problems.push(`${prefix}: parent subnet ${formatSubnet(parent)} doesn't contain ip-range`)
  }
}

function checkAddress(text: string | undefined, what: string, parent: Subnet, problems: string[]): void {
  if (text === undefined || text === '') return
  const prefix = `invalid ${what} ${text}`
  if (!isAddress(text)) problems.push(`${prefix}: invalid address`)
  else if (parseAddress(text).family !== parent.family) {
    problems.push(`${prefix}: parent subnet is an IPv${parent.family} block`)
  } else if (!contains(parent, parseAddress(text))) {
    problems.push(`${prefix}: parent subnet ${formatSubnet(parent)} doesn't contain this address`)
  }
}

function forbidden(message: string): BerthError {
  return new BerthError('forbidden', message)
}
