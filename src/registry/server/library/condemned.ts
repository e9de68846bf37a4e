/** How a request keeps a blob from a garbage collection that may run in any process at the same time.
 *
 *  The collection condemns a blob (writes `condemned/…`), then looks at the blob's links once more, and deletes only
 *  if none is new. A request writes a link (or a mark among the links), then looks whether the blob is condemned.
 *  Whatever the order, at least one of the two sees the other; the request then waits for the verdict. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobDigest } from '../model/blob-digest.ts'
import { condemnedKey } from '../model/registry-keys.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'

/** A collection that has not deleted this long after it condemned takes the verdict back and starts anew. */
export const verdictMs = 5_000
/** So long may the deletion itself take; later the collection is taken for dead. */
const giveUpMs = 30_000
const pollMs = 50

/** Waits until no collection is deciding about the blob. The caller's link must be written already. */
export async function awaitVerdict(objects: ObjectStorage, digest: BlobDigest): Promise<void> {
  const key = condemnedKey(digest)
  let since = Date.now()
  let condemnedAt: number | undefined
  for (;;) {
    const condemned = await objects.stat(key)
    if (condemned === undefined) return
    if (condemned.modifiedAt.getTime() !== condemnedAt) {
      condemnedAt = condemned.modifiedAt.getTime()
      since = Date.now()
    } else if (Date.now() - since > giveUpMs) {
      await objects.delete(key)
      return
    }
    await sleep(pollMs)
  }
}
