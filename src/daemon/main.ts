/** The program `berthd`. It exits with 1 and one line on stderr if the configuration is wrong or the data root is in
 *  use. */
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { type Logger, messageOf } from '../base/index.ts'
import { ConfigSource, daemonHelp, type ListenAddress, takeServiceManagerEnvironment } from '../config/index.ts'
import { createEngine, type Engine } from './engine.ts'
import { jsonLogger, type LogThreshold } from './json-logger.ts'
import { checkAddress } from './listen-on.ts'
import { ServiceManager } from './service-manager.ts'
import { exitOnUncaughtErrors } from './uncaught-errors.ts'
import { berthVersion } from './version.ts'

const args = process.argv.slice(2)

if (args.includes('--help')) {
  process.stdout.write(daemonHelp())
} else if (args.includes('--version') || args.includes('-v')) {
  process.stdout.write(`Berth version ${berthVersion}\n`)
} else {
  await run()
}

async function run(): Promise<void> {
  let source: ConfigSource
  try {
    source = ConfigSource.open(args)
  } catch (error) {
    fail(error)
    return
  }
  const { config } = source
  if (config.validateOnly) {
    process.stdout.write('configuration OK\n')
    return
  }
  if (process.getuid?.() !== 0) {
    fail(new Error('berthd needs to run as root'))
    return
  }
  const manager = new ServiceManager(takeServiceManagerEnvironment())
  const threshold: LogThreshold = { level: config.logLevel }
  const write = (line: string) => process.stderr.write(line)
  const logger = jsonLogger(threshold, write)
  // The reason why the daemon ended is logged at every log level.
  exitOnUncaughtErrors(jsonLogger({ level: 'error' }, write))
  // Before anything that may take long, so that the log shows that the daemon runs although it does not serve yet.
  logger.info('berthd starts', { version: berthVersion, pid: process.pid, dataRoot: config.dataRoot })
  let engine: Engine
  let addresses: readonly ListenAddress[]
  try {
    // First, so that a daemon that may not listen changes nothing on the host.
    addresses = manager.resolve(config.hosts)
    for (const address of addresses) checkAddress(config, address)
    engine = await createEngine(config, {
      logger,
      ...(config.trace
        ? {
            trace: (container, step, ms) => {
              process.stderr.write(`trace ${container.slice(0, 12)} ${ms.toFixed(2).padStart(8)} ms  ${step}\n`)
            },
          }
        : {}),
    })
  } catch (error) {
    fail(error)
    process.exit(1)
  }
  // Before the first client is answered, because that client may read the pid file or send a signal at once.
  writePidfile(config.pidfile)
  handleSignals(engine, source, logger, threshold, manager)
  try {
    await engine.listenAll(addresses)
  } catch (error) {
    fail(error)
    rmSync(config.pidfile, { force: true })
    process.exit(1)
  }
  logger.info('berthd is ready', { version: berthVersion, dataRoot: config.dataRoot })
  await manager.notify('READY=1', logger)
}

/** Writes the pid file and sets its mode. A file that a killed daemon left has the mode of that daemon's umask, with
 *  which other users may be able to write to it. */
function writePidfile(path: string): void {
  writeFileSync(path, `${process.pid}\n`)
  if (statSync(path).isFile()) chmodSync(path, 0o644)
}

function handleSignals(
  engine: Engine,
  source: ConfigSource,
  logger: Logger,
  threshold: LogThreshold,
  manager: ServiceManager,
): void {
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    logger.info('berthd stops')
    await manager.notify('STOPPING=1', logger)
    let code = 0
    try {
      await engine.close({ stopContainers: !source.config.liveRestore })
    } catch (error) {
      logger.error('stopping failed', { error })
      code = 1
    }
    rmSync(source.config.pidfile, { force: true })
    process.exit(code)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  process.on('SIGHUP', () => void reload(engine, source, logger, threshold))
}

async function reload(engine: Engine, source: ConfigSource, logger: Logger, threshold: LogThreshold): Promise<void> {
  try {
    const kept = await source.reload((config) => engine.configure(config))
    threshold.level = source.config.logLevel
    if (kept.length > 0) logger.warn('these settings change with a restart only', { settings: kept.join(' ') })
    logger.info('configuration reloaded')
  } catch (error) {
    logger.error('configuration not reloaded', { error: messageOf(error) })
  }
}

function fail(error: unknown): void {
  process.stderr.write(`berthd: ${messageOf(error)}\n`)
  process.exitCode = 1
}
