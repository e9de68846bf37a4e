/** Finds devices by the names that `RUN --device` accepts: `vendor/class=name`, `vendor/class=*` for all devices of a
 *  class, `vendor/class` for the first one, or a class that the devices' annotations name.
 *  https://docs.docker.com/reference/dockerfile/#run---device */
import type { OciSpec } from '../../oci/index.ts'
import { applyEdits } from './cdi-edits.ts'
import { readCdiDevices } from './cdi-specs.ts'
import { requestedEdits } from './device-requests.ts'

/** BuildKit's annotations of devices in CDI files. */
const annotation = {
  class: 'org.mobyproject.buildkit.device.class',
  autoAllow: 'org.mobyproject.buildkit.device.autoallow',
} as const

/** A device that a name of `RUN --device` stands for. */
export interface FoundDevice {
  /** The qualified name: `vendor/class=name`. */
  readonly name: string
  /** True if the device's CDI file allows every build to use the device. */
  readonly isFree: boolean
}

/** Gives the devices that a name stands for, sorted by name; empty if there are none. `directories` hold the host's CDI
 *  files, and later ones override earlier ones. */
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

/** Gives the spec with these devices added. `names` are qualified (`vendor/class=name`). Throws `invalidArgument` for a
 *  device that does not exist. */
export async function withDevices(
  spec: OciSpec,
  names: readonly string[],
  directories: readonly string[],
): Promise<OciSpec> {
  return applyEdits(spec, await requestedEdits([{ Driver: 'cdi', DeviceIDs: [...names] }], directories))
}

/** The absolute paths inside the root where these devices mount something. Throws `invalidArgument` for a device that
 *  does not exist. */
export async function deviceTargets(names: readonly string[], directories: readonly string[]): Promise<string[]> {
  const edits = await requestedEdits([{ Driver: 'cdi', DeviceIDs: [...names] }], directories)
  return edits.flatMap(({ mounts = [] }) => mounts.map(({ containerPath }) => containerPath))
}
