/** Lets only one garbage collection run at a time, in all processes. The lock is an object with a number in its key,
 *  which its owner renews. If it was not renewed for long, another process takes the lock with the next number; only
 *  one can write that. */
import { conflict } from '../../../base/index.ts'
import { keyTail, lockPrefix } from '../model/registry-keys.ts'
import type { ObjectInfo, ObjectStorage } from '../storage/registry-storage.ts'

/** A collection that did not renew its lock for this time counts as dead. */
const staleMs = 30 * 1000
const renewMs = 5 * 1000
const numberDigits = 12
const folder = lockPrefix.slice(0, lockPrefix.indexOf('/') + 1)
/** An object that is written to read the storage's clock, which may differ from this machine's. */
const clockKey = `${folder}clock`

export class GcLock {
  readonly #objects: ObjectStorage
  readonly #key: string
  readonly #timer: NodeJS.Timeout
  #renewing: Promise<void> | undefined
  /** When the lock was taken, by the storage's clock. */
  readonly takenAt: Date

  private constructor(objects: ObjectStorage, key: string, takenAt: Date) {
    this.#objects = objects
    this.#key = key
    this.takenAt = takenAt
    this.#timer = setInterval(() => {
      this.#renewing = this.#renew()
    }, renewMs)
    this.#timer.unref()
  }

  /** Takes the lock. Rejects with `conflict` if another collection is running. */
  static async take(objects: ObjectStorage): Promise<GcLock> {
    const locks = await listLocks(objects)
    const last = locks.at(-1)
    if (last !== undefined && (await isAlive(objects, last))) throw busy()
    const number = last === undefined ? 0 : Number(keyTail(last.key).replace(/\D/g, '')) + 1
    const key = lockPrefix + String(number).padStart(numberDigits, '0')
    if (!(await objects.write(key, ownerLine(), { ifAbsent: true }))) throw busy()
    const taken = await objects.stat(key)
    for (const old of locks) await objects.delete(old.key)
    return new GcLock(objects, key, taken?.modifiedAt ?? new Date())
  }

  /** Rejects with `conflict` if another process has taken the lock since. */
  async check(): Promise<void> {
    if ((await listLocks(this.#objects)).at(-1)?.key !== this.#key) throw busy()
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
    await this.#objects.delete(this.#key)
  }

  async #renew(): Promise<void> {
    try {
      await this.check()
      await this.#objects.write(this.#key, ownerLine())
    } catch {
      // The collection calls `check` itself before it deletes.
    }
  }
}

async function listLocks(objects: ObjectStorage): Promise<readonly ObjectInfo[]> {
  const page = await objects.list(folder)
  return page.objects.filter(({ key }) => key.startsWith(lockPrefix))
}

async function isAlive(objects: ObjectStorage, { modifiedAt }: ObjectInfo): Promise<boolean> {
  await objects.write(clockKey, ownerLine())
  const now = (await objects.stat(clockKey))?.modifiedAt
  await objects.delete(clockKey)
  // Another process reads the clock at the same time and deleted the object. Leave the lock to that one.
  return now === undefined || now.getTime() - modifiedAt.getTime() < staleMs
}

function ownerLine(): Buffer {
  return Buffer.from(`${process.pid}\n`)
}

function busy(): Error {
  return conflict('another garbage collection is running (or was interrupted within the last 30 seconds)')
}
