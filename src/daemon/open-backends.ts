/** Last part of an engine's start: what the API calls. */
import {
  type ContainerContext,
  containerLayers,
  containerService,
  Execs,
  joinedNetwork,
  validateResources,
} from '../containers/index.ts'
import { checkStore, ImagePushes } from '../images/index.ts'
import type { Backends } from '../server/index.ts'
import type { ApiExposure } from './api-exposure.ts'
import { openBuildService } from './build-service.ts'
import { measureDiskUsage } from './disk-usage.ts'
import { imageBackend } from './image-backend.ts'
import { networkBackend } from './network-backend.ts'
import type { DataParts } from './open-data.ts'
import type { HostParts } from './open-host-parts.ts'
import type { Opening } from './opening.ts'
import { registryBackend } from './registry-backend.ts'
import { systemBackend } from './system-backend.ts'
import { volumeBackend } from './volume-backend.ts'

/** What interrupted pulls left is kept for a day; it is looked for now and then, as daemons run for months. */
const sweepIntervalMs = 6 * 60 * 60 * 1000

/** What the backends are made of beside the parts of host and containers. */
export interface BackendParts extends DataParts {
  readonly exposure: ApiExposure
  readonly engineId: string
}

/** Opens the builder, begins to collect garbage, and makes the backends. Containers must be restored. */
export async function openBackends(
  { options, config, current, remap, boot, stack }: Opening,
  { db, events, index, snapshots, images, access, exposure, engineId }: BackendParts,
  { networks, runtime, plugins, volumes }: HostParts,
  context: ContainerContext,
): Promise<{ readonly backends: Backends; readonly pushes: ImagePushes }> {
  const { logger } = options
  const { background } = context
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
      engineId,
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
  return { backends, pushes }
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
