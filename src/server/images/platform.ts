import { invalidArgument, messageOf } from '../../base/index.ts'
import type { Query } from '../../http/index.ts'
import { formatPlatform, isObject, type Platform, parsePlatformObject } from '../../oci/index.ts'

/** `platform={"os":"linux","architecture":"arm64"}` of a query as `linux/arm64`; undefined when it is absent.
 *  Throws `invalidArgument` with Docker's texts. */
export function readPlatform(query: Query): string | undefined {
  const [text = '', ...more] = query.all('platform')
  if (text === '') return undefined
  if (more.length > 0) throw invalidArgument('multiple platform parameters not supported')
  return formatPlatform(parsePlatformText(text))
}

/** Every `platforms={…}` of a query. Throws `invalidArgument` with Docker's texts. */
export function readPlatforms(query: Query): readonly string[] {
  return query.all('platforms').map((text) => formatPlatform(parsePlatformText(text)))
}

function parsePlatformText(text: string): Platform {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalidArgument(`failed to parse platform: ${messageOf(cause)}`, { cause })
  }
  if (!isObject(value)) throw invalidArgument('failed to parse platform: not an object')
  const platform = parsePlatformObject(value)
  const isWhole = platform.os !== '' && platform.architecture !== ''
  if (!isWhole) throw invalidArgument('both OS and Architecture must be provided')
  return platform
}
