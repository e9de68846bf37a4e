/** Tells when the kernel kills in a container for want of memory, while the container may go on. conmon watches the
 *  control group, whichever version it is of, and opens a file of the bundle each time: one descriptor for all
 *  containers is told of that. */
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf, type Logger, messageOf } from '../../base/index.ts'
import { OpenWatch } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'

export class OomWatch {
  readonly #opens = OpenWatch.open({ unref: true })
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Calls back each time, until `remove`. True when it has happened already, in this run. If the bundle can't be
   *  watched, a warning is logged, and the end of the run tells of the kills. */
  add(bundle: string, onOom: () => void): boolean {
    const { oom } = bundleFiles(bundle)
    try {
      this.#opens.add(bundle, (name) => {
        if (name === basename(oom)) onOom()
      })
    } catch (error) {
      // ENOSPC: all programs together have too many watches.
      const advice = errnoOf(error) === 'ENOSPC' ? ': raise fs.inotify.max_user_watches' : ''
      this.#logger.warn(`OOM kills will be told at the end only${advice}`, { bundle, error: messageOf(error) })
    }
    return hasOomFile(oom)
  }

  /** Idempotent. */
  remove(bundle: string): void {
    this.#opens.remove(bundle)
  }

  /** Idempotent. */
  close(): void {
    this.#opens.close()
  }
}

/** True when the kernel has killed for want of memory in the run that the file is of. */
export function hasOomFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
