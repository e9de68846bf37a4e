/** Removes what a crash may leave behind: control groups and files of containers that have no record or do not run. */
import { existsSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { messageOf } from '../../base/index.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import type { Uses } from '../record/dependencies.ts'
import { removeFiles } from './remove.ts'

const idPattern = /^[0-9a-f]{64}$/
const patienceMs = 2_000

/** Kills the processes in the control groups of containers that are not in `known`, and removes these groups. Such
 *  groups exist when the runtime's state was lost, by a reboot or by manual deletion. */
export async function endStrayGroups(
  context: Uses<'containers' | 'live' | 'cgroups' | 'logger' | 'settings'>,
  known: ReadonlySet<string>,
): Promise<void> {
  const broken = context.containers.brokenIds
  // A parent group that the user chose may hold other containers' groups too, so only the group of this container is
  // removed there.
  const elsewhere = context.containers.all().filter(({ hostConfig }) => hostConfig.CgroupParent)
  const told = elsewhere.map(({ id }): [string, string] => [id, cgroupPathOf(context, id)])
  for (const [id, path] of new Map([...groupsHere(context), ...told])) {
    if (!idPattern.test(id) || known.has(id) || broken.has(id)) continue
    const killed = context.cgroups.kill(path)
    if (killed > 0) context.logger.warn('ended processes that nobody watched', { container: id, processes: killed })
    // The kernel frees a group some milliseconds after its last process ends.
    await context.cgroups.dissolve(path, patienceMs)
  }
}

/** The groups at the daemon's default place, by the id of the container that they are named after. */
function groupsHere({ cgroups, settings }: Uses<'cgroups' | 'settings'>): [string, string][] {
  const { cgroupParent, slice } = settings
  const plain = cgroups.list(cgroupParent).map((id): [string, string] => [id, posix.join(cgroupParent, id)])
  if (slice === undefined) return plain
  return [...plain, ...cgroups.listScopes(slice, posix.basename(cgroupParent))]
}

/** Removes bundles, directories and snapshots that no record names. `known` holds the ids that had a record when the
 *  daemon started: if such a container is gone by now, its removal is already under way. */
export async function removeOrphans(
  context: Uses<'containers' | 'snapshots' | 'volumes' | 'runtime' | 'mounts' | 'trees' | 'logger' | 'paths'>,
  known: ReadonlySet<string>,
): Promise<void> {
  const ids = new Set<string>([
    ...(existsSync(context.paths.root) ? readdirSync(context.paths.root) : []),
    ...context.runtime.leftovers(),
  ])
  for await (const { key } of context.snapshots.walk()) {
    const [, id] = /^container-([0-9a-f]{64})$/.exec(key) ?? []
    if (id !== undefined) ids.add(id)
  }
  const broken = context.containers.brokenIds
  for (const id of ids) {
    if (!idPattern.test(id) || broken.has(id) || known.has(id)) continue
    context.logger.info('removing what a container left that has no record', { container: id })
    try {
      await context.runtime.clear(id)
      await removeFiles(context, id, { volumes: true })
    } catch (error) {
      context.logger.error('what a container left can not be removed', { container: id, error: messageOf(error) })
    }
  }
  await context.volumes.restore(new Set([...broken, ...known]))
}
