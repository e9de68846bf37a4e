/** Options of the log drivers `json-file` and `local` (`--log-opt`): parsed, checked. Pure. Both are the same file
 *  here; `local` has Docker's limits for it by default.
 *  https://docs.docker.com/engine/logging/drivers/json-file/ https://docs.docker.com/engine/logging/drivers/local/ */

/** Drivers that keep a log. */
export const fileLogDrivers: readonly string[] = ['json-file', 'local']

import type { LogConfig } from '../api/index.ts'
import { invalidArgument, notImplemented } from '../base/index.ts'
import { parseBytes } from '../config/index.ts'

export interface LogRotation {
  /** A log of at least this size is rotated. */
  readonly maxSizeBytes: number
  /** Files kept in all. */
  readonly maxFiles: number
}

const unbuilt = ['compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', 'max-buffer-size']

/** When the log is rotated; undefined for never. Throws `invalidArgument` for unknown options and wrong values,
 *  `notImplemented` for those that Docker knows and this version does not. */
export function parseLogOptions({ Type: driver, Config: options }: LogConfig): LogRotation | undefined {
  const given = options ?? {}
  for (const [name, value] of Object.entries(given)) checkOption(driver ?? 'json-file', name, value)
  const isLocal = driver === 'local'
  const maxSize = given['max-size'] ?? (isLocal ? '20m' : undefined)
  const maxFile = given['max-file'] ?? (isLocal ? '5' : undefined)
  // Without a size nothing is ever rotated, however many files there may be.
  if (maxSize === undefined || maxSize === '-1') return undefined
  const maxSizeBytes = parseBytes(maxSize, 'max-size')
  if (maxSizeBytes <= 0) throw invalidArgument(`max-size must be a positive number: ${maxSize}`)
  if (maxFile !== undefined && !/^[1-9]\d*$/.test(maxFile)) {
    throw invalidArgument(`max-file cannot be less than 1: ${maxFile}`)
  }
  return { maxSizeBytes, maxFiles: Number(maxFile ?? 1) }
}

function checkOption(driver: string, name: string, value: string): void {
  if (name === 'max-size' || name === 'max-file') return
  if (name === 'mode') {
    if (value === 'blocking') return
    throw notImplemented(`log option mode=${value} is not implemented`)
  }
  if (name === 'compress' && value === 'false') return
  if (unbuilt.includes(name)) throw notImplemented(`log option ${name} is not implemented`)
  throw invalidArgument(`unknown log opt '${name}' for ${driver} log driver`)
}
