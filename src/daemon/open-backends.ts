/** Last part of an engine's start: the functions that the API server calls. */
import {
  type ContainerContext,
  containerService,
  Execs,
  joinedNetwork,
  networkMembers,
  validateResources,
  volumeArchives,
} from '../containers/index.ts'
import type { Backends } from '../contract/index.ts'
import { ImagePushes, imageService, registryService } from '../images/index.ts'
import { missingFeatures, networkService } from '../network/index.ts'
import { systemService } from '../system/index.ts'
import { volumeService } from '../volumes/index.ts'
import type { ApiExposure } from './api-exposure.ts'
import { requireRoom, roomyContainers, roomyImages } from './disk-room.ts'
import { openBuilds } from './open-builds.ts'
import type { DataParts } from './open-data.ts'
import type { HostParts } from './open-host-parts.ts'
import type { Opening } from './opening.ts'
import { berthVersion } from './version.ts'

/** How often remains of interrupted pulls, which are kept for a day, are looked for. */
const sweepIntervalMs = 6 * 60 * 60 * 1000

/** What the backends need beside the parts of the host and the containers. */
export interface BackendParts extends DataParts {
  readonly exposure: ApiExposure
  readonly engineId: string
}

/** Opens the builder, starts garbage collection, and makes the backends. Containers must be restored before. */
export async function openBackends(
  { options, config, current, remap, boot, stack }: Opening,
  { db, events, snapshots, images, access, exposure, engineId }: BackendParts,
  { networks, runtime, plugins, volumes }: HostParts,
  context: ContainerContext,
): Promise<{ readonly backends: Backends; readonly pushes: ImagePushes }> {
  const { logger } = options
  const { background } = context
  const { maxConcurrentUploads } = config.registries
  const pushes = new ImagePushes({ parts: images.parts, events, maxConcurrentUploads })
  const containers = roomyContainers(containerService(context), config.dataRoot)
  boot.step('build cache')
  const builds = await openBuilds({
    db,
    images,
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
    requireRoom: () => requireRoom(config.dataRoot),
    config: () => current.config,
    logger: logger.child({ component: 'build' }),
  })
  stack.add('builds', () => builds.close())
  // The build cache is open, so its lease protects what it needs.
  const sweep = () => background.run('garbage collection', () => images.garbage.sweep())
  sweep()
  const sweeps = setInterval(sweep, sweepIntervalMs).unref()
  stack.add('garbage collection', () => clearInterval(sweeps))
  const backends: Backends = {
    containers,
    exec: new Execs(context),
    images: roomyImages(imageService(images, pushes), config.dataRoot),
    system: systemService({
      get config() {
        return current.config
      },
      version: berthVersion,
      engineId,
      context,
      images,
      volumes,
      containers,
      builds,
      snapshots,
      volumePlugins: () => plugins.names('VolumeDriver'),
      exposureWarnings: () => exposure.warnings,
      accessProblems: () => access.problems(),
      missingFeatures,
    }),
    networks: networkService(networks, networkMembers(context), events),
    volumes: volumeService(volumes, volumeArchives(context), events),
    registries: registryService(images.parts.registries),
    builds,
  }
  return { backends, pushes }
}
