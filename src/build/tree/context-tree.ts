/** The files of a context as metadata in memory. Their contents lie concatenated in a spool file, so that a COPY writes
 *  each file once. */
import type { TreeEntry, TreeReader } from './tree-reader.ts'
import { baseName, joinPath, plainDirectory } from './tree-reader.ts'

/** A file of a context. */
export interface ContextFile extends TreeEntry {
  /** Digest of the content, once it is known. */
  readonly digest?: string
  /** Offset of the content in the spool, once it is there. */
  readonly offset?: number
}

/** The tree of a context's files. Does no I/O. */
export class ContextTree implements TreeReader {
  readonly #files = new Map<string, ContextFile>()
  readonly #names = new Map<string, Set<string>>()
  readonly #sorted = new Map<string, readonly string[]>()

  /** Adds or replaces an entry, and adds missing parent directories. If the entry replaces a directory by something
   *  else, the directory's contents are removed. */
  set(path: string, file: ContextFile): void {
    if (path !== '') this.#addName(path)
    const before = this.#files.get(path)
    if (before?.type === 'directory' && file.type !== 'directory') this.delete(path)
    if (path !== '' && before?.type === 'directory' && file.type !== 'directory') this.#addName(path)
    this.#files.set(path, file)
  }

  /** Removes an entry and everything below it. */
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

  /** All entries, in no particular order. */
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

/** Compares by UTF-8 bytes. For UTF-16 text this differs from code units only for surrogates. */
export function bytewise(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
