/** pause and unpause: the freezer of the control group stops and resumes all processes of a container. The freezer has
 *  the actual state; the record has the state that clients were told. If the daemon dies before it records a pause, the
 *  next boot thaws the container (`restore.ts`). */
import { conflict, isKind } from '../../base/index.ts'
import { endHealthChecks, resumeHealthChecks } from '../health/health-monitor.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { uncheckedHealth } from '../record/health.ts'
import { checkVerb } from '../record/state.ts'
import { withNobodyEntering } from '../streams/enter.ts'

/** Pauses a running container. Throws `notFound` if there is no such container, and `conflict` if it does not run or is
 *  already paused. */
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

/** Freezes the container and records the pause. */
async function hold(
  context: Uses<'containers' | 'live' | 'cgroups' | 'events' | 'settings'>,
  id: string,
): Promise<void> {
  const live = context.live.of(id)
  await freeze(context, id)
  const record = context.containers.find(id)
  // The container was killed or ended while it was being frozen.
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

/** Resumes a paused container. Throws `notFound` if there is no such container, and `internal` if it is not paused. */
export async function unpauseContainer(context: ContainerContext, idOrName: string): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const { state, name } = context.containers.get(id)
    checkVerb('unpause', state.status, id, name)
    resumePaused(context, id)
  })
}

/** Resumes the container if it is paused. */
export function resumePaused(context: ContainerContext, id: string): void {
  const record = context.containers.find(id)
  if (record?.state.status !== 'paused') return
  context.cgroups.thaw(cgroupPathOf(context, id))
  const running = withState(record, { status: 'running' })
  context.containers.save(running)
  publishContainer(context.events, running, 'unpause')
  if (!context.live.of(id).killed) resumeHealthChecks(context, running, false)
}

/** Thaws a container that was sent SIGKILL, because the freezer of cgroup v1 keeps killed processes alive. Cancels a
 *  pause that is under way. */
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
    // The container has just ended by itself.
    if (isKind(cause, 'notFound')) throw conflict(`container ${id} is not running`, { cause })
    throw cause
  }
}
