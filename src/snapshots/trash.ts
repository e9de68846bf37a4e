/** Deletes trees without blocking the event loop. A tree is renamed away at once. Small trees are then deleted in the
 *  thread pool, larger ones by a worker thread that ends when it is done. */
import { mkdirSync, opendirSync, readdirSync, renameSync } from 'node:fs'
import { rmdir, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errnoOf, type Logger, messageOf } from '../base/index.ts'
import { startWorker, unlimitTree } from '../sys/index.ts'

/** Trees up to this number of entries are deleted without a worker. A worker costs as much as some hundred deletions,
 *  and a container's own layer has only a few files. */
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

  /** Opens the trash directory, makes it when it does not exist, and continues the deletions of an earlier run. */
  static open(directory: string, logger: Logger): Trash {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const trash = new Trash(directory, logger)
    const left = readdirSync(directory)
    if (left.length > 0) trash.#giveToWorker(left.map((name) => join(directory, name)))
    return trash
  }

  /** Moves a tree to the trash, removes its size limit, and deletes it later. No error when it does not exist. */
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

  /** Waits until everything that was discarded so far is deleted. */
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
      // On failure only the number of a limit remains, for files that are gone.
      this.#logger.warn('cannot take back the size limit of a snapshot', { path, error: messageOf(error) })
    }
  }

  async #delete(path: string): Promise<void> {
    // Deferred, so that the caller can answer its request first.
    await nextTurn()
    try {
      if (await removeWithin(path, { entries: inlineEntries })) return
    } catch {
      // If the failure persists, the worker reports it. A name that is not UTF-8 fails only here.
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

/** Removes a tree until the budget is used up; false when something is left. Does not follow symlinks. The disk's
 *  journal may delay each call by milliseconds, so the calls run in the thread pool. */
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
