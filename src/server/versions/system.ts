/** Converts answers about the system to the shapes of older API versions. */
import { compareApiVersions, type DiskUsage, type EventMessage, type SystemInfo } from '../../api/index.ts'
import { downgradeImageSummary } from './images.ts'

const nondistributable = { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [] }

/** The answer of `/info` with members that newer versions removed. Docker, too, last sent them without a meaning. Below
 *  1.25 security options are bare names: `seccomp` instead of `name=seccomp,profile=builtin`. */
export function downgradeInfo(info: SystemInfo, apiVersion: string): SystemInfo {
  const isBelow = (version: string) => compareApiVersions(apiVersion, version) < 0
  const { RegistryConfig: registries } = info
  const withGone = {
    ...info,
    ...(isBelow('1.50') ? { BridgeNfIptables: false, BridgeNfIp6tables: false } : {}),
    ...(isBelow('1.42') ? { KernelMemory: false } : {}),
    ...(isBelow('1.49') ? { RegistryConfig: { ...registries, ...nondistributable } } : {}),
  }
  if (!isBelow('1.25')) return withGone
  const names = info.SecurityOptions.map((option) => /(?:^|,)name=([^,]+)/.exec(option)?.[1] ?? option)
  return Object.assign(withGone, { SecurityOptions: names, ExecutionDriver: '<not supported>' })
}

/** The answer of `/system/df`. Below 1.44 images have their size twice. Go leaves out a container's size of 0. */
export function downgradeDiskUsage(usage: DiskUsage, apiVersion: string): DiskUsage {
  const { Images: images, Containers: containers } = usage
  return {
    ...usage,
    Images: images?.map((image) => downgradeImageSummary(image, apiVersion)) ?? null,
    Containers: containers?.map(({ SizeRw, ...rest }) => (SizeRw === 0 ? rest : { ...rest, SizeRw })) ?? null,
  }
}

/** The event with the members of API 1.21, which events of containers and images have up to 1.51. */
export function withLegacyMembers(event: EventMessage): object {
  if (event.Type !== 'container' && event.Type !== 'image') return event
  const from = event.Actor.Attributes.image
  return { status: event.Action, id: event.Actor.ID, ...(from === undefined ? {} : { from }), ...event }
}
