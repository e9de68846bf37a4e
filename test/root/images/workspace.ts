/** The parts of the engine for images on temporary directories, connected as in the daemon. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ProgressMessage } from '../../../src/api/index.ts'
import { type Logger, nullLogger } from '../../../src/base/index.ts'
import { Leases, LocalContentStore } from '../../../src/content/index.ts'
import { EventBus } from '../../../src/events/index.ts'
import { Images, type ImageUser } from '../../../src/images/index.ts'
import type { RegistryClientOptions } from '../../../src/registry/client/index.ts'
import { OverlaySnapshotter } from '../../../src/snapshots/index.ts'
import { Database, LeaseTable, SnapshotTable } from '../../../src/store/index.ts'
import { streamOf } from '../../helpers/images/archives.ts'

export const skip = process.env.BERTH_TEST_ROOT === '1' ? false : 'needs root: BERTH_TEST_ROOT=1'

export interface WorkspaceOptions {
  /** Opens an earlier workspace's directory, which is not removed at the end. */
  readonly root?: string
  readonly registries?: RegistryClientOptions
  readonly logger?: Logger
}

/** An image store in a temporary directory; removed when disposed. */
export class ImageWorkspace implements AsyncDisposable {
  readonly root: string
  readonly images: Images
  readonly content: LocalContentStore
  readonly snapshots: OverlaySnapshotter
  readonly events: EventBus
  readonly users: Map<string, ImageUser[]>
  readonly #db: Database
  readonly #keep: boolean

  private constructor(parts: {
    root: string
    images: Images
    content: LocalContentStore
    snapshots: OverlaySnapshotter
    events: EventBus
    users: Map<string, ImageUser[]>
    db: Database
    keep: boolean
  }) {
    this.root = parts.root
    this.images = parts.images
    this.content = parts.content
    this.snapshots = parts.snapshots
    this.events = parts.events
    this.users = parts.users
    this.#db = parts.db
    this.#keep = parts.keep
  }

  static async open(options: WorkspaceOptions = {}): Promise<ImageWorkspace> {
    const root = options.root ?? mkdtempSync('/tmp/b-im-')
    const logger = options.logger ?? nullLogger
    const db = Database.open(join(root, 'berth.db'))
    const contentRoot = join(root, 'content')
    const content = await LocalContentStore.open(contentRoot)
    const table = new SnapshotTable(db)
    const snapshots = await OverlaySnapshotter.open({ root: join(root, 'snapshots'), table, logger })
    const leases = new Leases(new LeaseTable(db))
    leases.dropForeign()
    const events = new EventBus()
    const users = new Map<string, ImageUser[]>()
    const images = await Images.open({
      db,
      content,
      contentRoot,
      snapshots,
      leases,
      events,
      use: { containersUsing: (id) => users.get(id) ?? [] },
      logger,
      ...(options.registries === undefined ? {} : { registries: options.registries }),
    })
    return new ImageWorkspace({
      root,
      images,
      content,
      snapshots,
      events,
      users,
      db,
      keep: options.root !== undefined,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.images.close()
    await this.snapshots[Symbol.asyncDispose]()
    this.#db.close()
    if (!this.#keep) rmSync(this.root, { recursive: true, force: true })
  }
}

/** Loads an archive; returns what the client is shown. */
export async function load(ws: ImageWorkspace, archive: Buffer): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = []
  await ws.images.load(streamOf(archive), { quiet: true, onProgress: (message) => messages.push(message) })
  return messages
}

/** The digests of all blobs, sorted. */
export async function blobs(ws: ImageWorkspace): Promise<string[]> {
  const found: string[] = []
  for await (const { digest } of ws.content.walk()) found.push(digest)
  return found.sort()
}

/** The keys of all snapshots. */
export async function snapshots(ws: ImageWorkspace): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of ws.snapshots.walk()) found.push(key)
  return found
}
