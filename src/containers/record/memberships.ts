/** The networks that a container is on: requested by create, changed by connect and disconnect. */
import type { ContainerConfig, EndpointSettings, HostConfig, NetworkingConfig } from '../../api/index.ts'
import { invalidArgument, messageOf } from '../../base/index.ts'
import { type EndpointRequest, macAddress, type NetworkRecord } from '../../network/index.ts'
import type { ContainerRecord } from './container-record.ts'
import { networkName } from './namespaces.ts'

/** A container's membership in one network. `network` is the network's name, or the user's text if there is no such
 *  network. */
export interface Membership {
  readonly network: string
  readonly settings: EndpointSettings
}

/** Finds networks by the names and ids that users give. */
export interface NetworkFinder {
  find(nameOrId: string): NetworkRecord | undefined
}

/** The networks of a container: first the one of its network mode, then the others by name. Empty for a container that
 *  shares another container's network. */
export function membershipsOf(record: ContainerRecord): readonly Membership[] {
  const main = networkName(record)
  if (main.startsWith('container:')) return []
  const known = record.networks ?? { [main]: record.networkingConfig.EndpointsConfig?.[main] ?? {} }
  const names = Object.keys(known).sort((one, other) => {
    if (one === main || other === main) return one === main ? -1 : 1
    return one < other ? -1 : 1
  })
  return names.map((network) => ({ network, settings: known[network] ?? {} }))
}

/** The memberships that a start can join. If the daemon has no default bridge (`bridge: none`), a container that asks
 *  for it gets no network, as with Docker; it asks again at its next start. */
export function joinableMemberships(record: ContainerRecord, finder: NetworkFinder): readonly Membership[] {
  return membershipsOf(record).filter(({ network }) => network !== 'bridge' || finder.find(network) !== undefined)
}

/** True if a started container asked for the default bridge and did not get it. */
export function isWithoutBridge(
  record: ContainerRecord,
  endpoints: readonly { readonly networkName: string }[],
): boolean {
  const isOn = endpoints.some(({ networkName: name }) => name === 'bridge')
  return !isOn && membershipsOf(record).some(({ network }) => network === 'bridge')
}

/** Combines the three places where create names networks, and gives the settings by network name. As with Docker,
 *  endpoints without a network mode replace it, and endpoints beside a mode that names a network are additional. Throws
 *  `invalidArgument`. */
export function requestedNetworks(
  config: ContainerConfig,
  { NetworkMode: mode = 'default' }: HostConfig,
  { EndpointsConfig: given }: NetworkingConfig,
  finder: NetworkFinder,
): Readonly<Record<string, EndpointSettings>> {
  const main = mainNetwork(config, mode ?? 'default')
  if (main.startsWith('container:')) return {}
  const endpoints = new Map<string, EndpointSettings>()
  for (const [key, settings] of Object.entries(given ?? {})) {
    const name = nameOf(key === 'default' ? 'bridge' : key, finder)
    if (endpoints.has(name)) throw invalidArgument(`network ${name} is specified more than once`)
    endpoints.set(name, settings ?? {})
  }
  const own = nameOf(main, finder)
  if (config.NetworkDisabled === true) return { none: {} }
  if (endpoints.size === 0 || (main !== 'bridge' && !endpoints.has(own))) endpoints.set(own, {})
  const alone = [...endpoints.keys()].find((name) => name === 'host' || name === 'none')
  if (alone !== undefined && endpoints.size > 1) {
    throw invalidArgument('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  const settings = endpoints.get(own)
  if (config.MacAddress && settings !== undefined && !settings.MacAddress) {
    endpoints.set(own, { ...settings, MacAddress: config.MacAddress })
  }
  for (const [name, wanted] of endpoints) checkRequested(name, wanted)
  return Object.fromEntries(endpoints)
}

function checkRequested(network: string, settings: EndpointSettings): void {
  try {
    checkEndpoint(network, settings)
  } catch (cause) {
    throw invalidArgument(`invalid config for network ${network}: ${messageOf(cause)}`, { cause })
  }
}

/** The networks of a container after it joined them, each with its id. With the id, the next start wants the same
 *  network, not a new one of the same name. Predefined networks keep their names only. */
export function joinedNetworks(
  record: ContainerRecord,
  endpoints: readonly { readonly networkId: string; readonly networkName: string }[],
): Readonly<Record<string, EndpointSettings>> {
  const joined = membershipsOf(record).map(({ network, settings }) => {
    const own = endpoints.find(({ networkId, networkName }) => networkName === network || networkId === network)
    if (own === undefined || predefinedNetworks.has(own.networkName)) return [network, settings]
    return [network, { ...settings, NetworkID: own.networkId }]
  })
  return Object.fromEntries(joined)
}

/** What to look a membership's network up by: its id once the container has joined it, its name before. */
export function networkKey({ network, settings }: Membership): string {
  return settings.NetworkID || network
}

/** Converts a membership to the request that the network takes. */
export function endpointRequest(membership: Membership): EndpointRequest {
  const { settings } = membership
  const { IPAMConfig: ipam, GwPriority: gatewayPriority, DriverOpts: driverOptions, Links: links } = settings
  return {
    network: networkKey(membership),
    ipv4: ipam?.IPv4Address || undefined,
    ipv6: ipam?.IPv6Address || undefined,
    linkLocal: ipam?.LinkLocalIPs ?? undefined,
    macAddress: settings.MacAddress || undefined,
    aliases: settings.Aliases ?? undefined,
    links: links ?? undefined,
    driverOptions: driverOptions ?? undefined,
    gatewayPriority: gatewayPriority ?? undefined,
  }
}

const predefinedNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** Throws `invalidArgument`, in Docker's words, for settings that the network can't have. */
export function checkEndpoint(network: string, settings: EndpointSettings): void {
  const { IPAMConfig: ipam, Aliases: aliases, MacAddress: mac } = settings
  if (predefinedNetworks.has(network)) {
    if (ipam?.IPv4Address || ipam?.IPv6Address) {
      throw invalidArgument(
        'invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
      )
    }
    if ((aliases?.length ?? 0) > 0) {
      throw invalidArgument(
        'invalid endpoint settings:\nnetwork-scoped alias is supported only for containers in user defined networks',
      )
    }
  }
  if (mac) macAddress(mac)
}

/** The settings that inspect returns: only those that the user can set. */
export function userSettings(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority } = settings
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links ? { Links } : {}),
    ...(Aliases ? { Aliases } : {}),
    ...(MacAddress ? { MacAddress } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
    ...(GwPriority ? { GwPriority } : {}),
  }
}

function mainNetwork(config: ContainerConfig, mode: string): string {
  if (config.NetworkDisabled === true) return 'none'
  return mode === 'default' || mode === '' ? 'bridge' : mode
}

/** The network's name, or the given text if there is no such network. In that case the start reports it. */
function nameOf(nameOrId: string, finder: NetworkFinder): string {
  return finder.find(nameOrId)?.name ?? nameOrId
}
