/** Making one more process in a running container. It and a pause wait for each other: what was frozen on its way in
 *  would keep its client waiting for as long as the pause lasts. */
import { settlesWithin } from '../../base/index.ts'
import type { ExecHandle, ExecOptions } from '../../runtime/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { checkVerb } from '../record/state.ts'

/** A process that hangs on its way in keeps no pause waiting for longer. */
const patienceMs = 10_000

/** Makes a process. Throws `conflict` when the container was paused before. */
export async function enterContainer(
  context: Uses<'containers' | 'live' | 'runtime'>,
  { id, name }: ContainerRecord,
  options: ExecOptions,
): Promise<ExecHandle> {
  const live = context.live.of(id)
  if (live.pausing !== undefined) {
    await live.pausing
    checkVerb('exec', context.containers.find(id)?.state.status ?? 'exited', id, name)
  }
  const entered = context.runtime.get(id).execs.start(options)
  live.entering.add(entered)
  try {
    return await entered
  } finally {
    live.entering.delete(entered)
  }
}

/** Does what holds the container still. Who is on the way in is let in before, who comes meanwhile waits. */
export async function withNobodyEntering<T>(
  context: Uses<'live' | 'clock'>,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  const live = context.live.of(id)
  const { promise, resolve } = Promise.withResolvers<void>()
  live.pausing = promise
  try {
    await settlesWithin(Promise.allSettled(live.entering), patienceMs, context.clock)
    return await work()
  } finally {
    live.pausing = undefined
    resolve()
  }
}
