/** Third part of an engine's start: containers, whose records are compared with what runs. */
import { join } from 'node:path'
import { Background, KeyedMutex } from '../base/index.ts'
import {
  adoptContainers,
  type ContainerContext,
  ContainerPaths,
  containerImages,
  containerVolumes,
  finishRestore,
  hostClock,
  hostControlGroups,
  hostMounts,
  hostProcesses,
  hostTrees,
  LiveContainers,
  liveIds,
  nameServersOf,
  reserveLabels,
} from '../containers/index.ts'
import { capabilitiesOfMask } from '../runtime/index.ts'
import { detectCgroups, effectiveCapabilities, hostInfo, makePrivateDirectory } from '../sys/index.ts'
import type { DataParts } from './open-data.ts'
import type { HostParts } from './open-host-parts.ts'
import type { Opening } from './opening.ts'
import { labelLayers, openSecurityModules } from './security-modules.ts'

/** Adopts running containers with their networks and volumes, records which containers have ended, and starts those
 *  whose restart policy asks for it. */
export async function openContainers(opening: Opening, data: DataParts, host: HostParts): Promise<ContainerContext> {
  const { config, remap, boot } = opening
  const { networks, volumes } = host
  const context = await makeContext(opening, data, host)
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
  return context
}

async function makeContext(
  { options, config, current, remap, stack }: Opening,
  { index, events, snapshots, images }: DataParts,
  { networks, runtime, volumes }: HostParts,
): Promise<ContainerContext> {
  const { logger } = options
  const background = new Background(logger)
  stack.add('background work', () => background.drain())
  const live = new LiveContainers()
  stack.add('live containers', () => live.close())
  const capabilities = capabilitiesOfMask(effectiveCapabilities())
  const host = hostInfo()
  return {
    containers: index,
    live,
    locks: new KeyedMutex(),
    images: containerImages(images),
    snapshots,
    networks,
    volumes: containerVolumes(volumes, events),
    runtime,
    clock: hostClock,
    cgroups: hostControlGroups,
    mounts: hostMounts,
    trees: hostTrees,
    processes: hostProcesses,
    events,
    background,
    logger: logger.child({ component: 'containers' }),
    paths: new ContainerPaths(config.dataRoot, config.execRoot),
    get settings() {
      return current.settings
    },
    host: { cpus: host.cpus, capabilities: new Set(capabilities) },
    specHost: {
      cgroupVersion: detectCgroups().version,
      arch: host.architecture,
      kernelRelease: host.kernelVersion,
      capabilities,
    },
    remap,
    ...(await openSecurityModules(config, options)),
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  }
}
