/** When the cache's contents were last asked for: an object without bytes for each, whose time of writing is it. So
 *  all processes on a storage know, also after a restart. Written anew only now and then. */
import type { ObjectInfo, ObjectStorage } from '../storage/registry-storage.ts'

const usagePrefix = 'cache/'
const nothing = Buffer.alloc(0)

/** Where the use of an object of the registry is noted. */
export function usageKey(key: string): string {
  return usagePrefix + key
}

export class CacheUsage {
  readonly #objects: ObjectStorage
  readonly #intervalMs: number
  /** Uses by key, in ms; `noted` is when the storage was told. */
  readonly #recent = new Map<string, { readonly usedMs: number; readonly notedMs: number }>()

  /** Uses nearer than `intervalMs` to each other are noted once. */
  constructor(objects: ObjectStorage, intervalMs: number) {
    this.#objects = objects
    this.#intervalMs = intervalMs
  }

  /** Notes that the object `key` was asked for. */
  async touch(key: string): Promise<void> {
    const usedMs = Date.now()
    const notedMs = this.#recent.get(key)?.notedMs ?? 0
    const isDue = usedMs - notedMs >= this.#intervalMs
    this.#recent.set(key, { usedMs, notedMs: isDue ? usedMs : notedMs })
    if (isDue) await this.#objects.write(usageKey(key), nothing)
  }

  /** The last use of each object that has one. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const uses = new Map<string, number>()
    for await (const { key, modifiedAt } of listAll(this.#objects, usagePrefix)) {
      uses.set(key.slice(usagePrefix.length), modifiedAt.getTime())
    }
    for (const [key, { usedMs }] of this.#recent) uses.set(key, Math.max(usedMs, uses.get(key) ?? 0))
    return uses
  }

  /** The object is gone. */
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
