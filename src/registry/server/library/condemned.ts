/** How a request keeps a blob from a garbage collection that may run in any process at the same time.
 *
 *  The collection condemns a blob (writes `condemned/…`), then looks at the blob's links once more, and deletes only
 *  if none is new. A request writes a link (or a mark among the links), then looks whether the blob is condemned.
 *  Whatever the order, at least one of the two sees the other; the request then waits for the verdict.
 *
 *  A request can't wait forever for a collection that died. So a verdict has deadlines, which make sure that no
 *  deletion is under way any more when the requests stop waiting:
 *
 *      0 s        the collection condemns the blob
 *      up to 5 s  it may begin deletions; then it lifts the verdict, whatever is left to delete
 *      up to 20 s the last deletion may take; then it is abandoned, and the verdict stays
 *      30 s       a request that has seen the verdict for so long deletes it and goes on */
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import { condemnedKey } from '../model/registry-keys.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'

/** How long after condemning a blob a collection may begin deletions. */
const verdictMs = 5_000
/** How long one deletion may take. A bucket's client would retry it for minutes. */
const deletionMs = 15_000
/** How long a request waits for an unchanged verdict. */
const giveUpMs = 30_000
const pollMs = 50
/** Within this time, waiting requests notice that a verdict was lifted. */
export const releaseMs = 4 * pollMs

const nothing = Buffer.alloc(0)

/** A collection's decision about one blob, while it carries it out. */
export class Verdict {
  readonly #objects: ObjectStorage
  readonly #key: string
  readonly #now: () => number
  readonly #condemnedAt: number
  #isAbandoned = false

  private constructor(objects: ObjectStorage, key: string, now: () => number) {
    this.#objects = objects
    this.#key = key
    this.#now = now
    this.#condemnedAt = now()
  }

  /** Condemns a blob. `now` gives the milliseconds of a monotonic clock. */
  static async pass(objects: ObjectStorage, digest: BlobDigest, now: () => number): Promise<Verdict> {
    // The clock starts before the write, because requests can see the verdict before the write returns.
    const verdict = new Verdict(objects, condemnedKey(digest), now)
    await objects.write(verdict.#key, nothing)
    return verdict
  }

  /** Deletes the blob's object or one of its links. False, with nothing deleted, if the verdict is too old. Rejects
   *  with `unavailable` if the deletion takes too long; then the object may or may not be gone. */
  async delete(key: string): Promise<boolean> {
    if (this.#now() - this.#condemnedAt > verdictMs) return false
    const signal = AbortSignal.timeout(deletionMs)
    try {
      await this.#objects.delete(key, { signal })
      return true
    } catch (cause) {
      if (!signal.aborted) throw cause
      this.#isAbandoned = true
      throw new BerthError('unavailable', `deleting ${key} took longer than ${deletionMs / 1000} s`, { cause })
    }
  }

  /** Ends the verdict, so that waiting requests go on. After an abandoned deletion the verdict stays. The storage may
   *  still carry out that deletion, so the requests wait until it no longer can. */
  async lift(): Promise<void> {
    if (!this.#isAbandoned) await this.#objects.delete(this.#key)
  }
}

/** Writes a link of a blob. After that, no collection deletes the link or the blob because it saw an older state. The
 *  caller must check whether the blob still exists. */
export async function writeLink(objects: ObjectStorage, digest: BlobDigest, link: string): Promise<void> {
  do {
    await objects.write(link, nothing)
    // A collection that had condemned the blob may have deleted the link, because it knew an older version of it.
  } while ((await awaitVerdict(objects, digest)) && (await objects.stat(link)) === undefined)
}

/** Waits until the blob is not condemned. The caller must have written its link or mark before. True if there was a
 *  verdict. */
export async function awaitVerdict(objects: ObjectStorage, digest: BlobDigest): Promise<boolean> {
  const key = condemnedKey(digest)
  let since = Date.now()
  let condemnedAt: number | undefined
  for (;;) {
    const condemned = await objects.stat(key)
    if (condemned === undefined) return condemnedAt !== undefined
    if (condemned.modifiedAt.getTime() !== condemnedAt) {
      condemnedAt = condemned.modifiedAt.getTime()
      since = Date.now()
    } else if (Date.now() - since > giveUpMs) {
      await objects.delete(key)
      return true
    }
    await sleep(pollMs)
  }
}
