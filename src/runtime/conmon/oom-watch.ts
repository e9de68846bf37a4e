/** Reports when the kernel kills a process of a container because memory ran out, even if the container continues.
 *  conmon watches the control group (v1 or v2) and opens the bundle's `oom` file at each kill. One inotify descriptor
 *  reports those opens for all containers. */
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

  /** Calls `onOom` at each kill, until `remove`. Returns true when there was a kill earlier in this run. If the bundle
   *  can't be watched, a warning is logged; the kills are then reported only when the run ends. */
  add(bundle: string, onOom: () => void): boolean {
    const { oom } = bundleFiles(bundle)
    try {
      this.#opens.add(bundle, (name) => {
        if (name === basename(oom)) onOom()
      })
    } catch (error) {
      // ENOSPC: the limit on watches, which all programs of root share, is reached.
      const advice = errnoOf(error) === 'ENOSPC' ? ': raise fs.inotify.max_user_watches' : ''
      this.#logger.warn(`OOM kills will be reported only when the container ends${advice}`, {
        bundle,
        error: messageOf(error),
      })
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

/** True when the kernel killed a process of this run because memory ran out. `path`: the bundle's `oom` file. */
export function hasOomFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
