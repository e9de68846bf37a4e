/** Docker's progress messages for one image. */
import type { ProgressMessage } from '../../api/index.ts'
import type { OnProgress } from '../../contract/index.ts'
import { progressBar } from './file-sizes.ts'

/** Docker's clients do not redraw more often than this. */
const intervalMs = 100

/** Passes numbers on, but not more often than clients redraw. */
export class Occasionally {
  readonly #tell: (value: number) => void
  #lastMs = 0

  constructor(tell: (value: number) => void) {
    this.#tell = tell
  }

  /** `isLast` passes the number on in any case. */
  tell(value: number, isLast = false): void {
    const nowMs = Date.now()
    if (!isLast && nowMs - this.#lastMs < intervalMs) return
    this.#lastMs = nowMs
    this.#tell(value)
  }
}

/** The state of a layer's download, for any number of watchers: a pull that joins the download of another one gets the
 *  rest of its messages. */
export class LayerProgress {
  readonly #id: string
  readonly #watchers = new Set<OnProgress>()
  #last: ProgressMessage | undefined
  #lastMs = 0

  constructor(id: string) {
    this.#id = id
  }

  /** Sends the present state and all later messages to `watcher`, until the returned function is called. */
  watch(watcher: OnProgress): () => void {
    this.#watchers.add(watcher)
    if (this.#last !== undefined) watcher(this.#last)
    return () => this.#watchers.delete(watcher)
  }

  /** Sends a message without numbers. */
  status(status: string): void {
    this.#emit({ status, progressDetail: {}, id: this.#id })
    this.#lastMs = 0
  }

  /** Sends a message with numbers, unless the last one was sent a moment ago. */
  amount(status: string, current: number, total: number): void {
    const nowMs = Date.now()
    if (nowMs - this.#lastMs < intervalMs && current < total) return
    this.#lastMs = nowMs
    const progress = progressBar(current, total)
    this.#emit({ status, progressDetail: { current, total }, progress, id: this.#id })
  }

  #emit(message: ProgressMessage): void {
    this.#last = message
    for (const watcher of this.#watchers) watcher(message)
  }
}
