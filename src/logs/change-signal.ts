/** Wakes a reader when something in a directory changes. Several changes while the reader works count as one. */
import { type FSWatcher, watch } from 'node:fs'
import { errnoOf } from '../base/index.ts'

/** Watches one directory. */
export class ChangeSignal {
  readonly #watcher: FSWatcher | undefined
  #changed = true
  #wake: (() => void) | undefined

  constructor(directory: string) {
    try {
      this.#watcher = watch(directory, { persistent: false }, () => this.notify())
      this.#watcher.on('error', () => this.notify())
    } catch (error) {
      // The directory was removed with its container. The reader learns of that in another way.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  notify(): void {
    this.#changed = true
    this.#wake?.()
  }

  /** Resolves at the next change, or at once when there was one since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = undefined
    }
    this.#changed = false
  }

  close(): void {
    this.#watcher?.close()
  }
}
