/** System answers in the shapes of older API versions. */
import { compareApiVersions, type EventMessage, type SystemInfo } from '../../api/index.ts'

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
  return { ...withGone, SecurityOptions: names }
}

/** Up to 1.51, events of containers and images repeat themselves in the members of API 1.21. */
export function withLegacyMembers(event: EventMessage): object {
  if (event.Type !== 'container' && event.Type !== 'image') return event
  const from = event.Actor.Attributes.image
  return { status: event.Action, id: event.Actor.ID, ...(from === undefined ? {} : { from }), ...event }
}
