/** A context that is a directory on the host which does not change: a git checkout, an unpacked file. */
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { DirectoryTree, resolveInTree, type TreeReader } from '../tree/index.ts'
import type { FileWorkers } from '../workers/file-workers.ts'
import { type FileContents, type FileContext, maxTextBytes } from './file-context.ts'

/** Options of `DirectoryContext`. */
export interface DirectoryContextOptions {
  readonly workers: FileWorkers
  /** Called when the build no longer needs the context. */
  readonly onEnd?: () => void
  /** The owner that all files appear to have. Undefined: the owners on disk. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** A context read from a directory. `workers` hash the files. */
export class DirectoryContext implements FileContext {
  readonly #root: string
  readonly #options: DirectoryContextOptions
  readonly #tree: DirectoryTree

  constructor(root: string, options: DirectoryContextOptions) {
    this.#root = root
    this.#options = options
    this.#tree = new DirectoryTree(root, options.owner === undefined ? {} : { owner: options.owner })
  }

  async look(): Promise<TreeReader> {
    return this.#tree
  }

  async digests(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { digests = [] } = await this.#options.workers.run({
      kind: 'hash',
      paths: paths.map((path) => join(this.#root, path)),
    })
    return new Map(paths.map((path, index) => [path, digests[index] ?? '']))
  }

  async contents(): Promise<FileContents> {
    return { root: this.#root }
  }

  async text(path: string): Promise<string | undefined> {
    const found = resolveInTree(this.#tree, path)
    if (found === undefined) return undefined
    const place = join(this.#root, found)
    const stats = lstatSync(place)
    if (!stats.isFile()) return undefined
    if (stats.size > maxTextBytes) throw invalidArgument(`${path} is too large`)
    return readFileSync(place, 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.onEnd?.()
  }
}
