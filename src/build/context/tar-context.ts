/** A context that arrives as a tar archive. The archive is read once: contents go to a spool, metadata and digests stay
 *  in memory. */
import { createHash, type Hash } from 'node:crypto'
import { decompressUpload, type TarEntry, type TarHandler, TarParser } from '../../archive/index.ts'
import { type AbortOptions, BerthError, invalidArgument } from '../../base/index.ts'
import { ContextTree, joinPath, resolveInTree, type TreeReader } from '../tree/index.ts'
import type { FileContents, FileContext } from './file-context.ts'
import { maxTextBytes } from './file-context.ts'
import { Spool } from './spool.ts'

const maxEntries = 5_000_000

/** The context from an archive. */
export class TarContext implements FileContext {
  readonly tree = new ContextTree()
  readonly #spool: Spool

  private constructor(spool: Spool) {
    this.#spool = spool
  }

  /** Reads an archive with any supported compression, and spools it in `directory`. Throws `invalidArgument` for a
   *  damaged archive. */
  static async read(
    source: AsyncIterable<Buffer>,
    directory: string,
    { signal }: AbortOptions = {},
  ): Promise<TarContext> {
    const context = new TarContext(new Spool(directory))
    try {
      const reader = new Reader(context.tree, context.#spool)
      const parser = new TarParser(reader)
      for await (const chunk of await decompressUpload(source, { signal })) {
        signal?.throwIfAborted()
        parser.push(chunk)
      }
      parser.end({ unpadded: true })
      return context
    } catch (error) {
      await context[Symbol.asyncDispose]()
      throw signal?.aborted === true ? new BerthError('cancelled', 'context canceled', { cause: error }) : error
    }
  }

  async look(): Promise<TreeReader> {
    return this.tree
  }

  async digests(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(paths.map((path) => [path, this.tree.lstat(path)?.digest ?? '']))
  }

  async contents(paths: readonly string[]): Promise<FileContents> {
    const offsets = new Map(paths.map((path) => [path, this.tree.lstat(path)?.offset ?? 0]))
    return { spool: this.#spool.path, offsets }
  }

  async text(path: string): Promise<string | undefined> {
    const found = resolveInTree(this.tree, path)
    const file = found === undefined ? undefined : this.tree.lstat(found)
    if (file?.type !== 'file') return undefined
    if (file.sizeBytes > maxTextBytes) throw invalidArgument(`${path} is too large`)
    return this.#spool.read(file.offset ?? 0, file.sizeBytes).toString('utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spool[Symbol.dispose]()
  }
}

class Reader implements TarHandler {
  readonly #tree: ContextTree
  readonly #spool: Spool
  #open:
    | { readonly entry: TarEntry; readonly path: string; readonly offset: number; hash: Hash; position: number }
    | undefined

  constructor(tree: ContextTree, spool: Spool) {
    this.#tree = tree
    this.#spool = spool
  }

  entry(entry: TarEntry): void {
    const path = normalPath(entry.path)
    if (this.#tree.size > maxEntries) throw invalidArgument('the context has too many files')
    if (path === '') return
    switch (entry.type) {
      case 'file':
        this.#open = {
          entry,
          path,
          offset: this.#spool.reserve(entry.sizeBytes),
          hash: createHash('sha256'),
          position: 0,
        }
        return
      case 'link': {
        const target = this.#tree.lstat(normalPath(entry.linkPath))
        if (target === undefined) throw invalidArgument(`hard link to ${entry.linkPath}, which is not in the context`)
        this.#tree.set(path, target)
        return
      }
      case 'directory':
        this.#tree.set(path, { ...facts(entry), type: 'directory' })
        return
      case 'symlink':
        this.#tree.set(path, { ...facts(entry), type: 'symlink', mode: 0o777, linkPath: entry.linkPath })
        return
      case 'char':
      case 'block':
      case 'fifo':
        this.#tree.set(path, { ...facts(entry), type: 'other' })
        return
      default:
        entry.type satisfies never
    }
  }

  data(piece: Buffer, position: number): void {
    const open = this.#open
    if (open === undefined) return
    this.#spool.write(piece, open.offset + position)
    skip(open.hash, position - open.position)
    open.hash.update(piece)
    open.position = position + piece.length
  }

  endEntry(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    const { entry, path, offset, hash } = open
    skip(hash, entry.sizeBytes - open.position)
    const file = {
      ...facts(entry),
      type: 'file' as const,
      sizeBytes: entry.sizeBytes,
      offset,
      digest: hash.digest('hex'),
    }
    this.#tree.set(path, file)
  }
}

/** Hashes `count` zeros for a hole of a sparse file. */
function skip(hash: Hash, count: number): void {
  const zeros = Buffer.alloc(Math.min(Math.max(count, 0), 1 << 20))
  for (let left = count; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, Math.min(left, zeros.length)))
}

/** Files of a context belong to root, whatever owners the archive has. */
function facts(entry: TarEntry) {
  const { mode, mtimeNs, xattrs } = entry
  const kept = xattrs === undefined || xattrs.size === 0 ? {} : { xattrs }
  return { mode, uid: 0, gid: 0, sizeBytes: 0, mtimeNs, linkPath: '', ...kept }
}

function normalPath(path: string): string {
  let done = ''
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') throw invalidArgument(`archive entry leaves its root: ${path}`)
    done = joinPath(done, part)
  }
  return done
}
