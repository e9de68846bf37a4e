/** Options of the gelf driver. https://docs.docker.com/engine/logging/drivers/gelf/ */
import { invalidArgument } from '../../base/index.ts'
import type { RetryPace } from './log-driver.ts'

type Options = Readonly<Record<string, string>>

/** The compressions of GELF messages. */
export type GelfCompression = 'gzip' | 'zlib' | 'none'

/** The parsed options. */
export interface GelfOptions {
  readonly protocol: 'udp' | 'tcp'
  readonly host: string
  readonly port: number
  readonly compression: GelfCompression
  /** Compression level: -1 (the library's default) to 9. */
  readonly level: number
  readonly pace: RetryPace
}

const defaultLevel = 1
const defaultMaxReconnect = 3
const defaultDelayMs = 1000
const maxDelayMs = 30_000

/** Parses the options. Throws `invalidArgument` with Docker's texts. */
export function parseGelfOptions(options: Options): GelfOptions {
  const address = options['gelf-address'] ?? ''
  if (address === '') throw invalidArgument('gelf-address is a required parameter')
  const [, protocol, rest = ''] = /^(udp|tcp):\/\/(.*)$/s.exec(address) ?? []
  if (protocol !== 'udp' && protocol !== 'tcp') {
    throw invalidArgument(`gelf-address should be in form proto://address, got ${address}`)
  }
  const [, bracketed, plain, portText = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(portText) > 65_535) {
    throw invalidArgument('gelf: please provide gelf-address as proto://host:port')
  }
  if (protocol === 'tcp')
    refuse(options, ['compression-type', 'compression-level'], 'compression is only supported on UDP')
  else {
    for (const name of ['tcp-max-reconnect', 'tcp-reconnect-delay']) {
      refuse(options, [name], `"gelf-${name}" is only valid for TCP`)
    }
  }
  const delayMs = positive(options, 'gelf-tcp-reconnect-delay', defaultDelayMs / 1000) * 1000
  return {
    protocol,
    host,
    port: Number(portText),
    compression: compressionOf(options),
    level: levelOf(options),
    pace: {
      firstMs: delayMs,
      maxMs: Math.max(delayMs, maxDelayMs),
      maxRetries: positive(options, 'gelf-tcp-max-reconnect', defaultMaxReconnect),
    },
  }
}

function refuse(options: Options, names: readonly string[], message: string): void {
  if (names.some((name) => options[`gelf-${name}`] !== undefined)) throw invalidArgument(message)
}

function compressionOf(options: Options): GelfCompression {
  const type = options['gelf-compression-type'] ?? 'gzip'
  if (type === 'gzip' || type === 'zlib' || type === 'none') return type
  throw unknownValue('gelf-compression-type', type)
}

function levelOf(options: Options): number {
  const text = options['gelf-compression-level']
  if (text === undefined) return defaultLevel
  if (!/^(-1|\d)$/.test(text)) throw unknownValue('gelf-compression-level', text)
  return Number(text)
}

function positive(options: Options, name: string, fallback: number): number {
  const text = options[name]
  if (text === undefined) return fallback
  if (!/^\d+$/.test(text)) throw invalidArgument(`"${name}" must be a positive integer`)
  return Number(text)
}

function unknownValue(name: string, value: string): Error {
  return invalidArgument(`unknown value ${JSON.stringify(value)} for log opt "${name}" for gelf log driver`)
}
