/** The builder's part of an engine's start. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { KeyedMutex, type Logger } from '../base/index.ts'
import {
  BuildCache,
  type BuildParts,
  BuildService,
  basePull,
  type CachePolicy,
  clearBuildRemains,
  FileWorkers,
  ImageExporter,
  openView,
} from '../build/index.ts'
import type { DaemonConfig, SpaceLimit, UserRemap } from '../config/index.ts'
import { deviceTargets, lookUpDevices, withDevices } from '../containers/index.ts'
import type { EventBus } from '../events/index.ts'
import type { ImagePushes, Images } from '../images/index.ts'
import type { Networks } from '../network/index.ts'
import type { AppArmor, ConmonRuntime, SelinuxLabels, SpecHost } from '../runtime/index.ts'
import { type Snapshotter, Trash } from '../snapshots/index.ts'
import { BuildCacheTable, type Database } from '../store/index.ts'
import { makePrivateDirectory } from '../sys/index.ts'
import { diskUsage } from '../volumes/index.ts'
import { containerSettings } from './container-settings.ts'
import { berthVersion } from './version.ts'

export interface BuildWiring {
  readonly db: Database
  readonly images: Images
  readonly pushes: ImagePushes
  readonly events: EventBus
  readonly snapshots: Snapshotter
  readonly networks: Networks
  readonly runtime: ConmonRuntime
  readonly specHost: SpecHost
  /** Throws `noSpace` if the disk is full. */
  readonly requireRoom: () => void
  readonly config: () => DaemonConfig
  readonly remap: UserRemap | undefined
  readonly joinNetwork: BuildParts['joinNetwork']
  readonly checkLimits: BuildParts['checkLimits']
  readonly appArmor: AppArmor | undefined
  readonly labels: SelinuxLabels | undefined
  readonly logger: Logger
}

/** Opens the builder and removes what interrupted builds left. Containers must be restored before: what no container
 *  uses then was left by a build. */
export async function openBuilds(wiring: BuildWiring): Promise<BuildService> {
  const { images, snapshots, networks, runtime, specHost, logger } = wiring
  const directory = join(wiring.config().dataRoot, 'build')
  const passingGroup = wiring.remap?.root.gid
  makePrivateDirectory(directory, passingGroup)
  const cache = BuildCache.open({ table: new BuildCacheTable(wiring.db), images: images.parts, snapshots, logger })
  const trash = Trash.open(join(directory, 'trash'), logger)
  await clearBuildRemains({ snapshots, directory, cache, trash }, passingGroup)
  const parts: BuildParts = {
    images: images.parts,
    snapshots,
    runtime,
    networks,
    specHost,
    appArmor: wiring.appArmor,
    labels: wiring.labels,
    get settings() {
      return { ...buildSettings(wiring.config()), remap: wiring.remap }
    },
    cache,
    workers: new FileWorkers(),
    stepLocks: new KeyedMutex(),
    mountLocks: new KeyedMutex(),
    pull: basePull(wiring.images),
    joinNetwork: wiring.joinNetwork,
    devices: buildDevices(() => wiring.config().containers.cdiSpecDirs),
    checkLimits: wiring.checkLimits,
    directory,
    trash,
    logger,
  }
  const exporter = new ImageExporter(
    {
      images: images.parts,
      pushes: wiring.pushes,
      events: wiring.events,
      openView: (chainId) => openView(parts, chainId),
    },
    { version: berthVersion },
  )
  return new BuildService({
    parts,
    exporter,
    policy: () => cachePolicy(wiring.config()),
    measure: (path) => diskUsage(path),
    requireRoom: wiring.requireRoom,
    onPrune: (bytes) => wiring.events.publish('builder', 'prune', '', { reclaimed: String(bytes) }),
  })
}

function buildDevices(directories: () => readonly string[]): BuildParts['devices'] {
  return {
    find: (asked) => lookUpDevices(asked, directories()),
    targets: (names) => deviceTargets(names, directories()),
    give: (spec, names) => withDevices(spec, names, directories()),
  }
}

function buildSettings(config: DaemonConfig): Omit<BuildParts['settings'], 'remap'> {
  const settings = containerSettings(config)
  return {
    ...settings,
    rlimits: settings.ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft, hard })),
  }
}

function cachePolicy({ builder, dataRoot }: DaemonConfig): CachePolicy {
  const { blocks, bsize } = statfsSync(dataRoot)
  const bytesOf = (limit: SpaceLimit | undefined) =>
    limit === undefined ? undefined : 'bytes' in limit ? limit.bytes : Math.floor(limit.share * blocks * bsize)
  return {
    enabled: builder.gc.enabled,
    rules: builder.gc.rules.map(({ all, filters, reservedSpace, maxUsedSpace, minFreeSpace }) => ({
      all,
      filters,
      reservedBytes: bytesOf(reservedSpace),
      maxUsedBytes: bytesOf(maxUsedSpace),
      minFreeBytes: bytesOf(minFreeSpace),
    })),
  }
}
