/** The size limits of the local log: the options of `json-file` and `local`, and for other drivers those of the cache
 *  that `docker logs` reads.
 *  https://docs.docker.com/engine/logging/drivers/json-file/ https://docs.docker.com/engine/logging/drivers/local/ */
import type { LogConfig } from '../api/index.ts'
import { invalidArgument, messageOf } from '../base/index.ts'
import { flagOption, sizeOption } from './drivers/option-values.ts'

/** Limits of the files of one log. */
export interface LocalLogLimits {
  /** A log file of at least this size is rotated. */
  readonly maxSizeBytes: number
  /** Number of files that are kept, with the current one. */
  readonly maxFiles: number
  /** Compress rotated files with gzip. */
  readonly compress: boolean
}

const defaultSize = '20m'
const defaultFiles = '5'

/** The limits of a container's local log; undefined for no limit. Throws `invalidArgument` with Docker's texts. */
export function localLogLimits({ Type: driver, Config }: LogConfig): LocalLogLimits | undefined {
  const options = Config ?? {}
  if (driver === 'none') return undefined
  if (driver === 'local') return limitedLog(options, '')
  if (driver === 'json-file' || driver === undefined || driver === '') return jsonFileLimits(options)
  return limitedLog(options, 'cache-')
}

function jsonFileLimits(options: Readonly<Record<string, string>>): LocalLogLimits | undefined {
  const size = options['max-size']
  const maxSizeBytes = size === undefined ? undefined : sizeOption(size)
  if (maxSizeBytes === 0) throw invalidArgument('max-size must be a positive number')
  const maxFiles = fileCount(options['max-file'] ?? '1')
  if (maxFiles < 1) throw invalidArgument('max-file cannot be less than 1')
  const compress = options.compress === undefined ? false : flagOption(options.compress)
  if (compress && (maxFiles < 2 || maxSizeBytes === undefined)) {
    throw invalidArgument('compress cannot be true when max-file is less than 2 or max-size is not set')
  }
  return maxSizeBytes === undefined ? undefined : { maxSizeBytes, maxFiles, compress }
}

/** The limits from the options with this prefix; Docker's limits are the defaults. */
function limitedLog(options: Readonly<Record<string, string>>, prefix: string): LocalLogLimits | undefined {
  const maxSizeBytes = sizeOption(options[`${prefix}max-size`] ?? defaultSize)
  const maxFiles = fileCount(options[`${prefix}max-file`] ?? defaultFiles)
  const compress = compressOption(options[`${prefix}compress`], prefix)
  if (compress && maxFiles <= 1) throw invalidArgument('compression cannot be enabled when max file count is 1')
  if (maxFiles < 1) throw invalidArgument('max-file cannot be less than 1')
  return maxSizeBytes === 0 ? undefined : { maxSizeBytes, maxFiles, compress }
}

function compressOption(text: string | undefined, prefix: string): boolean {
  if (text === undefined) return true
  try {
    return flagOption(text)
  } catch (cause) {
    throw invalidArgument(`error reading ${prefix}compress log option: ${messageOf(cause)}`, { cause })
  }
}

function fileCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
