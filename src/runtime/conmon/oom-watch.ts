/** Tells when the kernel kills in a container for want of memory, while the container may go on. conmon watches the
 *  control group, whichever version it is of, and opens a file of the bundle each time: one descriptor for all
 *  containers is told of that. */
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf, type Logger } from '../../base/index.ts'
import { OpenWatch } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'

export class OomWatch {
  readonly #opens = OpenWatch.open({ unref: true })
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Calls back each time, until `remove`. True when it has happened already, in this run. */
  add(bundle: string, onOom: () => void): boolean {
    const { oom } = bundleFiles(bundle)
    try {
      this.#opens.add(bundle, (name) => {
        if (name === basename(oom)) onOom()
      })
    } catch (error) {
      // Too many watches, of whomever: the end of the run will tell.
      if (errnoOf(error) !== 'ENOSPC') throw error
      this.#logger.warn('OOM kills will be told at the end only: raise fs.inotify.max_user_watches', { bundle })
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
