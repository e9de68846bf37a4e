/** Starts extra processes in a running container. A start and a pause wait for each other: a process that is frozen
 *  while it is being started would block its client for the whole pause. */
import { settlesWithin } from '../../base/index.ts'
import type { ExecHandle, ExecOptions } from '../../runtime/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { checkVerb } from '../record/state.ts'

/** How long a pause waits for a process whose start hangs. */
const patienceMs = 10_000

/** Starts a process in the container. Waits while a pause is under way, and throws `conflict` if the container is
 *  paused then. */
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

/** Runs `work`, which pauses the container, while no process is being started in it. Starts that are under way finish
 *  first, for at most 10 s; later ones wait until `work` is done. */
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
