/** The composition root: makes every part in order, from the kernel's doors up to the API, holds what was on disk
 *  against what runs, and takes all down again in reverse order. Order only, no logic of its own. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  attachUndoFailures,
  Background,
  DisposalStack,
  joinErrors,
  KeyedMutex,
  type Logger,
  newId,
} from '../base/index.ts'
import type { DaemonConfig, ListenAddress } from '../config/index.ts'
import {
  adoptContainers,
  type ContainerContext,
  ContainerIndex,
  ContainerPaths,
  containerLayers,
  containerService,
  Execs,
  finishRestore,
  joinedNetwork,
  LiveContainers,
  liveIds,
  nameServersOf,
  reserveLabels,
  stopForShutdown,
  validateResources,
} from '../containers/index.ts'
import { Leases, LocalContentStore } from '../content/index.ts'
import { EventBus } from '../events/index.ts'
import type { Endpoint } from '../http/index.ts'
import { checkStore, ImagePushes, Images } from '../images/index.ts'
import { EmbeddedDns, Networks } from '../network/index.ts'
import { Plugins } from '../plugins/index.ts'
import { ConmonRuntime, capabilitiesOfMask } from '../runtime/index.ts'
import { type Backends, createServer } from '../server/index.ts'
import { OverlaySnapshotter } from '../snapshots/index.ts'
import { ContainerTable, Database, LeaseTable, SnapshotTable } from '../store/index.ts'
import {
  detectCgroups,
  effectiveCapabilities,
  hostInfo,
  makePrivateDirectory,
  prepareCgroups,
  removeEmptyCgroup,
  type SelinuxPolicy,
} from '../sys/index.ts'
import { Volumes } from '../volumes/index.ts'
import { ApiExposure } from './api-exposure.ts'
import { BootProgress } from './boot-progress.ts'
import { openBuildService } from './build-service.ts'
import { containerSettings, refuseLayerSize } from './container-settings.ts'
import { measureDiskUsage } from './disk-usage.ts'
import { IdleMemory } from './idle-memory.ts'
import { containerImages, imageBackend, imageUse } from './image-backend.ts'
import { listenOn } from './listen-on.ts'
import { networkBackend } from './network-backend.ts'
import { registryBackend } from './registry-backend.ts'
import { RootAccess } from './root-access.ts'
import { takeLocks } from './root-locks.ts'
import { labelLayers, openSecurityModules } from './security-modules.ts'
import { settleData } from './settle-data.ts'
import { systemBackend } from './system-backend.ts'
import { layerMapping, openUserRemap, remappedConfig } from './user-remap.ts'
import { berthVersion } from './version.ts'
import { containerVolumes, volumeBackend } from './volume-backend.ts'

export interface EngineOptions {
  readonly logger: Logger
  /** Told the time of each step of a container start. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
  /** In place of what this host says of SELinux. */
  readonly selinux?: SelinuxPolicy
}

/** A running engine. */
export interface Engine {
  /** What the API calls, for embedders. */
  readonly backends: Backends
  /** Takes over settings that can change without a restart. Throws when they can't be had. */
  configure(config: DaemonConfig): Promise<void>
  /** Serves the API on one more address. Throws `invalidArgument` for TCP without client certificates on an address
   *  other than loopback, unless the configuration has `"tls": false` (or `"tls": true, "tlsverify": false`). */
  listen(address: ListenAddress): Promise<Endpoint>
  /** Stops serving and working. Containers run on, unless `stopContainers` is said; `removeNetwork` takes bridge and
   *  rules away as well. Everything is closed, whatever fails: then rejects with an AggregateError of the failures. One
   *  that takes too long, such as a container that does not die, is a failure. Called again, does nothing more. */
  close(options?: CloseOptions): Promise<void>
}

export interface CloseOptions {
  readonly stopContainers?: boolean
  readonly removeNetwork?: boolean
}

/** What interrupted pulls left is kept for a day; it is looked for now and then, as daemons run for months. */
const sweepIntervalMs = 6 * 60 * 60 * 1000

/** How long the closing of one part may take, in milliseconds; containers that are stopped have their own limit. */
const closeLimitMs = 30_000

/** Opens the engine on its data root. Throws `conflict` when another daemon has it. If it can't be opened, what was
 *  opened before is closed again. */
export async function createEngine(config: DaemonConfig, options: EngineOptions): Promise<Engine> {
  const stack = new DisposalStack({ logger: options.logger, limitMs: closeLimitMs })
  try {
    return await construct(config, options, stack)
  } catch (error) {
    attachUndoFailures(error, await stack.dispose())
    throw error
  }
}

async function construct(given: DaemonConfig, options: EngineOptions, stack: DisposalStack): Promise<Engine> {
  const { logger } = options
  const remap = await openUserRemap(given, logger)
  const config = remappedConfig(given, remap)
  // What may change under a running engine is read from here.
  const { version: cgroupVersion } = detectCgroups()
  const current = { config, settings: containerSettings(config) }
  let closing: CloseOptions | undefined
  using boot = new BootProgress(logger)
  boot.step('locks of the roots')
  const locks = await takeLocks([given, config])
  stack.add('locks of the roots', () => {
    for (const lock of locks) lock.release()
  })
  const access = RootAccess.close([given, config], remap)
  prepareCgroups(logger)
  // Gone with its last container; containers that run on keep it.
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
  stack.add('snapshots', () => snapshots.close())
  refuseLayerSize(config)
  const images = await openImages(config, { db, snapshots, events, logger, index })
  stack.add('images', () => images.close())
  boot.step('networks and volumes')
  const networks = await Networks.open({
    db,
    stateDir: join(config.execRoot, 'netns'),
    logger: logger.child({ component: 'network' }),
    config: config.network,
    instance: config.dataRoot,
    names: new EmbeddedDns(logger.child({ component: 'dns' })),
  })
  stack.add('networks', () => networks.close({ remove: closing?.removeNetwork === true }))
  const runtime = await ConmonRuntime.open({
    execRoot: config.execRoot,
    logger: logger.child({ component: 'runtime' }),
    runtimes: config.containers.runtimes,
    defaultRuntime: config.containers.defaultRuntime,
  })
  stack.add('runtime', () => runtime.close())
  const plugins = new Plugins({
    directories: config.plugins.directories,
    retryMs: config.plugins.timeoutSeconds * 1000,
    logger: logger.child({ component: 'plugins' }),
  })
  const volumes = await Volumes.open({
    root: join(config.dataRoot, 'volumes'),
    db,
    plugins,
    owner: remap?.root,
    logger: logger.child({ component: 'volumes' }),
  })
  stack.add('volumes', () => volumes.close())

  const background = new Background(logger)
  stack.add('background work', () => background.drain())
  const live = new LiveContainers()
  stack.add('live containers', () => live.close())
  const capabilities = capabilitiesOfMask(effectiveCapabilities())
  const host = hostInfo()
  const context: ContainerContext = {
    containers: index,
    live,
    locks: new KeyedMutex(),
    images: containerImages(images),
    snapshots,
    networks,
    volumes: containerVolumes(volumes, events),
    runtime,
    events,
    background,
    logger: logger.child({ component: 'containers' }),
    paths: new ContainerPaths(config.dataRoot, config.execRoot),
    get settings() {
      return current.settings
    },
    host: { cpus: host.cpus, capabilities: new Set(capabilities) },
    specHost: {
      cgroupVersion,
      arch: host.architecture,
      kernelRelease: host.kernelVersion,
      capabilities,
    },
    remap,
    ...(await openSecurityModules(config, options)),
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  }
  reserveLabels(context)
  await labelLayers(context.labels, join(config.dataRoot, 'snapshots'))
  for (const path of [context.paths.root, context.paths.bundles]) makePrivateDirectory(path, remap?.root.gid)
  boot.step('finding running containers')
  const adopted = await adoptContainers(context)
  const living = liveIds(context, adopted)
  boot.step('bridges, rules and ports')
  await networks.restore(living, (id) => nameServersOf(context, id))
  boot.step('mounts of volumes')
  await volumes.mounts.restore(living)
  boot.step('what ended meanwhile')
  await finishRestore(context, adopted)

  const { maxConcurrentUploads } = config.registries
  const pushes = new ImagePushes({ parts: images.parts, events, maxConcurrentUploads })
  const service = containerService(context)
  const imagesOfApi = imageBackend(images, pushes)
  boot.step('build cache')
  const builds = await openBuildService({
    db,
    images,
    imageBackend: imagesOfApi,
    pushes,
    events,
    snapshots,
    networks,
    runtime,
    specHost: context.specHost,
    remap,
    appArmor: context.appArmor,
    labels: context.labels,
    joinNetwork: (container) => joinedNetwork(context, container),
    checkLimits: (limits) => validateResources(limits, context.host),
    config: () => current.config,
    logger: logger.child({ component: 'build' }),
  })
  stack.add('builds', () => builds.close())
  // The cache of builds has said by now what it needs.
  const sweep = () => background.run('garbage collection', () => images.garbage.sweep())
  sweep()
  const sweeps = setInterval(sweep, sweepIntervalMs).unref()
  const ownId = engineId(config.dataRoot)
  const apiLogger = logger.child({ component: 'api' })
  const exposure = new ApiExposure({ events, logger: apiLogger, engineId: ownId, hostname: host.hostname })
  stack.add('garbage collection', () => clearInterval(sweeps))
  const backends: Backends = {
    containers: service,
    exec: execBackend(context),
    images: imagesOfApi,
    system: systemBackend({
      get config() {
        return current.config
      },
      context,
      engineId: ownId,
      exposureWarnings: () => exposure.warnings,
      imageCount: () => [...images.store.records()].length,
      volumePlugins: () => plugins.names('VolumeDriver'),
      diskUsage: (types) => measureDiskUsage({ images, volumes, containers: service, builds }, types),
      check: async (abort) => {
        const found = await checkStore({ ...images.parts, snapshots, containers: () => containerLayers(index) }, abort)
        return { ...found, Problems: [...found.Problems, ...access.problems()] }
      },
    }),
    networks: networkBackend(networks, service, events),
    volumes: volumeBackend(volumes, events, context),
    registries: registryBackend(images.parts.registries),
    builds,
  }
  const server = createServer({
    backends,
    logger: apiLogger,
    version: berthVersion,
    minApiVersion: config.minApiVersion,
    experimental: config.experimental,
    onAnswered: () => memory.touch(),
  })
  stack.addUnlimited('containers', async () => {
    if (closing?.stopContainers === true) await stopForShutdown(context, current.config.shutdownTimeoutSeconds)
  })
  stack.add('API server', () => server.close())
  return {
    backends,
    async configure(next) {
      await runtime.configure(next.containers)
      images.configure(imageSettings(next))
      pushes.configure(next.registries.maxConcurrentUploads)
      current.config = remappedConfig(next, remap)
      current.settings = containerSettings(current.config)
    },
    listen: (address) => listenOn({ server, config, access, exposure }, address),
    async close(options = {}) {
      closing ??= options
      const failures = await stack.dispose()
      if (failures.length > 0) throw joinErrors('the engine was not closed completely', failures)
    },
  }
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

function imageSettings({ registries }: DaemonConfig): Parameters<Images['configure']>[0] {
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

function execBackend(context: ContainerContext): Backends['exec'] {
  const execs = new Execs(context)
  return {
    create: (containerId, config) => execs.create(containerId, config),
    start: (execId, options) => execs.start(execId, options),
    inspect: async (execId) => execs.inspect(execId),
    resize: (execId, size) => execs.resize(execId, size),
  }
}

/** Made once per data root; a file that a crash left empty is made anew. */
function engineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id')
  const known = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  if (known !== '') return known
  const made = newId()
  writeFileSync(path, made, { mode: 0o600 })
  return made
}
