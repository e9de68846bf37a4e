import type { ContainerInspect, ContainerSummary } from '../../api/index.ts'
import { type Call, isBelow } from '../route.ts'
import { completeFields, containerConfigFields, hostConfigFields } from './fields.ts'

/** An inspected container as clients expect it: no field missing, and old ones for old clients. */
export function toApiInspect(call: Call, inspected: ContainerInspect): ContainerInspect {
  const container = withKnownImage(call, inspected)
  const { MacAddress: _endpoints, ...ownConfig } = container.Config
  const config = completeFields(ownConfig, containerConfigFields)
  const hostConfig = completeFields(container.HostConfig, hostConfigFields)
  if (!isBelow(call, '1.44')) return { ...container, Config: config, HostConfig: hostConfig }
  // Until 1.44 the address stood in Config.
  const MacAddress = container.NetworkSettings.MacAddress || container.Config.MacAddress || ''
  return { ...container, Config: MacAddress === '' ? config : { ...config, MacAddress }, HostConfig: hostConfig }
}

/** Entries of the list, with sizes only when they were asked for. */
export function toApiSummaries(
  call: Call,
  containers: readonly ContainerSummary[],
  { size }: { readonly size: boolean },
): readonly ContainerSummary[] {
  const known = containers.map((container) => withKnownImage(call, container))
  return size ? known : known.map(({ SizeRw, SizeRootFs, ...rest }) => rest)
}

/** The image's manifest came with 1.48. */
function withKnownImage<T extends { readonly ImageManifestDescriptor?: unknown }>(call: Call, container: T): T {
  if (!isBelow(call, '1.48')) return container
  const { ImageManifestDescriptor: _later, ...known } = container
  return known as T
}
