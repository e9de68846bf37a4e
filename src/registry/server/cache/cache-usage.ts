/** The times of last use of the cache's contents. Each is the modification time of an empty object, so that all
 *  processes on a storage know it, also after a restart. It is written only now and then. */
import type { ObjectInfo, ObjectStorage } from '../storage/registry-storage.ts'

const usagePrefix = 'cache/'
const nothing = Buffer.alloc(0)

/** The key of the object whose time is the last use of `key`. */
function usageKey(key: string): string {
  return usagePrefix + key
}

export class CacheUsage {
  readonly #objects: ObjectStorage
  readonly #intervalMs: number
  /** Times in ms by key: the last use, and the last one that was written to the storage. */
  readonly #recent = new Map<string, { readonly usedMs: number; readonly notedMs: number }>()

  /** A use is not written if the last one was written less than `intervalMs` before. */
  constructor(objects: ObjectStorage, intervalMs: number) {
    this.#objects = objects
    this.#intervalMs = intervalMs
  }

  /** Notes a use of the object `key`. */
  async touch(key: string): Promise<void> {
    const usedMs = Date.now()
    const notedMs = this.#recent.get(key)?.notedMs ?? 0
    const isDue = usedMs - notedMs >= this.#intervalMs
    this.#recent.set(key, { usedMs, notedMs: isDue ? usedMs : notedMs })
    if (isDue) await this.#objects.write(usageKey(key), nothing)
  }

  /** The times of last use, in ms, by key. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const uses = new Map<string, number>()
    for await (const { key, modifiedAt } of listAll(this.#objects, usagePrefix)) {
      uses.set(key.slice(usagePrefix.length), modifiedAt.getTime())
    }
    for (const [key, { usedMs }] of this.#recent) uses.set(key, Math.max(usedMs, uses.get(key) ?? 0))
    return uses
  }

  /** Forgets an object that was deleted. */
  async forget(key: string): Promise<void> {
    this.#recent.delete(key)
    await this.#objects.delete(usageKey(key))
  }
}

/** All objects below a prefix. */
export async function* listAll(objects: ObjectStorage, prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await objects.list(prefix, after === '' ? {} : { after })
    yield* page.objects
    after = page.next
  }
}
