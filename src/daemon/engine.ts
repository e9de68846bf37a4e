/** The composition root. It opens every part in order, from the data root up to the API, compares the records with what
 *  runs, and closes the parts in reverse order. It decides the order and nothing else. */
import { hostname } from 'node:os'
import { attachUndoFailures, DisposalStack, joinErrors } from '../base/index.ts'
import type { DaemonConfig, ListenAddress } from '../config/index.ts'
import { stopForShutdown } from '../containers/index.ts'
import type { Backends } from '../contract/index.ts'
import type { Endpoint } from '../http/index.ts'
import { createServer } from '../server/index.ts'
import { ApiExposure } from './api-exposure.ts'
import { BootProgress } from './boot-progress.ts'
import { containerSettings } from './container-settings.ts'
import { listenOn } from './listen-on.ts'
import { openBackends } from './open-backends.ts'
import { openContainers } from './open-containers.ts'
import { imageSettings, openData } from './open-data.ts'
import { openHostParts } from './open-host-parts.ts'
import type { CloseOptions, EngineOptions, Opening } from './opening.ts'
import { engineId } from './roots/engine-id.ts'
import { openUserRemap, remappedConfig } from './roots/user-remap.ts'
import { berthVersion } from './version.ts'

/** A running engine. */
export interface Engine {
  /** The functions that the API server calls, for programs that embed the engine. */
  readonly backends: Backends
  /** Applies the settings that can change without a restart; the others are ignored. Rejects when a setting can't be
   *  applied. */
  configure(config: DaemonConfig): Promise<void>
  /** Serves the API on one more address. Throws `invalidArgument` for TCP without client certificates on an address
   *  other than loopback, unless the configuration has `"tls": false` (or `"tls": true, "tlsverify": false`). */
  listen(address: ListenAddress): Promise<Endpoint>
  /** Serves the API on several addresses. No request is answered before all of them accept connections, so an answer on
   *  one means that the others are ready too. Throws what `listen` throws. */
  listenAll(addresses: readonly ListenAddress[]): Promise<void>
  /** Stops serving and closes all parts. Containers keep running unless `stopContainers` is set; `removeNetwork` also
   *  removes the bridges and the firewall's rules. Every part is closed, also after failures; then this rejects with an
   *  AggregateError of the failures. A part that takes too long to close, such as a container that does not die, counts
   *  as a failure. A second call has no effect. */
  close(options?: CloseOptions): Promise<void>
}

/** How long one part may take to close, in milliseconds. Stopping containers has its own limit. */
const closeLimitMs = 30_000

/** Opens the engine on its data root. Rejects with `conflict` when another daemon uses the root. After any failure, the
 *  parts that were open are closed again. */
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
  const current = { config, settings: containerSettings(config) }
  let closing: CloseOptions | undefined
  using boot = new BootProgress(logger)
  const opening: Opening = { options, given, config, current, remap, boot, stack, closing: () => closing }
  const data = await openData(opening)
  const host = await openHostParts(opening, data.db)
  const context = await openContainers(opening, data, host)
  const apiLogger = logger.child({ component: 'api' })
  const ownId = engineId(config.dataRoot)
  const exposure = new ApiExposure({ events: data.events, logger: apiLogger, engineId: ownId, hostname: hostname() })
  const { backends, pushes } = await openBackends(opening, { ...data, exposure, engineId: ownId }, host, context)
  const server = createServer({
    backends,
    logger: apiLogger,
    version: berthVersion,
    minApiVersion: config.minApiVersion,
    experimental: config.experimental,
    onAnswered: () => data.memory.touch(),
  })
  stack.addUnlimited('containers', async () => {
    if (closing?.stopContainers === true) await stopForShutdown(context, current.config.shutdownTimeoutSeconds)
  })
  stack.add('API server', () => server.close())
  const serve = (address: ListenAddress) => listenOn({ server, config, access: data.access, exposure }, address)
  return {
    backends,
    async configure(next) {
      await host.runtime.configure(next.containers)
      data.images.configure(imageSettings(next))
      pushes.configure(next.registries.maxConcurrentUploads)
      current.config = remappedConfig(next, remap)
      current.settings = containerSettings(current.config)
    },
    listen: serve,
    async listenAll(addresses) {
      using _ = server.hold()
      for (const address of addresses) await serve(address)
    },
    async close(options = {}) {
      closing ??= options
      const failures = await stack.dispose()
      if (failures.length > 0) throw joinErrors('the engine was not closed completely', failures)
    },
  }
}
