/** Pauses running containers while their files are read or replaced. If the daemon is killed midway, the next boot
 *  thaws them (`restore.ts`). */
import { isKind } from '../../base/index.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'

/** Pauses a running container while `work` runs, and gives its result. The caller holds the container's lock. */
export async function holdStill<T>(
  context: Uses<'containers' | 'live' | 'cgroups' | 'events' | 'settings'>,
  record: ContainerRecord,
  work: () => Promise<T>,
): Promise<T> {
  const path = cgroupPathOf(context, record.id)
  try {
    await context.cgroups.freeze(path)
  } catch (error) {
    // The container has just ended by itself.
    if (isKind(error, 'notFound')) return await work()
    throw error
  }
  const live = context.live.of(record.id)
  // The container was killed or ended while it was being frozen.
  if (live.killed || context.containers.find(record.id)?.state.status !== 'running') {
    context.cgroups.thaw(path)
    return await work()
  }
  // Thaws only once: at the end of `work`, or earlier if the container is killed.
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

/** Pauses those of the containers that run, and keeps the others from being started, while `work` runs. */
export async function holdAllStill<T>(
  context: Uses<'containers' | 'live' | 'locks' | 'cgroups' | 'events' | 'settings'>,
  ids: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  // Locks are always taken in sorted order, so two concurrent calls cannot deadlock.
  const [id, ...rest] = [...ids].sort()
  if (id === undefined) return await work()
  return await context.locks.run(id, async () => {
    const next = () => holdAllStill(context, rest, work)
    const record = context.containers.find(id)
    return record?.state.status === 'running' ? await holdStill(context, record, next) : await next()
  })
}
