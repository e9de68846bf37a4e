/** A context that is a directory of the host which nobody changes: a git checkout, an unpacked file. */
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { DirectoryTree, resolveInTree, type TreeReader } from '../tree/index.ts'
import type { FileWorkers } from '../workers/file-workers.ts'
import { type FileContents, type FileContext, maxTextBytes } from './file-context.ts'

export interface DirectoryContextOptions {
  readonly workers: FileWorkers
  /** Called when the build needs the context no more. */
  readonly onEnd?: () => void
  /** Whom all files belong to. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

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
