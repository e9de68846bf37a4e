/** Options of the fluentd driver. https://docs.docker.com/engine/logging/drivers/fluentd/ */
import { invalidArgument } from '../../base/index.ts'
import type { StreamTarget } from './dial.ts'
import type { RetryPace } from './log-driver.ts'
import { countOption, durationOption, flagOption, sizeOption } from './option-values.ts'

type Options = Readonly<Record<string, string>>

/** The parsed options. */
export interface FluentdOptions {
  readonly target: StreamTarget
  /** Start the container even if the server can't be reached. */
  readonly async: boolean
  /** Number of bytes to read ahead; the rest waits in the log file. */
  readonly bufferBytes: number
  readonly pace: RetryPace
  /** Require the server to confirm each batch. */
  readonly requestAck: boolean
  /** Send times with nanoseconds. */
  readonly subSecond: boolean
  /** Limit for a write; 0 means none. */
  readonly writeTimeoutMs: number
  readonly readTimeoutMs: number
}

const defaultPort = 24224
const defaultRetryWaitMs = 1000
const maxRetryWaitMs = 60_000
const minReconnectMs = 100
const maxReconnectMs = 10_000

/** Parses the options. Throws `invalidArgument` with Docker's texts. */
export function parseFluentdOptions(options: Options): FluentdOptions {
  const value = (name: string) => options[`fluentd-${name}`] ?? ''
  const given = <T>(name: string, parse: (text: string) => T, fallback: T): T =>
    value(name) === '' ? fallback : parse(value(name))
  const async = given('async', flagOption, false)
  if (value('async-connect') !== '' && value('async') !== '') {
    throw invalidArgument("conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect'")
  }
  const reconnectMs = given('async-reconnect-interval', durationOption, 0)
  if (reconnectMs !== 0 && (reconnectMs < minReconnectMs || reconnectMs > maxReconnectMs)) {
    throw invalidArgument(
      'invalid fluentd-async-reconnect-interval: value (' +
        `${value('async-reconnect-interval')}) must be between 100ms and 10s`,
    )
  }
  const firstMs = given('retry-wait', durationOption, defaultRetryWaitMs)
  return {
    target: fluentdTarget(value('address')),
    async: async || given('async-connect', flagOption, false),
    bufferBytes: given('buffer-limit', sizeOption, 1024 ** 2),
    pace: {
      firstMs,
      maxMs: reconnectMs === 0 ? Math.max(firstMs, maxRetryWaitMs) : reconnectMs,
      maxRetries: given('max-retries', countOption, 0xffff_ffff),
    },
    requestAck: given('request-ack', flagOption, false),
    subSecond: given('sub-second-precision', flagOption, false),
    writeTimeoutMs: given('write-timeout', durationOption, 0),
    readTimeoutMs: given('read-timeout', durationOption, 0),
  }
}

/** Parses `host:port`, `tcp://host:port`, `tls://host:port` or `unix:///path`. */
function fluentdTarget(address: string): StreamTarget {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/s.exec(address) ?? []
  if (scheme === 'unix') {
    if (rest === '' || rest === '/') throw invalidArgument('path is empty')
    return { kind: 'unix', path: rest }
  }
  if (scheme !== 'tcp' && scheme !== 'tls') {
    throw invalidArgument(`invalid fluentd-address ${address}: unsupported scheme: '${scheme}'`)
  }
  const [, bracketed, plain = '', portText = String(defaultPort)] =
    /^(?:\[([^\]]+)\]|([^:/[\]]*))(?::([^:/]*))?\/*$/.exec(rest) ?? []
  if (bracketed === undefined && plain === '' && rest !== '' && !rest.startsWith(':')) {
    throw invalidArgument(`invalid fluentd-address ${address}: should not contain a path element`)
  }
  if (!/^\d+$/.test(portText) || Number(portText) > 65_535) {
    const why = /^\d+$/.test(portText) ? 'value out of range' : 'invalid syntax'
    throw invalidArgument(
      `invalid fluentd-address ${address}: invalid port: strconv.ParseUint: parsing ${JSON.stringify(portText)}: ${why}`,
    )
  }
  const place = { kind: 'tcp', host: bracketed ?? (plain || '127.0.0.1'), port: Number(portText) } as const
  return scheme === 'tls' ? { ...place, tls: {} } : place
}
