/** `--volumes-from`: the mounts of another container, once more. */
import { invalidArgument, isKind } from '../base/index.ts'
import type { ContainerIndex } from './container-index.ts'
import type { ContainerMount, ContainerRecord } from './container-record.ts'

/** Volumes and binds of the containers that `CONTAINER[:ro|rw]` entries name; for a destination that several have, the
 *  last one's. Throws `invalidArgument` for an unknown container: a 404 would be taken for a missing image. */
export function inheritedMounts(containers: ContainerIndex, entries: readonly string[]): readonly ContainerMount[] {
  const byDestination = new Map<string, ContainerMount>()
  for (const entry of entries) {
    const [name = '', mode = ''] = splitEntry(entry)
    for (const mount of findDonor(containers, name).mounts) {
      if (mount.type === 'tmpfs') continue
      const { anonymous: _anonymous, ...rest } = mount
      byDestination.set(mount.destination, { ...rest, mode, readOnly: mount.readOnly || mode.includes('ro') })
    }
  }
  return [...byDestination.values()]
}

function splitEntry(entry: string): readonly [name: string, mode: string] {
  const [name = '', mode = '', ...more] = entry.split(':')
  if (name === '' || more.length > 0) throw invalidArgument(`invalid volumes-from specification: ${entry}`)
  if (!['', 'ro', 'rw', 'z', 'Z', 'ro,z', 'ro,Z', 'rw,z', 'rw,Z'].includes(mode)) {
    throw invalidArgument(`invalid mode: ${mode}`)
  }
  return [name, mode]
}

function findDonor(containers: ContainerIndex, name: string): ContainerRecord {
  try {
    return containers.get(name)
  } catch (cause) {
    if (isKind(cause, 'notFound')) throw invalidArgument(`No such container: ${name}`, { cause })
    throw cause
  }
}
