/** Deletes blobs that no manifest of any repository names, links without a manifest in their repository, and abandoned
 *  uploads, while pushes, mounts and deletions go on in any number of processes.
 *
 *  Blobs and links younger than the grace period stay, so that the blobs of a push stay until its manifest arrives. An
 *  old blob that is being used again is protected by the protocol of condemned.ts. If the process dies halfway, it
 *  leaves at most a verdict, which the next collection or a waiting request lifts. */
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
  /** Delete nothing; only report what would be deleted. */
  readonly isDryRun?: boolean | undefined
  /** The grace period of blobs and links. */
  readonly graceMs: number
  /** Uploads without new bytes for this time are dropped. */
  readonly uploadMaxAgeMs: number
  /** Gives the milliseconds of a monotonic clock. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined
}

const concurrency = 8

/** The repositories whose manifests name a blob. */
type Uses = ReadonlyMap<BlobDigest, ReadonlySet<string>>

/** Runs one collection and gives its report. Rejects with `conflict` if another one is running, with `dataLoss` if a
 *  manifest is damaged. */
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
  /** Objects that were written after this time (ms) stay. */
  readonly oldest: number
  readonly now: () => number
}

/** The result for a condemned blob. `unfinished`: some of its links were deleted before the verdict became too old. */
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

  /** Lifts the verdicts of a collection that died. This collection holds the lock, so no other one has verdicts now. */
  async liftOldVerdicts(): Promise<void> {
    await this.#forEach(condemnedPrefix, ({ key }) => this.#objects.delete(key))
  }

  /** Reads all manifests. A damaged one ends the collection, because the blobs that it names are unknown. */
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

  /** Checks every blob. */
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

  /** Deletes a blob and its links as far as they are unused. True if the blob itself was deleted. */
  async #judge(digest: BlobDigest, blob: ObjectInfo, isKept: boolean, users: ReadonlySet<string>): Promise<boolean> {
    for (;;) {
      const links = await this.#links(digest)
      const idle = links.filter((link) => this.#isOld(link) && !users.has(repositoryOfLink(link.key) ?? ''))
      // The blob stays as long as it has a link or mark that is in use.
      const isDoomed = !isKept && idle.length === links.length
      if (!isDoomed && idle.length === 0) return false
      if (this.#options.isDryRun) {
        this.totals.linksDeleted += idle.length
        return isDoomed
      }
      const outcome = await this.#execute(digest, blob, idle, isDoomed)
      if (outcome !== 'unfinished') return outcome === 'deleted'
      // Let the waiting requests go on before the next verdict.
      await sleep(releaseMs)
      this.#options.signal?.throwIfAborted()
    }
  }

  /** Condemns the blob, and deletes as long as the verdict lasts. */
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
        // Without progress, another attempt would end the same way. The next collection tries again.
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
