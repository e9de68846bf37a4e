/** System answers in the shapes of older API versions. */
import { compareApiVersions, type DiskUsage, type EventMessage, type SystemInfo } from '../../api/index.ts'
import { downgradeImageSummary } from './images.ts'

const nondistributable = { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [] }

/** Members that are gone meanwhile; Docker too answered them without a meaning at the end. Before 1.25 security options
 *  were bare names: `seccomp` for `name=seccomp,profile=builtin`. */
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

/** What takes the disk. Sizes of images were there twice before 1.44; a size of 0 is left out of containers by Go. */
export function downgradeDiskUsage(usage: DiskUsage, apiVersion: string): DiskUsage {
  const { Images: images, Containers: containers } = usage
  return {
    ...usage,
    Images: images?.map((image) => downgradeImageSummary(image, apiVersion)) ?? null,
    Containers: containers?.map(({ SizeRw, ...rest }) => (SizeRw === 0 ? rest : { ...rest, SizeRw })) ?? null,
  }
}

/** Up to 1.51, events of containers and images repeat themselves in the members of API 1.21. */
export function withLegacyMembers(event: EventMessage): object {
  if (event.Type !== 'container' && event.Type !== 'image') return event
  const from = event.Actor.Attributes.image
  return { status: event.Action, id: event.Actor.ID, ...(from === undefined ? {} : { from }), ...event }
}
