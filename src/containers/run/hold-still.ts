/** Containers whose processes stand still while something is done with their files. Killed midway: the next boot lets
 *  them go on (`restore.ts`). */
import { isKind } from '../../base/index.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'

/** Holds a running container, whose lock is held, still while `work` runs. */
export async function holdStill<T>(
  context: Uses<'containers' | 'live' | 'cgroups' | 'events' | 'settings'>,
  record: ContainerRecord,
  work: () => Promise<T>,
): Promise<T> {
  const path = cgroupPathOf(context, record.id)
  try {
    await context.cgroups.freeze(path)
  } catch (error) {
    // It has just ended by itself.
    if (isKind(error, 'notFound')) return await work()
    throw error
  }
  const live = context.live.of(record.id)
  // Killed or ended while it came to rest.
  if (live.killed || context.containers.find(record.id)?.state.status !== 'running') {
    context.cgroups.thaw(path)
    return await work()
  }
  // Once: by the end of the work, or by who kills the container before.
  live.thaw = () => {
    live.thaw = () => {}
    context.cgroups.thaw(path)
    publishContainer(context.events, record, 'unpause')
  }
  publishContainer(context.events, record, 'pause')
  try {
    return await work()
  } finally {
    live.thaw()
  }
}

/** Holds all of these containers still that run, and lets none of the others begin, while `work` runs. */
export async function holdAllStill<T>(
  context: Uses<'containers' | 'live' | 'locks' | 'cgroups' | 'events' | 'settings'>,
  ids: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  // In one order for all, so that two such works never wait for each other.
  const [id, ...rest] = [...ids].sort()
  if (id === undefined) return await work()
  return await context.locks.run(id, async () => {
    const next = () => holdAllStill(context, rest, work)
    const record = context.containers.find(id)
    return record?.state.status === 'running' ? await holdStill(context, record, next) : await next()
  })
}
