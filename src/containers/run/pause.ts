/** pause and unpause: all processes of a container stand still in their control group, and go on.
 *  The freezer holds the truth, the record what was answered: a pause that the daemon did not live to record is undone
 *  by the next boot (`restore.ts`). */
import { conflict, isKind } from '../../base/index.ts'
import { endHealthChecks, resumeHealthChecks } from '../health/health-monitor.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { uncheckedHealth } from '../record/health.ts'
import { checkVerb } from '../record/state.ts'
import { withNobodyEntering } from '../streams/enter.ts'

/** Holds a running container still. Throws `conflict` when it does not run or is paused already. */
export async function pauseContainer(
  context: Uses<'containers' | 'live' | 'locks' | 'clock' | 'cgroups' | 'events' | 'settings'>,
  idOrName: string,
): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const { state, name } = context.containers.get(id)
    checkVerb('pause', state.status, id, name)
    const live = context.live.of(id)
    if (live.killed) throw conflict(`container ${id} is not running`)
    await withNobodyEntering(context, id, () => hold(context, id))
  })
}

/** Freezes the container and records it. */
async function hold(
  context: Uses<'containers' | 'live' | 'cgroups' | 'events' | 'settings'>,
  id: string,
): Promise<void> {
  const live = context.live.of(id)
  await freeze(context, id)
  const record = context.containers.find(id)
  // Killed or ended while it came to rest.
  if (record?.state.status !== 'running' || live.killed) {
    context.cgroups.thaw(cgroupPathOf(context, id))
    throw conflict(`container ${id} is not running`)
  }
  endHealthChecks(context, id)
  const health = uncheckedHealth(record.health)
  const paused = withState(record, { status: 'paused' }, health === undefined ? {} : { health })
  context.containers.save(paused)
  publishContainer(context.events, paused, 'pause')
}

/** Lets a paused container go on. Throws when it is not paused. */
export async function unpauseContainer(context: ContainerContext, idOrName: string): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const { state, name } = context.containers.get(id)
    checkVerb('unpause', state.status, id, name)
    resumePaused(context, id)
  })
}

/** Lets a container go on if it is paused. */
export function resumePaused(context: ContainerContext, id: string): void {
  const record = context.containers.find(id)
  if (record?.state.status !== 'paused') return
  context.cgroups.thaw(cgroupPathOf(context, id))
  const running = withState(record, { status: 'running' })
  context.containers.save(running)
  publishContainer(context.events, running, 'unpause')
  if (!context.live.of(id).killed) resumeHealthChecks(context, running, false)
}

/** Lets a container die that was killed: what the freezer of v1 holds stays alive. A pause that is under way is given up. */
export function letDie(context: ContainerContext, id: string): void {
  const live = context.live.of(id)
  live.killed = true
  live.thaw()
  resumePaused(context, id)
  context.cgroups.thaw(cgroupPathOf(context, id))
}

async function freeze(context: Uses<'containers' | 'live' | 'cgroups' | 'settings'>, id: string): Promise<void> {
  try {
    await context.cgroups.freeze(cgroupPathOf(context, id))
  } catch (cause) {
    // It has just ended by itself.
    if (isKind(cause, 'notFound')) throw conflict(`container ${id} is not running`, { cause })
    throw cause
  }
}
