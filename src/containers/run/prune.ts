/** `POST /containers/prune`: removes containers that do not run. */
import type { ContainersPruneResponse, Filters } from '../../api/index.ts'
import { isKind, nowNs } from '../../base/index.ts'
import { untilFilter } from '../../contract/index.ts'
import { createdNs, snapshotKey } from '../record/container-record.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { compileFilters, type FilterLookups } from '../views/list-filters.ts'
import { removeContainer } from './remove.ts'

/** Removes all containers that do not run and match the filters (`label`, `label!`, `until`). Gives their ids and the
 *  freed bytes. */
export async function pruneContainers(
  context: ContainerContext,
  { until: untils = [], ...filters }: Filters,
  lookups: FilterLookups,
): Promise<ContainersPruneResponse> {
  const until = untilFilter({ until: untils }, nowNs())
  const matches = compileFilters(filters, lookups)
  const deleted: string[] = []
  let reclaimedBytes = 0
  for (const record of context.containers.all()) {
    const isIdle =
      record.state.status === 'created' || record.state.status === 'exited' || record.state.status === 'dead'
    if (!isIdle || !matches(record)) continue
    if (until !== undefined && createdNs(record) > until) continue
    try {
      const { sizeBytes } = await context.snapshots.usage(snapshotKey(record.id))
      await removeContainer(context, record.id, { force: false, volumes: false })
      deleted.push(record.id)
      reclaimedBytes += sizeBytes
    } catch (error) {
      // Another client started or removed the container in the meantime.
      if (!isKind(error, 'conflict') && !isKind(error, 'notFound')) throw error
    }
  }
  context.events.publish('container', 'prune', '', { reclaimed: String(reclaimedBytes) })
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes }
}
