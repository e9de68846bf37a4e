/** The program `berthd`. Exit 1 with one line for a wrong configuration or a data root in use. */
import { rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { messageOf } from '../base/index.ts'
import { type DaemonConfig, daemonHelp, loadDaemonConfig } from '../config/index.ts'
import { createEngine, type Engine } from './engine.ts'
import { jsonLogger, type LogThreshold } from './json-logger.ts'
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
  let config: DaemonConfig
  try {
    config = loadDaemonConfig(args)
  } catch (error) {
    fail(error)
    return
  }
  if (config.validateOnly) {
    process.stdout.write('configuration OK\n')
    return
  }
  if (process.getuid?.() !== 0) {
    fail(new Error('berthd needs to run as root'))
    return
  }
  const threshold: LogThreshold = { level: config.logLevel }
  const logger = jsonLogger(threshold, (line) => process.stderr.write(line))
  let engine: Engine
  try {
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
    for (const address of config.hosts) await engine.listen(address)
  } catch (error) {
    fail(error)
    process.exit(1)
  }
  writeFileSync(config.pidfile, `${process.pid}\n`)
  logger.info('berthd is ready', { version: berthVersion, dataRoot: config.dataRoot })
  handleSignals(engine, config, threshold)
}

function handleSignals(engine: Engine, config: DaemonConfig, threshold: LogThreshold): void {
  const logger = jsonLogger(threshold, (line) => process.stderr.write(line))
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    logger.info('berthd stops')
    let code = 0
    try {
      await engine.close({ stopContainers: !config.liveRestore })
    } catch (error) {
      logger.error('stopping failed', { error })
      code = 1
    }
    rmSync(config.pidfile, { force: true })
    process.exit(code)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  process.on('SIGHUP', () => {
    try {
      threshold.level = loadDaemonConfig(args).logLevel
      logger.info('configuration reloaded')
    } catch (error) {
      logger.error('configuration not reloaded', { error: messageOf(error) })
    }
  })
}

function fail(error: unknown): void {
  process.stderr.write(`berthd: ${messageOf(error)}\n`)
  process.exitCode = 1
}
