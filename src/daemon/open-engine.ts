/** An engine inside another Node program; `docs/embedding.md` shows how to use it. */
import { type Logger, nullLogger } from '../base/index.ts'
import { engineConfig } from '../config/index.ts'
import { createEngine, type Engine } from './engine.ts'

const usualUmask = 0o022

/** Settings by their names in daemon.json. */
export interface EngineSettings {
  /** Directory for images, containers and volumes. Only one engine at a time may use it. */
  readonly 'data-root': string
  /** Directory for sockets and other files that do not survive a reboot. Its path must be short, because the paths of
   *  sockets below it may have at most 107 bytes. */
  readonly 'exec-root': string
  /** Addresses to serve the Docker Engine API on (`unix://PATH`, `tcp://HOST:PORT`). Empty or absent: the API is not
   *  served. As in berthd, TCP without client certificates is refused on addresses other than loopback. */
  readonly hosts?: readonly string[]
  readonly [key: string]: unknown
}

/** Options of an embedded engine that are no settings. */
export interface OpenEngineOptions {
  /** Absent: nothing is logged. */
  readonly logger?: Logger
  /** Called after each step of a container start with the step's time in milliseconds. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
}

/** Starts an engine in this process and serves its API on `hosts`. The engine adopts containers that an earlier engine
 *  on the same roots left running. The process must be root, and the call must come from the main thread. Rejects with
 *  `invalidArgument` for a wrong setting, and with `conflict` when another engine or daemon uses the roots. `close()`
 *  on the result leaves containers running unless its options say otherwise. The engine does not change the program's
 *  umask; if that is not 022, it logs a warning. */
export async function openEngine(settings: EngineSettings, options: OpenEngineOptions = {}): Promise<Engine> {
  const { logger = nullLogger, trace } = options
  const config = engineConfig(settings)
  warnOfUmask(logger)
  const engine = await createEngine(config, { logger, ...(trace === undefined ? {} : { trace }) })
  try {
    if ((settings.hosts ?? []).length > 0) await engine.listenAll(config.hosts)
  } catch (error) {
    await engine.close()
    throw error
  }
  return engine
}

/** Warns of another umask. The daemon sets its umask; a library must not, because the program's own files depend on it. */
function warnOfUmask(logger: Logger): void {
  const umask = process.umask()
  if (umask === usualUmask) return
  logger.warn('the umask of this program is not 022: some files in containers get other modes than with Docker', {
    umask: umask.toString(8).padStart(3, '0'),
  })
}
