import type { LogFields, Logger } from '../base/index.ts'
import type { LogLevel } from '../config/index.ts'

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, fatal: 4 }

/** The level below which lines are dropped. A logger and its children share one object, so a reload changes all of
 *  them. */
export interface LogThreshold {
  level: LogLevel
}

/** A logger that writes one JSON line per message to `write`. */
export function jsonLogger(threshold: LogThreshold, write: (line: string) => void, fields: LogFields = {}): Logger {
  const log = (level: LogLevel, message: string, more: LogFields = {}): void => {
    if (ranks[level] < ranks[threshold.level]) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...more }, plain)}\n`)
  }
  return {
    child: (more) => jsonLogger(threshold, write, { ...fields, ...more }),
    debug: (message, more) => log('debug', message, more),
    info: (message, more) => log('info', message, more),
    warn: (message, more) => log('warn', message, more),
    error: (message, more) => log('error', message, more),
  }
}

/** Converts big integers, which JSON does not have, and errors, which JSON would show as `{}`. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return value.stack ?? value.message
  return value
}
