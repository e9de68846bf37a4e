/** Digests: `sha256:` and 64 lower-case hexadecimal digits. Other algorithms are refused, as Docker's
 *  own registries use none. https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
import { createHash } from 'node:crypto'
import { invalidArgument } from '../base/index.ts'

/** The identity of some bytes. Made by `parseDigest` or `digestOf` only. */
export type Digest = `sha256:${string}`

const digestPattern = /^sha256:[0-9a-f]{64}$/

/** True when `text` is a well-formed sha256 digest. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && digestPattern.test(text)
}

/** Checks a digest that came from outside. Throws `invalidArgument` with Docker's wording. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  const colon = text.indexOf(':')
  if (colon <= 0 || colon === text.length - 1) throw invalidArgument('invalid checksum digest format')
  if (!text.startsWith('sha256:')) throw invalidArgument('unsupported digest algorithm')
  if (text.length !== 71) throw invalidArgument('invalid checksum digest length')
  throw invalidArgument('invalid checksum digest format')
}

/** The digest of bytes in memory. Big data is hashed where it streams (content, archive). */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** The 64 digits without the algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

/** The digest that has these 64 digits. */
export function digestFromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`)
}
