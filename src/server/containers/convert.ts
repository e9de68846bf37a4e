import type { ContainerInspect, ContainerSummary, EndpointSettings, NetworkSettings } from '../../api/index.ts'
import { type Call, isBelow } from '../answers/route.ts'
import { completeFields, containerConfigFields, hostConfigFields } from '../requests/fields.ts'

/** An inspected container in the shape of the request's API version, with all the fields that clients expect. */
export function toApiInspect(call: Call, inspected: ContainerInspect): ContainerInspect {
  const container = withKnownImage(call, inspected)
  const { MacAddress, ...ownConfig } = container.Config
  const config = completeFields(ownConfig, containerConfigFields)
  return {
    ...container,
    // Until 1.44 the address was here. It is still shown here as well.
    Config: MacAddress ? { ...config, MacAddress } : config,
    HostConfig: completeFields(container.HostConfig, hostConfigFields),
    NetworkSettings: isBelow(call, '1.45') ? withOwnAliases(container) : container.NetworkSettings,
  }
}

const predefinedNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** Below 1.45 the aliases include the container's short id and its host name. */
function withOwnAliases({ Id, Config, NetworkSettings: settings }: ContainerInspect): NetworkSettings {
  const own = [Id.slice(0, 12), ...(Config.Hostname ? [Config.Hostname] : [])]
  const networks = Object.entries(settings.Networks).map(([name, endpoint]): [string, EndpointSettings] => {
    if (predefinedNetworks.has(name)) return [name, endpoint]
    return [name, { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), ...own])] }]
  })
  return { ...settings, Networks: Object.fromEntries(networks) }
}

/** The sizes without those of 0, which Go leaves out. */
function notZero(sizes: Pick<ContainerSummary, 'SizeRw' | 'SizeRootFs'>): Partial<typeof sizes> {
  return Object.fromEntries(Object.entries(sizes).filter(([, size]) => size !== 0 && size !== undefined))
}

/** Entries of the list in the shape of the request's API version, with sizes only if the client asked for them. */
export function toApiSummaries(
  call: Call,
  containers: readonly ContainerSummary[],
  { size }: { readonly size: boolean },
): readonly ContainerSummary[] {
  const known = containers.map((container) => withKnownImage(call, container))
  return known.map(({ SizeRw, SizeRootFs, ...rest }) => (size ? { ...rest, ...notZero({ SizeRw, SizeRootFs }) } : rest))
}

/** The container without the image's manifest below 1.48, which introduced that member. */
function withKnownImage<T extends { readonly ImageManifestDescriptor?: unknown }>(call: Call, container: T): T {
  if (!isBelow(call, '1.48')) return container
  const { ImageManifestDescriptor: _later, ...known } = container
  return known as T
}
