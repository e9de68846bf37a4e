/** Writes new data to the disk soon after it was made, without making the request wait. The kernel alone would take up
 *  to half a minute and write in any order, so that a power cut could leave an image with empty files. */
import { type Logger, messageOf } from '../base/index.ts'
import type { EventBus } from '../events/index.ts'
import { syncFileSystem } from '../sys/index.ts'

/** Images are rarely made, and damage to one goes unnoticed, so they are written soonest. Other records are small and
 *  change often. */
const delayMs = { image: 1000, other: 5000 }

/** Writes the file system of the data root to its disk after images or other lasting things were made or changed, until
 *  the returned function is called. */
export function settleData(events: EventBus, dataRoot: string, logger: Logger): () => void {
  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let isWriting = false

  const settle = async (): Promise<void> => {
    dueAt = Number.POSITIVE_INFINITY
    isWriting = true
    const began = performance.now()
    try {
      if (!(await syncFileSystem(dataRoot))) logger.warn('the disk of the data root reports errors', { dataRoot })
      logger.debug('what was made is on the disk', { ms: Math.round(performance.now() - began) })
    } catch (error) {
      logger.warn('the data root is not written to its disk', { error: messageOf(error) })
    }
    isWriting = false
    // Changes that were made during the write are due now.
    if (dueAt !== Number.POSITIVE_INFINITY) plan(dueAt)
  }
  const plan = (at: number): void => {
    dueAt = Math.min(dueAt, at)
    if (isWriting) return
    clearTimeout(timer)
    timer = setTimeout(() => void settle(), Math.max(0, dueAt - performance.now())).unref()
  }
  const unsubscribe = events.subscribe(({ Type, Action }) => {
    if (Type === 'image' && imageActions.has(Action)) plan(performance.now() + delayMs.image)
    else if (lasting.has(Action)) plan(performance.now() + delayMs.other)
  })
  return () => {
    unsubscribe()
    clearTimeout(timer)
    dueAt = Number.POSITIVE_INFINITY
  }
}

const imageActions = new Set(['pull', 'load', 'import', 'tag', 'untag', 'delete'])
const lasting = new Set(['create', 'destroy', 'remove', 'rename', 'update', 'prune'])
