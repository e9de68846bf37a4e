/** An engine inside another Node program. `docs/embedding.md` has a walk through it. */
import { type Logger, nullLogger } from '../base/index.ts'
import { engineConfig } from '../config/index.ts'
import { createEngine, type Engine } from './engine.ts'

const usualUmask = 0o022

/** Settings by the names that daemon.json has for them. */
export interface EngineSettings {
  /** Where images, containers and volumes are kept. One engine at a time may use it. */
  readonly 'data-root': string
  /** Where sockets and other short-lived files are kept; a short path, as sockets below it must fit into 107 bytes. */
  readonly 'exec-root': string
  /** Addresses to serve the Docker Engine API on (`unix://PATH`, `tcp://HOST:PORT`); none: it is not served. TCP
   *  without client certificates is refused on addresses other than loopback, as in berthd. */
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
 *  unless told otherwise. The umask is the program's own and stays as it is; the engine logs a warning for one that is not
 *  022. */
export async function openEngine(settings: EngineSettings, options: OpenEngineOptions = {}): Promise<Engine> {
  const { logger = nullLogger, trace } = options
  const config = engineConfig(settings)
  warnOfUmask(logger)
  const engine = await createEngine(config, { logger, ...(trace === undefined ? {} : { trace }) })
  try {
    if ((settings.hosts ?? []).length > 0) for (const address of config.hosts) await engine.listen(address)
  } catch (error) {
    await engine.close()
    throw error
  }
  return engine
}

/** The daemon sets its own umask. A library can't: the program's files have it as well. */
function warnOfUmask(logger: Logger): void {
  const umask = process.umask()
  if (umask === usualUmask) return
  logger.warn('the umask of this program is not 022: some files in containers get other modes than with Docker', {
    umask: umask.toString(8).padStart(3, '0'),
  })
}
