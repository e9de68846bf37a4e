/** Devices by the names that `RUN --device` has for them: `vendor/class=name`, `vendor/class=*` for all of a kind,
 *  `vendor/class` for the first of it, or a class that their annotations name.
 *  https://docs.docker.com/reference/dockerfile/#run---device */
import type { OciSpec } from '../../oci/index.ts'
import { applyEdits } from './cdi-edits.ts'
import { readCdiDevices } from './cdi-specs.ts'
import { requestedEdits } from './device-requests.ts'

/** BuildKit's annotations of devices in CDI's files. */
const annotation = {
  class: 'org.mobyproject.buildkit.device.class',
  autoAllow: 'org.mobyproject.buildkit.device.autoallow',
} as const

export interface FoundDevice {
  /** `vendor/class=name`. */
  readonly name: string
  /** Its file says that every build may have it. */
  readonly isFree: boolean
}

/** The devices that a name means here, by their names; none when there are none. */
export async function lookUpDevices(asked: string, directories: readonly string[]): Promise<readonly FoundDevice[]> {
  const { devices } = await readCdiDevices(directories)
  const all = [...devices].map(([name, { annotations }]) => {
    const kind = name.slice(0, name.indexOf('='))
    return { name, kind, group: annotations[annotation.class], isFree: annotations[annotation.autoAllow] === 'true' }
  })
  const sorted = all.sort((a, b) => (a.name < b.name ? -1 : 1))
  const named = sorted.filter(({ name }) => name === asked)
  if (named.length > 0) return named
  if (asked.endsWith('=*')) return sorted.filter(({ kind }) => kind === asked.slice(0, -2))
  if (asked.includes('=')) return []
  const ofKind = sorted.filter(({ kind }) => kind === asked)
  return ofKind.length > 0 ? ofKind.slice(0, 1) : sorted.filter(({ group }) => group === asked)
}

/** A process's configuration with these devices. Throws `invalidArgument` for one
 *  that can't be had. */
export async function withDevices(
  spec: OciSpec,
  names: readonly string[],
  directories: readonly string[],
): Promise<OciSpec> {
  return applyEdits(spec, await requestedEdits([{ Driver: 'cdi', DeviceIDs: [...names] }], directories))
}

/** Where in the root something of these devices is mounted. */
export async function deviceTargets(names: readonly string[], directories: readonly string[]): Promise<string[]> {
  const edits = await requestedEdits([{ Driver: 'cdi', DeviceIDs: [...names] }], directories)
  return edits.flatMap(({ mounts = [] }) => mounts.map(({ containerPath }) => containerPath))
}
