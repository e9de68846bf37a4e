/** An engine inside another Node program. `docs/embedding.md` has a walk through it. */
import { type Logger, nullLogger } from '../base/index.ts'
import { engineConfig } from '../config/index.ts'
import { createEngine, type Engine } from './engine.ts'

/** Settings by the names that daemon.json has for them. */
export interface EngineSettings {
  /** Where images, containers and volumes are kept. One engine at a time may use it. */
  readonly 'data-root': string
  /** Where sockets and other short-lived files are kept; a short path, as sockets below it must fit into 107 bytes. */
  readonly 'exec-root': string
  /** Addresses to serve the Docker Engine API on (`unix://PATH`, `tcp://HOST:PORT`); none: it is not served. */
  readonly hosts?: readonly string[]
  readonly [key: string]: unknown
}

export interface OpenEngineOptions {
  readonly logger?: Logger
  /** Told the time of each step of a container start, in milliseconds. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
}

/** Starts an engine in this process and serves its API on `hosts`. Containers that an engine on the same roots left
 *  running are taken over. Needs root, and must be called on the main thread. Throws `invalidArgument` for a wrong
 *  setting, `conflict` when another engine or daemon has the roots. `close()` on the result leaves containers running
 *  unless told otherwise. */
export async function openEngine(settings: EngineSettings, options: OpenEngineOptions = {}): Promise<Engine> {
  const { logger = nullLogger, trace } = options
  const config = engineConfig(settings)
  const engine = await createEngine(config, { logger, ...(trace === undefined ? {} : { trace }) })
  try {
    if ((settings.hosts ?? []).length > 0) for (const address of config.hosts) await engine.listen(address)
  } catch (error) {
    await engine.close()
    throw error
  }
  return engine
}
