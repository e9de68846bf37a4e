/** Objects as files of a folder. */
import type { Dirent } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { type AbortOptions, errnoOf, notFound } from '../../../../base/index.ts'
import type {
  ByteRange,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectReader,
  ObjectStorage,
  WriteOptions,
} from '../registry-storage.ts'
import { removeFile, syncFolder, writeDurable } from './durable-file.ts'
import { objectPath, objectsPath, temporaryPath } from './folder-paths.ts'

const readChunkBytes = 256 * 1024
const defaultPage = 1000

export class FolderObjects implements ObjectStorage {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const path = objectPath(this.#root, key)
    try {
      const found = await stat(path)
      return found.isFile() ? { key, sizeBytes: found.size, modifiedAt: found.mtime } : undefined
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async read(key: string): Promise<Buffer | undefined> {
    try {
      return await readFile(objectPath(this.#root, key))
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async open(key: string, { start, end, signal }: ByteRange & AbortOptions = {}): Promise<Readable> {
    const file = await this.#openFile(key)
    return file.createReadStream({
      highWaterMark: readChunkBytes,
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async openReader(key: string): Promise<ObjectReader> {
    const file = await this.#openFile(key)
    return {
      fd: file.fd,
      read: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
      close: () => file.close(),
    }
  }

  async write(key: string, bytes: Uint8Array, { ifAbsent }: WriteOptions = {}): Promise<boolean> {
    return await writeDurable(objectPath(this.#root, key), bytes, { temporary: temporaryPath(this.#root), ifAbsent })
  }

  async list(prefix: string, { after = '', limit = defaultPage }: ListOptions = {}): Promise<ListPage> {
    const keys: string[] = []
    await this.#walk(prefix, after, limit + 1, keys)
    const isMore = keys.length > limit
    if (isMore) keys.pop()
    const found = await Promise.all(keys.map((key) => this.stat(key)))
    return {
      // Some may have been deleted in the meantime.
      objects: found.filter((object) => object !== undefined),
      next: isMore ? keys.at(-1) : undefined,
    }
  }

  async delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const path = objectPath(this.#root, key)
    if (!(await removeFile(path))) return
    await syncFolder(dirname(path))
    await this.#removeEmptyFolders(dirname(path))
  }

  async #openFile(key: string): Promise<FileHandle> {
    try {
      return await open(objectPath(this.#root, key), 'r')
    } catch (error) {
      if (isAbsent(error)) throw notFound(`no such object: ${key}`, { cause: error })
      throw error
    }
  }

  /** Appends keys below `prefix` that sort after `after`, in order, until `keys` has `limit` entries. */
  async #walk(prefix: string, after: string, limit: number, keys: string[]): Promise<void> {
    for (const entry of await sortedEntries(join(objectsPath(this.#root), prefix))) {
      if (keys.length >= limit) return
      const key = prefix + entry.name
      if (entry.isDirectory()) {
        const folder = `${key}/`
        // Keys below a folder sort with its name: after `after`, before it, or on both sides.
        if (folder > after || after.startsWith(folder)) await this.#walk(folder, after, limit, keys)
      } else if (key > after) {
        keys.push(key)
      }
    }
  }

  /** Removes empty folders up to the top level, so that folders of deleted objects don't stay forever. A concurrent
   *  write makes its folder again. */
  async #removeEmptyFolders(folder: string): Promise<void> {
    const top = objectsPath(this.#root)
    try {
      for (let path = folder; dirname(path).length > top.length; path = dirname(path)) await rmdir(path)
    } catch {
      // The folder is not empty, or is gone.
    }
  }
}

async function sortedEntries(path: string): Promise<readonly Dirent[]> {
  let entries: Dirent[]
  try {
    entries = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
  const sortName = new Map(entries.map((entry) => [entry, entry.isDirectory() ? `${entry.name}/` : entry.name]))
  return entries.sort((a, b) => ((sortName.get(a) ?? '') < (sortName.get(b) ?? '') ? -1 : 1))
}

function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EISDIR'
}
