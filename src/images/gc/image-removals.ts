/** Removes images for `rm` and `prune`: first records and names (remove-image.ts), then the files that nothing needs
 *  any more.
 *  If the daemon dies in between, files without a record remain; a sweep or the next prune removes them. */
import type { Filters, ImageDeleteItem, ImagesPruneResponse } from '../../api/index.ts'
import { type Background, isKind } from '../../base/index.ts'
import type { EventBus } from '../../events/index.ts'
import { type Digest, formatReference, parsePlatform } from '../../oci/index.ts'
import type { ImageRecord, ImageUse } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { prunableImages } from '../catalog/prune-images.ts'
import { ImageRemoval, type RemoveOptions } from '../catalog/remove-image.ts'
import type { ActivityGate } from './activity-gate.ts'
import type { ImageGarbage } from './collect-garbage.ts'

/** What a removal looks at and reports to. */
export interface ImageRemovalsOptions {
  readonly store: ImageStore
  readonly garbage: ImageGarbage
  readonly gate: ActivityGate
  readonly use: ImageUse
  readonly events: EventBus
  readonly background: Background
}

interface RemovedRecords {
  readonly items: readonly ImageDeleteItem[]
  readonly removed: readonly ImageRecord[]
}

const firstRetryMs = 100
const lastRetryMs = 10_000

/** Removes images with their files and publishes the events. */
export class ImageRemovals {
  readonly #options: ImageRemovalsOptions
  /** Removed images whose layers a container or work in progress still uses. */
  readonly #waiting = new Map<Digest, ImageRecord>()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: ImageRemovalsOptions) {
    this.#options = options
    const retry = () => {
      if (this.#waiting.size > 0) this.#retryLater(firstRetryMs)
    }
    options.gate.onRest(retry)
    options.events.subscribe(({ Type, Action }) => {
      if (Type === 'container' && Action === 'destroy') retry()
    })
  }

  /** Removes a name, and with its last name the image. If `platforms` (`os/arch[/variant]`) is not empty, removes only
   *  these images of a name that has several. The result lists what was removed, each layer after its image. Throws
   *  `notFound`, and `conflict` while containers or other names use the image. */
  async remove(
    name: string,
    { force, prune, platforms = [] }: Omit<RemoveOptions, 'platforms'> & { readonly platforms?: readonly string[] },
  ): Promise<readonly ImageDeleteItem[]> {
    const { items } = await this.#reclaim(
      this.#removeRecords(name, { force, prune, platforms: platforms.map(parsePlatform) }),
    )
    return items
  }

  /** Removes images without a tag (with `dangling=false`: images that no container uses), and all other unused data,
   *  including what interrupted pulls and loads left: a user who prunes wants the space. Throws `invalidArgument` for
   *  unknown filters. */
  async prune(filters: Filters): Promise<ImagesPruneResponse> {
    const { store, use, garbage, events } = this.#options
    const items: ImageDeleteItem[] = []
    let freedBytes = 0
    for (const id of prunableImages(store, use, filters)) {
      const names = store.names.of(id).map(({ reference }) => formatReference(reference))
      for (const name of names.length === 0 ? [id] : names) {
        const reclaimed = await this.#reclaim(this.#tryRemoveRecords(name))
        items.push(...reclaimed.items)
        freedBytes += reclaimed.freedBytes
      }
    }
    freedBytes += (await garbage.sweep({ unfinished: true })).freedBytes
    events.publish('image', 'prune', '', { reclaimed: String(freedBytes) })
    return { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: freedBytes }
  }

  /** Ends the retries. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  /** Removes a name. If a container or image needs it since it was listed, it stays. */
  #tryRemoveRecords(name: string): RemovedRecords {
    try {
      return this.#removeRecords(name, { force: false, prune: true })
    } catch (error) {
      if (isKind(error, 'conflict') || isKind(error, 'notFound')) return { items: [], removed: [] }
      throw error
    }
  }

  #removeRecords(name: string, options: RemoveOptions): RemovedRecords {
    const { store, use, events } = this.#options
    const removed: ImageRecord[] = []
    const removal = new ImageRemoval(store, use, {
      onUntag: (id) =>
        events.publish('image', 'untag', id, { ...store.findRecord(id)?.config.config?.Labels, name: id }),
      onDelete: (record) => {
        removed.push(record)
        events.publish('image', 'delete', record.id, { name: record.id })
      },
    })
    return { items: removal.remove(name, options), removed }
  }

  /** Removes the files, and lists each removed layer after its image. */
  async #reclaim({ items, removed }: RemovedRecords): Promise<{
    readonly items: readonly ImageDeleteItem[]
    readonly freedBytes: number
  }> {
    if (removed.length === 0) return { items, freedBytes: 0 }
    const { snapshots, freedBytes, isPostponed } = await this.#options.garbage.collectOf(removed)
    if (isPostponed) {
      for (const record of removed) this.#waiting.set(record.id, record)
      this.#retryLater(firstRetryMs)
    }
    return { items: withLayers(items, removed, snapshots), freedBytes }
  }

  /** Collects again later. The layer of a removed container is deleted after the answer and until then needs the
   *  image's layers. For a container that stays, the event of its own removal triggers the next try. */
  #retryLater(delayMs: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed || delayMs > lastRetryMs) return
    this.#timer = setTimeout(() => {
      this.#options.background.run('collect image garbage', async () => {
        const removed = [...this.#waiting.values()]
        const { isPostponed } = await this.#options.garbage.collectOf(removed)
        if (isPostponed) this.#retryLater(delayMs * 2)
        else for (const { id } of removed) this.#waiting.delete(id)
      })
    }, delayMs).unref()
  }
}

function withLayers(
  items: readonly ImageDeleteItem[],
  removed: readonly ImageRecord[],
  layers: readonly Digest[],
): ImageDeleteItem[] {
  const gone = new Set(layers)
  const last = new Map<Digest, Digest>()
  for (const { id, layers: own } of removed) for (const { chainId } of own) last.set(chainId, id)
  const layersOf = new Map(
    removed.map(({ id, layers: own }) => [
      id as string,
      own.map(({ chainId }) => chainId).filter((chainId) => gone.has(chainId) && last.get(chainId) === id),
    ]),
  )
  return items.flatMap((item) => {
    const own = (item.Deleted === undefined ? undefined : layersOf.get(item.Deleted)) ?? []
    return [item, ...own.toReversed().map((Deleted) => ({ Deleted }))]
  })
}
