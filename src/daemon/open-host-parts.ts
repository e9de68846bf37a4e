/** Second part of an engine's start: networks, runtime and volumes. */
import { join } from 'node:path'
import { EmbeddedDns, Networks } from '../network/index.ts'
import { Plugins } from '../plugins/index.ts'
import { ConmonRuntime } from '../runtime/index.ts'
import type { Database } from '../store/index.ts'
import { Volumes } from '../volumes/index.ts'
import type { Opening } from './opening.ts'

export interface HostParts {
  readonly networks: Networks
  readonly runtime: ConmonRuntime
  readonly plugins: Plugins
  readonly volumes: Volumes
}

/** Opens networks, runtime and volumes. What running containers use of them is restored later. */
export async function openHostParts(opening: Opening, db: Database): Promise<HostParts> {
  const { options, config, remap, boot, stack, closing } = opening
  const { logger } = options
  boot.step('networks and volumes')
  const networks = await Networks.open({
    db,
    stateDir: join(config.execRoot, 'netns'),
    logger: logger.child({ component: 'network' }),
    config: config.network,
    instance: config.dataRoot,
    names: new EmbeddedDns(logger.child({ component: 'dns' })),
  })
  stack.add('networks', () => networks.close({ remove: closing()?.removeNetwork === true }))
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
  return { networks, runtime, plugins, volumes }
}
