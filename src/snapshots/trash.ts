/** Deleting trees without stopping the event loop: a tree is renamed away at once; small ones are deleted within a
 *  few milliseconds here, what takes longer by a worker thread that ends when it is done. */
import { type Dirent, mkdirSync, opendirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { errnoOf, type Logger, messageOf } from '../base/index.ts'

/** How long one tree may hold up the event loop. */
const inlineBudgetMs = 2

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

  /** Takes a tree away and deletes it later. No error when it isn't there. */
  discard(path: string): void {
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

  async #delete(path: string): Promise<void> {
    // Not in the caller's way: it still has an answer to give.
    await nextTurn()
    let done = false
    try {
      done = removeWithin(path, performance.now() + inlineBudgetMs)
    } catch {
      // The worker meets the same failure and tells it, unless it comes from a name that isn't UTF-8: it copes.
    }
    if (!done) this.#giveToWorker([path])
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
      const worker = new Worker(new URL('./trash-worker.ts', import.meta.url), { workerData: paths })
      worker.on('message', (failure) => {
        this.#logger.warn('cannot delete a removed snapshot, trying again at the next start', failure)
      })
      await new Promise<void>((resolve) => {
        worker.on('error', (error) => this.#logger.error('deleting snapshots failed', { error: messageOf(error) }))
        worker.on('exit', () => resolve())
      })
    }
  }
}

/** Removes a tree until the deadline; false when something is left. Follows no symlinks. */
function removeWithin(path: string, deadline: number): boolean {
  const directory = opendirSync(path, { bufferSize: 64 })
  let done = true
  try {
    let item: Dirent | null
    while (done && (item = directory.readSync()) !== null) {
      if (performance.now() > deadline) done = false
      else if (item.isDirectory()) done = removeWithin(join(path, item.name), deadline)
      else unlinkSync(join(path, item.name))
    }
  } finally {
    directory.closeSync()
  }
  if (done) rmdirSync(path)
  return done
}
