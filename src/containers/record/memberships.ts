/** The networks that a container is on: what create asked for, changed by connect and disconnect. */
import type { ContainerConfig, EndpointSettings, HostConfig, NetworkingConfig } from '../../api/index.ts'
import { invalidArgument, messageOf } from '../../base/index.ts'
import { type EndpointRequest, macAddress, type NetworkRecord } from '../../network/index.ts'
import type { ContainerRecord } from './container-record.ts'
import { networkName } from './namespaces.ts'

/** A container's place on a network, by the network's name (or what the user called it while there is none). */
export interface Membership {
  readonly network: string
  readonly settings: EndpointSettings
}

/** Networks as memberships find them by the names and ids that users give. */
export interface NetworkFinder {
  find(nameOrId: string): NetworkRecord | undefined
}

/** The networks of a container, the one of its network mode first, the others by name. None with another container's. */
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

/** Those that a start can join. Without a default bridge (`bridge: none`) a container that asks for it has no network, as
 *  with Docker; it asks again at its next start. */
export function joinableMemberships(record: ContainerRecord, finder: NetworkFinder): readonly Membership[] {
  return membershipsOf(record).filter(({ network }) => network !== 'bridge' || finder.find(network) !== undefined)
}

/** Whether a container that was started asked for the default bridge and did not get it. */
export function isWithoutBridge(
  record: ContainerRecord,
  endpoints: readonly { readonly networkName: string }[],
): boolean {
  const isOn = endpoints.some(({ networkName: name }) => name === 'bridge')
  return !isOn && membershipsOf(record).some(({ network }) => network === 'bridge')
}

/** What create's three places say of networks, by the networks' names. As with Docker, endpoints without a network mode
 *  stand for themselves; beside a mode that names a network they are additional ones. Throws `invalidArgument`. */
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

/** The networks of a container that has joined them, each with its id: the next start wants the same one again, not
 *  another that was made with its name meanwhile. Those that every daemon has go by their names. */
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

/** What finds a membership's network: its id once the container has joined it. */
export function networkKey({ network, settings }: Membership): string {
  return settings.NetworkID || network
}

/** A membership as the network wants it. */
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

/** Throws `invalidArgument` for what can't be asked of a network, in Docker's words. */
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

/** The settings that inspect gives back: what only the user can say. */
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

/** What the network is called; the text itself when it is not there (the start will say so). */
function nameOf(nameOrId: string, finder: NetworkFinder): string {
  return finder.find(nameOrId)?.name ?? nameOrId
}
