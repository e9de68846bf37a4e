import type { ContainerInspect, ContainerSummary, EndpointSettings, NetworkSettings } from '../../api/index.ts'
import { type Call, isBelow } from '../route.ts'
import { completeFields, containerConfigFields, hostConfigFields } from './fields.ts'

/** An inspected container as clients expect it: no field missing, and old ones for old clients. */
export function toApiInspect(call: Call, inspected: ContainerInspect): ContainerInspect {
  const container = withKnownImage(call, inspected)
  const { MacAddress, ...ownConfig } = container.Config
  const config = completeFields(ownConfig, containerConfigFields)
  return {
    ...container,
    // The address stands where it was until 1.44, too.
    Config: MacAddress ? { ...config, MacAddress } : config,
    HostConfig: completeFields(container.HostConfig, hostConfigFields),
    NetworkSettings: isBelow(call, '1.45') ? withOwnAliases(container) : container.NetworkSettings,
  }
}

const predefinedNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** Until 1.45 a container's short id and its host name were among its aliases. */
function withOwnAliases({ Id, Config, NetworkSettings: settings }: ContainerInspect): NetworkSettings {
  const own = [Id.slice(0, 12), ...(Config.Hostname ? [Config.Hostname] : [])]
  const networks = Object.entries(settings.Networks).map(([name, endpoint]): [string, EndpointSettings] => {
    if (predefinedNetworks.has(name)) return [name, endpoint]
    return [name, { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), ...own])] }]
  })
  return { ...settings, Networks: Object.fromEntries(networks) }
}

/** Go leaves a size of 0 out. */
function notZero(sizes: Pick<ContainerSummary, 'SizeRw' | 'SizeRootFs'>): Partial<typeof sizes> {
  return Object.fromEntries(Object.entries(sizes).filter(([, size]) => size !== 0 && size !== undefined))
}

/** Entries of the list, with sizes only when they were asked for. */
export function toApiSummaries(
  call: Call,
  containers: readonly ContainerSummary[],
  { size }: { readonly size: boolean },
): readonly ContainerSummary[] {
  const known = containers.map((container) => withKnownImage(call, container))
  return known.map(({ SizeRw, SizeRootFs, ...rest }) => (size ? { ...rest, ...notZero({ SizeRw, SizeRootFs }) } : rest))
}

/** The image's manifest came with 1.48. */
function withKnownImage<T extends { readonly ImageManifestDescriptor?: unknown }>(call: Call, container: T): T {
  if (!isBelow(call, '1.48')) return container
  const { ImageManifestDescriptor: _later, ...known } = container
  return known as T
}
