/** The log drivers, their options and what these mean. The local log is written for all drivers except `none`: `docker
 *  logs` reads it (Docker's "dual logging"), and other drivers forward it. As in Docker, `create` refuses unknown
 *  options and some bad values; the start refuses the rest.
 *  https://docs.docker.com/engine/logging/configure/ https://docs.docker.com/engine/logging/dual-logging/ */
import type { LogConfig } from '../api/index.ts'
import { BerthError, invalidArgument, notImplemented } from '../base/index.ts'
import { parseFluentdOptions } from './drivers/fluentd-options.ts'
import { openGelf } from './drivers/gelf-driver.ts'
import { parseGelfOptions } from './drivers/gelf-options.ts'
import { openJournald } from './drivers/journald-driver.ts'
import type { LogDriver, LogInfo, RetryPace } from './drivers/log-driver.ts'
import { flagOption, sizeOption } from './drivers/option-values.ts'
import { openSyslog } from './drivers/syslog-driver.ts'
import { checkSyslogOptions } from './drivers/syslog-options.ts'

type Options = Readonly<Record<string, string>>

/** What drivers need of the host. */
export interface LogHost {
  readonly journaldSocket: string
}

/** A driver that delivers to a server. */
interface ForwardingDriver {
  check(options: Options): void
  open(info: LogInfo, host: LogHost): Promise<LogDriver>
  pace(options: Options): RetryPace
}

const usualPace: RetryPace = { firstMs: 500, maxMs: 30_000, maxRetries: Number.POSITIVE_INFINITY }

const forwarding: Readonly<Record<string, ForwardingDriver>> = {
  fluentd: {
    check: parseFluentdOptions,
    // Imported only when it is used, because its encoder needs megabytes of memory.
    open: async (info) => (await import('./drivers/fluentd-driver.ts')).openFluentd(info),
    pace: (options) => parseFluentdOptions(options).pace,
  },
  gelf: { check: parseGelfOptions, open: openGelf, pace: (options) => parseGelfOptions(options).pace },
  journald: { check: () => {}, open: (info, host) => openJournald(info, host.journaldSocket), pace: () => usualPace },
  syslog: { check: checkSyslogOptions, open: openSyslog, pace: () => usualPace },
}

const attributeOptions = ['env', 'env-regex', 'labels', 'labels-regex', 'tag']
const fileOptions = ['compress', 'max-file', 'max-size']
const cacheOptions = ['cache-compress', 'cache-disabled', 'cache-max-file', 'cache-max-size']
const commonOptions = ['mode', 'max-buffer-size', ...cacheOptions]

const driverOptions: Readonly<Record<string, readonly string[]>> = {
  fluentd: [
    ...attributeOptions,
    ...['address', 'async', 'async-connect', 'async-reconnect-interval', 'buffer-limit', 'max-retries', 'read-timeout']
      .concat('request-ack', 'retry-wait', 'sub-second-precision', 'write-timeout')
      .map((name) => `fluentd-${name}`),
  ],
  gelf: [
    ...attributeOptions,
    ...['address', 'compression-level', 'compression-type', 'tcp-max-reconnect', 'tcp-reconnect-delay'].map(
      (name) => `gelf-${name}`,
    ),
  ],
  journald: attributeOptions,
  'json-file': [...attributeOptions, ...fileOptions],
  local: fileOptions,
  syslog: [
    ...attributeOptions,
    ...['address', 'facility', 'format', 'tls-ca-cert', 'tls-cert', 'tls-key', 'tls-skip-verify'].map(
      (name) => `syslog-${name}`,
    ),
  ],
}

/** The names of all drivers except `none`, in order. */
export const logDriverNames: readonly string[] = Object.keys(driverOptions)

/** Docker's drivers that Berth does not have. */
const unbuilt: readonly string[] = ['awslogs', 'gcplogs', 'splunk']

/** Checks the log settings of a create request. Throws `invalidArgument` with Docker's texts, and `notImplemented` for
 *  a driver of Docker's that Berth does not have. */
export function checkLogConfig({ Type, Config }: LogConfig): void {
  const driver = Type || 'json-file'
  const options = Config ?? {}
  if (driver === 'none') return
  if (unbuilt.includes(driver)) throw notImplemented(`log driver ${driver} is not implemented`)
  const known = driverOptions[driver]
  // Not `notFound`: clients would take that for a missing image and pull it.
  if (known === undefined) {
    throw invalidArgument(`error looking up logging plugin ${driver}: plugin "${driver}" not found`)
  }
  checkMode(options)
  checkCache(options)
  if (driver === 'gelf' && options['gelf-address'] === undefined) forwarding.gelf?.check(options)
  const unknown = Object.keys(options).find((name) => !known.includes(name) && !commonOptions.includes(name))
  if (unknown !== undefined) {
    const which = driver === 'local' ? 'log driver local' : `${driver} log driver`
    throw invalidArgument(`unknown log opt '${unknown}' for ${which}`)
  }
  forwarding[driver]?.check(options)
}

function checkMode(options: Options): void {
  const mode = options.mode ?? ''
  if (mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') {
    throw invalidArgument(`logger: logging mode not supported: ${mode}`)
  }
  const size = options['max-buffer-size']
  if (size === undefined) return
  if (mode !== 'non-blocking') {
    throw invalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  }
  try {
    sizeOption(size)
  } catch (cause) {
    throw invalidArgument(`error parsing option max-buffer-size: invalid size: '${size}'`, { cause })
  }
}

function checkCache(options: Options): void {
  const disabled = options['cache-disabled']
  if (disabled === undefined) return
  try {
    flagOption(disabled)
  } catch (cause) {
    throw invalidArgument(`invalid value for option cache-disabled: ${disabled}`, { cause })
  }
}

/** True when lines are sent to a server. */
export function isForwarded({ Type }: LogConfig): boolean {
  return (Type ?? '') in forwarding
}

/** True when `docker logs` works. */
export function isReadable({ Type, Config }: LogConfig): boolean {
  if (Type === 'none') return false
  const disabled = Config?.['cache-disabled']
  return disabled === undefined || !isForwarded({ Type }) || !flagOption(disabled)
}

/** Connects a container's driver. Throws `internal` with Docker's text. */
export async function openLogDriver(driver: string, info: LogInfo, host: LogHost): Promise<LogDriver> {
  const found = forwarding[driver]
  if (found === undefined) throw new BerthError('internal', `log driver ${driver} has no server`)
  return found.open(info, host)
}

/** True when a container starts without waiting for the server. */
export function connectsLater({ Type, Config }: LogConfig): boolean {
  return Type === 'fluentd' && parseFluentdOptions(Config ?? {}).async
}

/** How often a driver that lost its server tries again. */
export function retryPace({ Type, Config }: LogConfig): RetryPace {
  return forwarding[Type ?? '']?.pace(Config ?? {}) ?? usualPace
}

/** Limit of the bytes that wait for the server before lines are dropped; undefined: lines are never dropped. */
export function bufferLimit({ Config }: LogConfig): number | undefined {
  if (Config?.mode !== 'non-blocking') return undefined
  return sizeOption(Config['max-buffer-size'] ?? '1m')
}

/** Number of bytes to read ahead of the delivery; undefined for the default. */
export function readAheadLimit({ Type, Config }: LogConfig): number | undefined {
  return Type === 'fluentd' ? parseFluentdOptions(Config ?? {}).bufferBytes : undefined
}
