/** A context's files, held as facts; their contents lie one behind the other in a file, so that what a COPY writes is
 *  written once. */
import type { TreeEntry, TreeReader } from './tree-reader.ts'
import { baseName, joinPath, plainDirectory } from './tree-reader.ts'

/** A file of a context. */
export interface ContextFile extends TreeEntry {
  /** Of a file's content, once it is known. */
  readonly digest?: string
  /** Where its content begins in the spool, once it is there. */
  readonly offset?: number
}

/** Facts of a context; nothing here does I/O. */
export class ContextTree implements TreeReader {
  readonly #files = new Map<string, ContextFile>()
  readonly #names = new Map<string, Set<string>>()
  readonly #sorted = new Map<string, readonly string[]>()

  /** Adds an entry, or replaces it (a directory that becomes something else loses what was in it); missing directories
   *  above are made. */
  set(path: string, file: ContextFile): void {
    if (path !== '') this.#addName(path)
    const before = this.#files.get(path)
    if (before?.type === 'directory' && file.type !== 'directory') this.delete(path)
    if (path !== '' && before?.type === 'directory' && file.type !== 'directory') this.#addName(path)
    this.#files.set(path, file)
  }

  /** Removes an entry with all below it. */
  delete(path: string): void {
    for (const name of this.#names.get(path) ?? []) this.delete(joinPath(path, name))
    this.#names.delete(path)
    this.#sorted.delete(path)
    this.#files.delete(path)
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
    if (path !== '') {
      this.#names.get(parent)?.delete(baseName(path))
      this.#sorted.delete(parent)
    }
  }

  lstat(path: string): ContextFile | undefined {
    return this.#files.get(path) ?? (path === '' ? plainDirectory : undefined)
  }

  list(path: string): readonly string[] {
    const known = this.#sorted.get(path)
    if (known !== undefined) return known
    const names = [...(this.#names.get(path) ?? [])].sort(bytewise)
    this.#sorted.set(path, names)
    return names
  }

  /** All entries, in no order. */
  entries(): Iterable<readonly [string, ContextFile]> {
    return this.#files
  }

  get size(): number {
    return this.#files.size
  }

  #addName(path: string): void {
    const slash = path.lastIndexOf('/')
    const parent = slash === -1 ? '' : path.slice(0, slash)
    if (parent !== '' && this.#files.get(parent)?.type !== 'directory') this.set(parent, plainDirectory)
    const names = this.#names.get(parent)
    const name = path.slice(slash + 1)
    if (names === undefined) this.#names.set(parent, new Set([name]))
    else names.add(name)
    this.#sorted.delete(parent)
  }
}

/** Order by UTF-8 bytes, which for UTF-16 text differs only above the surrogates. */
export function bytewise(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
