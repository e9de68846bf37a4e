import { type Logger, messageOf } from '../base/index.ts'
import type { EventBus } from '../events/index.ts'
import { releaseMemory } from '../sys/index.ts'

/** So long after the last event the daemon counts as idle. */
const idleAfterMs = 2000

/** Gives memory back to the system each time the engine comes to rest after some work, until the returned function
 *  is called. */
export function releaseMemoryWhenIdle(events: EventBus, logger: Logger): () => void {
  const release = (): void => {
    releaseMemory().catch((error: unknown) => logger.debug('memory not released', { error: messageOf(error) }))
  }
  const timer = setTimeout(release, idleAfterMs).unref()
  const unsubscribe = events.subscribe(() => timer.refresh())
  return () => {
    unsubscribe()
    clearTimeout(timer)
  }
}
