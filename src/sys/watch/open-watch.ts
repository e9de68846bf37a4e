/** Reports when files are opened in any of many directories. One inotify descriptor serves all of them. */
import type { PollOptions } from '../native/poll.ts'
import { Inotify, type InotifyEvent, inIgnored, inOpen } from './inotify.ts'

/** Watches directories for opened files. */
export class OpenWatch {
  readonly #inotify: Inotify
  readonly #byWatch = new Map<number, (name: string) => void>()
  readonly #byPath = new Map<string, number>()

  private constructor(options: PollOptions) {
    this.#inotify = Inotify.open((event) => this.#onEvent(event), options)
  }

  /** Starts without directories. Throws EMFILE when the user has too many inotify descriptors. */
  static open(options: PollOptions = {}): OpenWatch {
    return new OpenWatch(options)
  }

  /** Calls `onOpen` with the name of each file that is opened in a directory, until `remove` or until the directory is
   *  removed. A second call for the same directory replaces the first. Throws ENOENT, and ENOSPC when there are too
   *  many watches. */
  add(path: string, onOpen: (name: string) => void): void {
    const watch = this.#inotify.add(path, inOpen)
    this.#byWatch.set(watch, onOpen)
    this.#byPath.set(path, watch)
  }

  /** Idempotent. */
  remove(path: string): void {
    const watch = this.#byPath.get(path)
    if (watch === undefined) return
    this.#byPath.delete(path)
    this.#byWatch.delete(watch)
    this.#inotify.remove(watch)
  }

  /** Idempotent. */
  close(): void {
    this.#inotify.close()
    this.#byWatch.clear()
    this.#byPath.clear()
  }

  #onEvent({ watch, mask, name }: InotifyEvent): void {
    if ((mask & inIgnored) === 0) this.#byWatch.get(watch)?.(name)
    else this.#byWatch.delete(watch)
  }
}
