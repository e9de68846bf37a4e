/** One garbage collection at a time, whichever process runs it. The lock is an object with a number; whoever finds it
 *  untouched for long takes the next number, which only one can. */
import { conflict } from '../../base/index.ts'
import { keyTail, lockPrefix } from './registry-keys.ts'
import type { ObjectStorage } from './storage/registry-storage.ts'

/** So long after its last sign of life a collection counts as dead. */
const staleMs = 10 * 60 * 1000
const renewMs = 60 * 1000
const numberDigits = 12

export class GcLock {
  readonly #objects: ObjectStorage
  readonly #key: string
  readonly #timer: NodeJS.Timeout
  /** When the lock was taken, by the storage's clock. */
  readonly takenAt: Date

  private constructor(objects: ObjectStorage, key: string, takenAt: Date) {
    this.#objects = objects
    this.#key = key
    this.takenAt = takenAt
    this.#timer = setInterval(() => void this.#renew(), renewMs)
    this.#timer.unref()
  }

  /** Takes the lock; `conflict` when another collection runs. */
  static async take(objects: ObjectStorage): Promise<GcLock> {
    const { objects: locks } = await objects.list(lockPrefix.slice(0, lockPrefix.indexOf('/') + 1))
    const last = locks.filter(({ key }) => key.startsWith(lockPrefix)).at(-1)
    if (last !== undefined && Date.now() - last.modifiedAt.getTime() < staleMs) throw busy()
    const number = last === undefined ? 0 : Number(keyTail(last.key).replace(/\D/g, '')) + 1
    const key = lockPrefix + String(number).padStart(numberDigits, '0')
    if (!(await objects.write(key, Buffer.from(`${process.pid}\n`), { ifAbsent: true }))) throw busy()
    const taken = await objects.stat(key)
    for (const old of locks) await objects.delete(old.key)
    return new GcLock(objects, key, taken?.modifiedAt ?? new Date())
  }

  /** Throws `conflict` when somebody took this collection for dead. */
  async check(): Promise<void> {
    if ((await this.#objects.stat(this.#key)) === undefined) throw busy()
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    await this.#objects.delete(this.#key)
  }

  async #renew(): Promise<void> {
    try {
      await this.check()
      await this.#objects.write(this.#key, Buffer.from(`${process.pid}\n`))
    } catch {
      // The collection itself asks before each deletion.
    }
  }
}

function busy(): Error {
  return conflict('another garbage collection is running')
}
