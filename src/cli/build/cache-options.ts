/** `--cache-from` and `--cache-to`. https://docs.docker.com/build/cache/backends/ */
import type { BuildCacheOption } from '../../api/index.ts'
import { csvFields, csvPairs } from '../../build/dockerfile/index.ts'
import { CliError } from '../command/cli-error.ts'

/** A place of the cache, and its directory if it is on the client's side. */
export interface CacheOption {
  readonly option: BuildCacheOption
  readonly directory: string | undefined
}

/** Parses `type=registry,ref=…` and `type=local,src=…`. A bare name is an image in a registry (`--cache-from
 *  app:1`). */
export function parseCacheOption(value: string, side: 'from' | 'to'): CacheOption {
  const fields = csvFields(value)
  const isBare = fields.length === 1 && !value.includes('=')
  const { type = '', ...attrs } = isBare
    ? { type: 'registry', ref: value }
    : (Object.fromEntries(csvPairs(value)) as Record<string, string>)
  if (type === '') throw new CliError(1, `ERROR: type required form> ${JSON.stringify(value)}`)
  if (type !== 'local') return { option: { type, attrs }, directory: undefined }
  const name = side === 'from' ? 'src' : 'dest'
  const { [name]: directory = '', ...rest } = attrs
  if (directory === '') {
    const what = side === 'from' ? 'importer requires src' : 'exporter requires dest'
    throw new CliError(1, `ERROR: local cache ${what}`)
  }
  return { option: { type, attrs: rest }, directory }
}
