/** Wakes a reader when something in a directory changed. Changes while it works are remembered as one. */
import { type FSWatcher, watch } from 'node:fs'
import { errnoOf } from '../base/index.ts'

export class ChangeSignal {
  readonly #watcher: FSWatcher | undefined
  #changed = true
  #wake: (() => void) | undefined

  constructor(directory: string) {
    try {
      this.#watcher = watch(directory, { persistent: false }, () => this.notify())
      this.#watcher.on('error', () => this.notify())
    } catch (error) {
      // The directory is gone with its container: the reader is told otherwise.
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
