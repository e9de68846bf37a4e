/** `--volumes-from`: repeats the mounts of other containers. */
import { invalidArgument, isKind } from '../../base/index.ts'
import type { ContainerIndex } from '../record/container-index.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'

/** The volumes and binds of the containers that `CONTAINER[:ro|rw|z|Z]` entries name. If several have the same
 *  destination, the last one wins. Throws `invalidArgument` for an unknown container: clients would take a 404 for a
 *  missing image. */
export function inheritedMounts(containers: ContainerIndex, entries: readonly string[]): readonly ContainerMount[] {
  const byDestination = new Map<string, ContainerMount>()
  for (const entry of entries) {
    const { name, isReadOnly, relabel } = parseEntry(entry)
    for (const mount of findDonor(containers, name).mounts) {
      if (mount.type === 'tmpfs') continue
      const { anonymous: _anonymous, relabel: _relabel, ...rest } = mount
      const readOnly = mount.readOnly || isReadOnly
      byDestination.set(mount.destination, { ...rest, mode: '', readOnly, ...(relabel ? { relabel } : {}) })
    }
  }
  return [...byDestination.values()]
}

interface Entry {
  readonly name: string
  readonly isReadOnly: boolean
  readonly relabel: 'z' | 'Z' | undefined
}

function parseEntry(entry: string): Entry {
  if (entry === '') throw invalidArgument('volumes-from specification cannot be an empty string')
  const colon = entry.indexOf(':')
  const name = colon < 0 ? entry : entry.slice(0, colon)
  const mode = colon < 0 ? 'rw' : entry.slice(colon + 1)
  if (!['ro', 'rw', 'z', 'Z', 'ro,z', 'ro,Z', 'rw,z', 'rw,Z', 'z,ro', 'Z,ro', 'z,rw', 'Z,rw'].includes(mode)) {
    throw invalidArgument(`invalid mode: ${mode}`)
  }
  if (name === '') throw invalidArgument('invalid name or ID supplied: ""')
  const words = mode.split(',')
  return { name, isReadOnly: words.includes('ro'), relabel: words.find((word) => word === 'z' || word === 'Z') }
}

function findDonor(containers: ContainerIndex, name: string): ContainerRecord {
  try {
    return containers.get(name)
  } catch (cause) {
    if (isKind(cause, 'notFound')) throw invalidArgument(`No such container: ${name}`, { cause })
    throw cause
  }
}
