/** Options of the log driver `json-file` (`--log-opt`): parsed, checked. Pure.
 *  https://docs.docker.com/engine/logging/drivers/json-file/ */
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
  const maxSize = given['max-size']
  const maxFile = given['max-file']
  if (maxSize === undefined || maxSize === '-1') {
    if (maxFile !== undefined && maxFile !== '1') throw invalidArgument('max-file cannot be used without max-size')
    return undefined
  }
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
