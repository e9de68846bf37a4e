/** Reports processes that the kernel killed in a container for lack of memory. Like Docker, the event is published at
 *  once, no matter whether the first process or another one was killed. */
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { isUp } from '../record/state.ts'

/** Publishes an event for each such kill in the current run, including kills that happened before this call and were
 *  not reported. */
export function watchOom(context: Uses<'containers' | 'runtime' | 'events'>, { id, state }: ContainerRecord): void {
  const happened = context.runtime.get(id).watchOom(() => tellOom(context, id))
  if (happened && !state.oomKilled) tellOom(context, id)
}

function tellOom(context: Uses<'containers' | 'events'>, id: string): void {
  const record = context.containers.find(id)
  // Kills that are seen after the end of the run are reported by `handleExit`.
  if (record === undefined || !isUp(record.state.status)) return
  const killed = withState(record, { oomKilled: true })
  context.containers.save(killed)
  publishContainer(context.events, killed, 'oom')
}
