/** First part of an engine's start: the content of its data root. */
import { join } from 'node:path'
import type { Logger } from '../base/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import { ContainerIndex, imageUse } from '../containers/index.ts'
import { Leases, LocalContentStore } from '../content/index.ts'
import { EventBus } from '../events/index.ts'
import { Images } from '../images/index.ts'
import { OverlaySnapshotter } from '../snapshots/index.ts'
import { ContainerTable, Database, LeaseTable, SnapshotTable } from '../store/index.ts'
import { prepareCgroups, removeEmptyCgroup } from '../sys/index.ts'
import { refuseLayerSize } from './container-settings.ts'
import { IdleMemory } from './idle-memory.ts'
import type { Opening } from './opening.ts'
import { RootAccess } from './roots/root-access.ts'
import { takeLocks } from './roots/root-locks.ts'
import { layerMapping } from './roots/user-remap.ts'
import { settleData } from './settle-data.ts'

/** The open parts of the data root. */
export interface DataParts {
  readonly db: Database
  /** Keeps other users of the host out of the roots. */
  readonly access: RootAccess
  readonly events: EventBus
  readonly memory: IdleMemory
  readonly index: ContainerIndex
  readonly snapshots: OverlaySnapshotter
  readonly images: Images
}

/** Locks the roots and opens database, layers and images. Rejects with `conflict` when another engine uses a root. */
export async function openData({ options, given, config, current, remap, boot, stack }: Opening): Promise<DataParts> {
  const { logger } = options
  boot.step('locks of the roots')
  const locks = await takeLocks([given, config])
  stack.add('locks of the roots', () => {
    for (const lock of locks) lock.release()
  })
  const access = RootAccess.close([given, config], remap)
  prepareCgroups(logger)
  // The group is removed if no container is in it. Containers that keep running keep it.
  stack.add('control group', () => removeEmptyCgroup(current.settings.cgroupParent))
  boot.step('database')
  const db = Database.open(join(config.dataRoot, 'berth.db'))
  stack.add('database', () => db.close())

  const events = new EventBus()
  const memory = new IdleMemory(logger)
  stack.add('idle memory', () => memory.close())
  events.subscribe(() => memory.touch())
  stack.add('settling of data', settleData(events, config.dataRoot, logger))
  boot.step('layers and images')
  const index = ContainerIndex.open(new ContainerTable(db), logger)
  const snapshots = await OverlaySnapshotter.open({
    root: join(config.dataRoot, 'snapshots'),
    table: new SnapshotTable(db),
    logger,
    ...layerMapping(config, remap),
  })
  stack.add('snapshots', () => snapshots[Symbol.asyncDispose]())
  refuseLayerSize(config)
  const images = await openImages(config, { db, snapshots, events, logger, index })
  stack.add('images', () => images.close())
  return { db, access, events, memory, index, snapshots, images }
}

interface ImagePartsOfEngine {
  readonly db: Database
  readonly snapshots: OverlaySnapshotter
  readonly events: EventBus
  readonly logger: Logger
  readonly index: ContainerIndex
}

async function openImages(config: DaemonConfig, parts: ImagePartsOfEngine): Promise<Images> {
  const contentRoot = join(config.dataRoot, 'content')
  const leases = new Leases(new LeaseTable(parts.db))
  leases.dropForeign()
  return Images.open({
    db: parts.db,
    content: await LocalContentStore.open(contentRoot),
    contentRoot,
    snapshots: parts.snapshots,
    leases,
    events: parts.events,
    use: imageUse(parts.index),
    logger: parts.logger.child({ component: 'images' }),
    ...imageSettings(config),
  })
}

/** The part of the configuration that images depend on. */
export function imageSettings({ registries }: DaemonConfig): Parameters<Images['configure']>[0] {
  return {
    registries: {
      insecureRegistries: registries.insecure,
      mirrors: registries.mirrors,
      certificateDirectories: registries.certificateDirectories,
      proxies: registries.proxies,
    },
    maxConcurrentDownloads: registries.maxConcurrentDownloads,
  }
}
