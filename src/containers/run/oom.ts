/** The kernel killed in a container for want of memory: told at once, as with Docker, whether it was the first process
 *  or one that the container can go on without. */
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { isUp } from '../record/state.ts'

/** Tells of each kill in the present run, and of those that nobody has told of yet. */
export function watchOom(context: Uses<'containers' | 'runtime' | 'events'>, { id, state }: ContainerRecord): void {
  const happened = context.runtime.get(id).watchOom(() => tellOom(context, id))
  if (happened && !state.oomKilled) tellOom(context, id)
}

function tellOom(context: Uses<'containers' | 'events'>, id: string): void {
  const record = context.containers.find(id)
  // What came after the end was told together with that.
  if (record === undefined || !isUp(record.state.status)) return
  const killed = withState(record, { oomKilled: true })
  context.containers.save(killed)
  publishContainer(context.events, killed, 'oom')
}
