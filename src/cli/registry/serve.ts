/** `berth registry serve`. SIGTERM and SIGINT end it after the running requests; a second one ends it at once.
 *  SIGHUP reloads certificates, users and rules. */
import { type Logger, messageOf } from '../../base/index.ts'
import type { Command } from '../command/command.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { LineWriter } from './line-writer.ts'
import { configFlag, listenFlag, registryConfigOf, storageFlag } from './registry-flags.ts'
import { type LogStyle, registryLogger } from './registry-logger.ts'
import { ServedRegistry } from './served-registry.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [configFlag, listenFlag, storageFlag],
  async run(_context, flags) {
    const config = registryConfigOf(flags)
    const log = new LineWriter(2)
    const requests = new LineWriter(1)
    const style: LogStyle = { level: config.log.level, format: config.log.format }
    const logger = registryLogger(style, (line) => log.write(line))
    let registry: ServedRegistry | undefined
    let reloading = Promise.resolve()
    // Installed first, because SIGHUP would otherwise end the process. Reloads run one after the other.
    const onHangup = (): void => {
      reloading = reloading.then(async () => {
        if (registry !== undefined) await reload(registry, flags, logger, style)
      })
    }
    process.on('SIGHUP', onHangup)
    try {
      registry = await ServedRegistry.open(config, { logger, writeAccess: (line) => requests.write(line) })
    } catch (error) {
      // The log lines before the error help to understand it.
      await log.flush()
      throw error
    }
    logger.info('the registry is ready', { addresses: registry.urls.join(' ') })
    if (config.auth.kind === 'none' && config.listen.some(({ host }) => !isLoopback(host))) {
      logger.warn('everyone who can reach this registry may do everything (see auth in registry.yml)')
    }
    const signal = await firstEnd()
    logger.info('the registry ends', { signal })
    await registry.close()
    process.off('SIGHUP', onHangup)
    await Promise.all([log.flush(), requests.flush()])
    return 0
  },
}

async function reload(registry: ServedRegistry, flags: FlagValues, logger: Logger, style: LogStyle): Promise<void> {
  try {
    const config = registryConfigOf(flags)
    const kept = await registry.reload(config)
    style.level = config.log.level
    if (kept.length > 0) logger.warn('these settings change with a restart only', { settings: kept.join(' ') })
    logger.info('configuration reloaded')
  } catch (error) {
    logger.error('configuration not reloaded', { error: messageOf(error) })
  }
}

/** Resolves at the first signal to end. The second one then ends the process in the usual way. */
function firstEnd(): Promise<string> {
  return new Promise((resolve) => {
    const end = (signal: string): void => {
      process.off('SIGTERM', end)
      process.off('SIGINT', end)
      resolve(signal)
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
