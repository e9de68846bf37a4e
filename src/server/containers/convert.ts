import type { ContainerInspect, ContainerSummary } from '../../api/index.ts'
import { type Call, isBelow } from '../route.ts'
import { completeFields, containerConfigFields, hostConfigFields } from './fields.ts'

/** An inspected container as clients expect it: no field missing, and old ones for old clients. */
export function toApiInspect(call: Call, container: ContainerInspect): ContainerInspect {
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
  containers: readonly ContainerSummary[],
  { size }: { readonly size: boolean },
): readonly ContainerSummary[] {
  if (size) return containers
  return containers.map(({ SizeRw, SizeRootFs, ...rest }) => rest)
}
