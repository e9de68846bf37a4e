/** The registry's log: readable text, or JSON lines. */
import type { LogFields, Logger } from '../../base/index.ts'
import type { RegistryConfig } from '../../config/registry/index.ts'

type Level = RegistryConfig['log']['level']

const ranks: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** How the log is written. All child loggers share this object, so that a reload changes them together. */
export interface LogStyle {
  level: Level
  format: 'json' | 'text'
}

/** A logger that passes each line, with its line feed, to `write`. */
export function registryLogger(style: LogStyle, write: (line: string) => void, fields: LogFields = {}): Logger {
  const log = (level: Level, message: string, more: LogFields = {}): void => {
    if (ranks[level] < ranks[style.level]) return
    const all = { ...fields, ...more }
    write(style.format === 'json' ? jsonLine(level, message, all) : textLine(level, message, all))
  }
  return {
    child: (more) => registryLogger(style, write, { ...fields, ...more }),
    debug: (message, more) => log('debug', message, more),
    info: (message, more) => log('info', message, more),
    warn: (message, more) => log('warn', message, more),
    error: (message, more) => log('error', message, more),
  }
}

function jsonLine(level: Level, message: string, fields: LogFields): string {
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }, plain)}\n`
}

function textLine(level: Level, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${formatValue(plain(key, value))}`)
  return `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join('')}\n`
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, plain)
  return /^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text)
}

/** Replaces what JSON can't hold: bigints, and errors, which would become empty objects. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return value.stack ?? value.message
  return value
}
