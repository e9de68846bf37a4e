/** Docker's progress messages for one image. */
import type { ProgressMessage } from '../../api/index.ts'
import type { OnProgress } from '../../contract/index.ts'
import { progressBar } from './file-sizes.ts'

/** Docker's clients redraw at most this often; more messages only cost. */
const intervalMs = 100

/** Passes a figure on, but not more often than clients redraw. */
export class Occasionally {
  readonly #tell: (value: number) => void
  #lastMs = 0

  constructor(tell: (value: number) => void) {
    this.#tell = tell
  }

  /** `isLast`: it is passed on in any case. */
  tell(value: number, isLast = false): void {
    const nowMs = Date.now()
    if (!isLast && nowMs - this.#lastMs < intervalMs) return
    this.#lastMs = nowMs
    this.#tell(value)
  }
}

/** What a layer of a pull is doing, told to any number of watchers: a pull that joins another's
 *  download hears the rest of it. */
export class LayerProgress {
  readonly #id: string
  readonly #watchers = new Set<OnProgress>()
  #last: ProgressMessage | undefined
  #lastMs = 0

  constructor(id: string) {
    this.#id = id
  }

  /** Tells `watcher` where things stand and what follows; gives the function that ends this. */
  watch(watcher: OnProgress): () => void {
    this.#watchers.add(watcher)
    if (this.#last !== undefined) watcher(this.#last)
    return () => this.#watchers.delete(watcher)
  }

  /** A message without numbers. */
  status(status: string): void {
    this.#emit({ status, progressDetail: {}, id: this.#id })
    this.#lastMs = 0
  }

  /** A message with numbers, left out when the last one is too fresh. */
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
