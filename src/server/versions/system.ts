/** System answers in the shapes of older API versions. */
import { compareApiVersions, type EventMessage, type SystemInfo } from '../../api/index.ts'

/** Before 1.25 security options were bare names: `seccomp` for `name=seccomp,profile=builtin`. */
export function downgradeInfo(info: SystemInfo, apiVersion: string): SystemInfo {
  if (compareApiVersions(apiVersion, '1.25') >= 0) return info
  const names = info.SecurityOptions.map((option) => /(?:^|,)name=([^,]+)/.exec(option)?.[1] ?? option)
  return { ...info, SecurityOptions: names }
}

/** Up to 1.51, events of containers and images repeat themselves in the members of API 1.21. */
export function withLegacyMembers(event: EventMessage): object {
  if (event.Type !== 'container' && event.Type !== 'image') return event
  const from = event.Actor.Attributes.image
  return { status: event.Action, id: event.Actor.ID, ...(from === undefined ? {} : { from }), ...event }
}
