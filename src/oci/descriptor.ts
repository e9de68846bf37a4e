/** Descriptor: a typed pointer to a blob.
 *  https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
import { invalidArgument } from '../base/index.ts'
import { type Digest, parseDigest } from './digest.ts'
import { type Platform, parsePlatformObject } from './platform.ts'

/** A descriptor as it is stored and sent. `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
  readonly urls?: readonly string[]
}

/** Reads a descriptor from parsed JSON. Throws `invalidArgument` for anything else. */
export function parseDescriptor(value: unknown): Descriptor {
  if (!isObject(value)) throw invalidArgument('invalid descriptor: not an object')
  const { mediaType = '', digest, size, platform, annotations, urls } = value
  if (typeof digest !== 'string' || typeof mediaType !== 'string') {
    throw invalidArgument('invalid descriptor: digest or media type missing')
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidArgument(`invalid descriptor: size of ${digest} is not a number of bytes`)
  }
  return {
    mediaType,
    digest: parseDigest(digest),
    size,
    ...(isObject(platform) ? { platform: parsePlatformObject(platform) } : {}),
    ...(isObject(annotations) ? { annotations: stringsOf(annotations) } : {}),
    ...(Array.isArray(urls) ? { urls: urls.filter((url) => typeof url === 'string') } : {}),
  }
}

/** True for a JSON object (not null, not an array). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function stringsOf(value: Record<string, unknown>): Record<string, string> {
  const strings: Record<string, string> = {}
  for (const [key, text] of Object.entries(value)) if (typeof text === 'string') strings[key] = text
  return strings
}
