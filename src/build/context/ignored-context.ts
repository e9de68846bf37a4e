/** A context without the files that its ignore file excludes. */
import type { AbortOptions } from '../../base/index.ts'
import type { IgnoredDirectory, IgnoreMatcher } from '../dockerfile/index.ts'
import { joinPath, type TreeReader } from '../tree/index.ts'
import type { FileContents, FileContext, LookOptions } from './file-context.ts'

/** Wraps a context and hides the ignored files. */
export class IgnoredContext implements FileContext {
  readonly #inner: FileContext
  readonly #matcher: IgnoreMatcher

  constructor(inner: FileContext, matcher: IgnoreMatcher) {
    this.#inner = inner
    this.#matcher = matcher
  }

  async look(sources: readonly string[], options?: LookOptions): Promise<TreeReader> {
    return new IgnoredTree(await this.#inner.look(sources, options), this.#matcher)
  }

  // No `identity`: only a client's directory has one, and there the client applies the ignore file.

  digests(paths: readonly string[], options?: AbortOptions): Promise<ReadonlyMap<string, string>> {
    return this.#inner.digests(paths, options)
  }

  contents(paths: readonly string[], options?: AbortOptions): Promise<FileContents> {
    return this.#inner.contents(paths, options)
  }

  text(path: string, options?: AbortOptions): Promise<string | undefined> {
    return this.#inner.text(path, options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inner[Symbol.asyncDispose]() as Promise<void>
  }
}

class IgnoredTree implements TreeReader {
  readonly #tree: TreeReader
  readonly #matcher: IgnoreMatcher
  readonly #places = new Map<string, IgnoredDirectory>()

  constructor(tree: TreeReader, matcher: IgnoreMatcher) {
    this.#tree = tree
    this.#matcher = matcher
  }

  lstat(path: string): ReturnType<TreeReader['lstat']> {
    return this.#isOut(path) ? undefined : this.#tree.lstat(path)
  }

  list(path: string): readonly string[] {
    return this.#tree.list(path).filter((name) => !this.#isOut(joinPath(path, name)))
  }

  /** True when the path is hidden. An ignored directory is visible when an exception brings back something in it. */
  #isOut(path: string): boolean {
    const place = this.#place(path)
    if (!place.ignored) return false
    if (!place.worthEntering || this.#tree.lstat(path)?.type !== 'directory') return true
    return this.#tree.list(path).every((name) => this.#isOut(joinPath(path, name)))
  }

  #place(path: string): IgnoredDirectory {
    if (path === '') return this.#matcher.root()
    const known = this.#places.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const place = this.#place(slash === -1 ? '' : path.slice(0, slash)).enter(path.slice(slash + 1))
    this.#places.set(path, place)
    return place
  }
}
