/** Deletes blobs that no manifest of any repository names, links that their repository has no use for, and uploads
 *  that were left, while pushes, mounts and deletes go on in any number of processes.
 *
 *  Only what is older than the grace period counts, so that what a push has brought stays until its manifest comes.
 *  A blob that was old already and is taken up again just now is saved by the protocol of condemned.ts.
 *  Dying half-way leaves at most a condemnation, which the next collection and any waiting push lift. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions } from '../../../base/index.ts'
import { releaseMs, Verdict } from '../library/condemned.ts'
import { GcLock } from '../library/gc-lock.ts'
import { decodeManifest } from '../library/stored-manifest.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import { forEachLimited } from '../model/for-each-limited.ts'
import { parseManifest } from '../model/manifest-document.ts'
import {
  blobKey,
  blobsPrefix,
  condemnedPrefix,
  digestOfKey,
  linksPrefix,
  manifestOfKey,
  repositoriesPrefix,
  repositoryOfLink,
} from '../model/registry-keys.ts'
import type { GarbageReport } from '../model/registry-observer.ts'
import type { ObjectInfo, ObjectStorage, RegistryStorage } from '../storage/registry-storage.ts'

export interface CollectGarbageOptions extends AbortOptions {
  /** Only says what would go. */
  readonly isDryRun?: boolean | undefined
  readonly graceMs: number
  readonly uploadMaxAgeMs: number
  /** Milliseconds of a clock that never goes back. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined
}

const concurrency = 8

/** Who names a blob. */
type Uses = ReadonlyMap<BlobDigest, ReadonlySet<string>>

/** Collects once. `conflict` when a collection runs already. */
export async function collectGarbage(
  storage: RegistryStorage,
  { isDryRun = false, graceMs, uploadMaxAgeMs, signal, now = () => performance.now() }: CollectGarbageOptions,
): Promise<GarbageReport> {
  const began = performance.now()
  const lock = await GcLock.take(storage.objects)
  try {
    const takenAt = lock.takenAt.getTime()
    const collection = new Collection(storage.objects, lock, { isDryRun, oldest: takenAt - graceMs, now, signal })
    if (!isDryRun) await collection.liftOldVerdicts()
    const { uses, manifestsRead } = await collection.readManifests()
    await collection.sweep(uses)
    const uploadsAborted = await abortUploads(storage, takenAt - uploadMaxAgeMs, isDryRun)
    const durationMs = Math.round(performance.now() - began)
    return { isDryRun, manifestsRead, ...collection.totals, uploadsAborted, durationMs }
  } finally {
    await lock.release()
  }
}

interface CollectionOptions extends AbortOptions {
  readonly isDryRun: boolean
  /** What was written after this moment (ms) stays. */
  readonly oldest: number
  readonly now: () => number
}

/** What became of a condemned blob. `unfinished`: some of its links were deleted, and then it was too late for more. */
type Outcome = 'deleted' | 'kept' | 'unfinished'

class Collection {
  readonly #objects: ObjectStorage
  readonly #lock: GcLock
  readonly #options: CollectionOptions
  readonly totals = { blobsKept: 0, blobsDeleted: 0, bytesFreed: 0, linksDeleted: 0 }

  constructor(objects: ObjectStorage, lock: GcLock, options: CollectionOptions) {
    this.#objects = objects
    this.#lock = lock
    this.#options = options
  }

  /** Those of a collection that died: this one holds the lock, so that none is anybody's now. */
  async liftOldVerdicts(): Promise<void> {
    await this.#forEach(condemnedPrefix, ({ key }) => this.#objects.delete(key))
  }

  /** Reads every manifest there is. One that is damaged ends the collection: what it names is not known. */
  async readManifests(): Promise<{ readonly uses: Uses; readonly manifestsRead: number }> {
    const uses = new Map<BlobDigest, Set<string>>()
    let manifestsRead = 0
    await this.#forEach(repositoriesPrefix, async ({ key }) => {
      const manifest = manifestOfKey(key)
      const stored = manifest === undefined ? undefined : await this.#objects.read(key)
      if (manifest === undefined || stored === undefined) return
      manifestsRead += 1
      const { mediaType, bytes } = decodeManifest(manifest.digest, stored)
      for (const { digest } of parseManifest(bytes, mediaType).parts) {
        const repositories = uses.get(digest) ?? new Set()
        uses.set(digest, repositories.add(manifest.repository))
      }
    })
    return { uses, manifestsRead }
  }

  /** Looks at every blob. */
  async sweep(uses: Uses): Promise<void> {
    await this.#forEach(blobsPrefix, async (blob) => {
      const digest = digestOfKey(blob.key)
      if (digest === undefined) return
      const users = uses.get(digest)
      const isKept = users !== undefined || !this.#isOld(blob)
      const isDeleted = await this.#judge(digest, blob, isKept, users ?? new Set())
      if (isDeleted) {
        this.totals.blobsDeleted += 1
        this.totals.bytesFreed += blob.sizeBytes
      } else this.totals.blobsKept += 1
    })
  }

  /** Deletes what is to go of a blob and its links. True when the blob itself went. */
  async #judge(digest: BlobDigest, blob: ObjectInfo, isKept: boolean, users: ReadonlySet<string>): Promise<boolean> {
    for (;;) {
      const links = await this.#links(digest)
      const idle = links.filter((link) => this.#isOld(link) && !users.has(repositoryOfLink(link.key) ?? ''))
      // As long as anybody holds it in whatever way, the blob stays.
      const isDoomed = !isKept && idle.length === links.length
      if (!isDoomed && idle.length === 0) return false
      if (this.#options.isDryRun) {
        this.totals.linksDeleted += idle.length
        return isDoomed
      }
      const outcome = await this.#execute(digest, blob, idle, isDoomed)
      if (outcome !== 'unfinished') return outcome === 'deleted'
      // The requests that waited for the verdict go on before there is another one.
      await sleep(releaseMs)
      this.#options.signal?.throwIfAborted()
    }
  }

  /** Condemns the blob and deletes while the verdict lasts. */
  async #execute(
    digest: BlobDigest,
    blob: ObjectInfo,
    idle: readonly ObjectInfo[],
    isDoomed: boolean,
  ): Promise<Outcome> {
    await this.#lock.check()
    const verdict = await Verdict.pass(this.#objects, digest, this.#options.now)
    try {
      const links = await this.#links(digest)
      const now = new Map(links.map((link) => [link.key, link.modifiedAt.getTime()]))
      const still = idle.filter(({ key, modifiedAt }) => now.get(key) === modifiedAt.getTime())
      const isLeft = isDoomed && still.length === links.length && (await this.#isUnchanged(blob))
      for (const [index, { key }] of still.entries()) {
        // Without any progress another attempt would end the same way: the next collection tries again.
        if (!(await verdict.delete(key))) return index === 0 ? 'kept' : 'unfinished'
        this.totals.linksDeleted += 1
      }
      if (!isLeft) return 'kept'
      if (await verdict.delete(blobKey(digest))) return 'deleted'
      return still.length === 0 ? 'kept' : 'unfinished'
    } finally {
      await verdict.lift()
    }
  }

  async #isUnchanged({ key, modifiedAt }: ObjectInfo): Promise<boolean> {
    return (await this.#objects.stat(key))?.modifiedAt.getTime() === modifiedAt.getTime()
  }

  async #links(digest: BlobDigest): Promise<readonly ObjectInfo[]> {
    const links: ObjectInfo[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await this.#objects.list(linksPrefix(digest), after === '' ? {} : { after })
      links.push(...page.objects)
      after = page.next
    }
    return links
  }

  #isOld({ modifiedAt }: ObjectInfo): boolean {
    return modifiedAt.getTime() <= this.#options.oldest
  }

  async #forEach(prefix: string, work: (object: ObjectInfo) => Promise<void>): Promise<void> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      this.#options.signal?.throwIfAborted()
      const page = await this.#objects.list(prefix, after === '' ? {} : { after })
      await forEachLimited(page.objects, concurrency, work)
      after = page.next
    }
  }
}

async function abortUploads({ uploads }: RegistryStorage, oldest: number, isDryRun: boolean): Promise<number> {
  let count = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await uploads.list(after === '' ? {} : { after })
    for (const { id, modifiedAt } of page.uploads) {
      if (modifiedAt.getTime() > oldest) continue
      count += 1
      if (!isDryRun) await uploads.abort(id)
    }
    after = page.next
  }
  return count
}
