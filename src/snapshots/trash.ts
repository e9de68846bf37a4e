/** Deleting trees without stopping the event loop: a tree is renamed away at once; small ones are deleted
 *  in the thread pool, larger ones by a worker thread that ends when it is done. */
import { mkdirSync, opendirSync, readdirSync, renameSync } from 'node:fs'
import { rmdir, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errnoOf, type Logger, messageOf } from '../base/index.ts'
import { startWorker, unlimitTree } from '../sys/index.ts'

/** Entries of one tree that are deleted here. A worker costs as much as some hundred of them, and a container's own
 *  layer has but a few. */
const inlineEntries = 200

/** Deletes trees in the background. Trees and trash must be on the same file system. */
export class Trash {
  readonly #directory: string
  readonly #logger: Logger
  readonly #running = new Set<Promise<void>>()
  #forWorker: string[] = []
  #worker: Promise<void> | undefined
  #counter = 0

  private constructor(directory: string, logger: Logger) {
    this.#directory = directory
    this.#logger = logger
  }

  /** Opens the trash directory, making it, and goes on with what an earlier run left there. */
  static open(directory: string, logger: Logger): Trash {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const trash = new Trash(directory, logger)
    const left = readdirSync(directory)
    if (left.length > 0) trash.#giveToWorker(left.map((name) => join(directory, name)))
    return trash
  }

  /** Takes a tree away, with the limit that it may have, and deletes it later. No error when it isn't there. */
  discard(path: string): void {
    this.#endLimit(path)
    this.#counter += 1
    const target = join(this.#directory, `${basename(path)}-${process.pid}-${this.#counter}`)
    try {
      renameSync(path, target)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    const work: Promise<void> = this.#delete(target).finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  /** Resolves when all that was discarded so far is deleted. */
  async drain(): Promise<void> {
    while (this.#running.size > 0 || this.#worker !== undefined) {
      await Promise.all([...this.#running, this.#worker])
    }
  }

  #endLimit(path: string): void {
    try {
      unlimitTree(path)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return
      // What remains is the number of a limit for files that are gone.
      this.#logger.warn('cannot take back the size limit of a snapshot', { path, error: messageOf(error) })
    }
  }

  async #delete(path: string): Promise<void> {
    // Not in the caller's way: it still has an answer to give.
    await nextTurn()
    try {
      if (await removeWithin(path, { entries: inlineEntries })) return
    } catch {
      // The worker meets the same failure and tells it, unless it comes from a name that isn't UTF-8: it copes.
    }
    this.#giveToWorker([path])
  }

  #giveToWorker(paths: readonly string[]): void {
    this.#forWorker.push(...paths)
    this.#worker ??= this.#runWorker().finally(() => {
      this.#worker = undefined
    })
  }

  async #runWorker(): Promise<void> {
    while (this.#forWorker.length > 0) {
      const paths = this.#forWorker
      this.#forWorker = []
      const worker = startWorker(new URL('./trash-worker.ts', import.meta.url), { workerData: paths })
      worker.on('message', (failure) => {
        this.#logger.warn('cannot delete a removed directory, trying again at the next start', failure)
      })
      await new Promise<void>((resolve) => {
        worker.on('error', (error) =>
          this.#logger.error('deleting removed directories failed', { error: messageOf(error) }),
        )
        worker.on('exit', () => resolve())
      })
    }
  }
}

/** Removes a tree until the budget is used up; false when something is left. Follows no symlinks. The disk's journal
 *  may make every call wait for milliseconds, so the calls are the thread pool's. */
async function removeWithin(path: string, budget: { entries: number }): Promise<boolean> {
  const directory = opendirSync(path, { bufferSize: 64 })
  try {
    for (let item = directory.readSync(); item !== null; item = directory.readSync()) {
      budget.entries -= 1
      if (budget.entries <= 0) return false
      const inner = join(path, item.name)
      if (!item.isDirectory()) await unlink(inner)
      else if (!(await removeWithin(inner, budget))) return false
    }
  } finally {
    directory.closeSync()
  }
  await rmdir(path)
  return true
}
