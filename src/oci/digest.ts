/** Digests: an algorithm and lower-case hexadecimal digits. Berth makes `sha256` digests, as Docker does, and accepts
 *  `sha512` in what others made.
 *  https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
import { createHash } from 'node:crypto'
import { invalidArgument } from '../base/index.ts'

/** The algorithms that the specification registers. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** The identity of some bytes. Only `parseDigest`, `digestOf` and `digestFromHex` make one. */
export type Digest = `${DigestAlgorithm}:${string}`

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
const hexLengths: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 }

/** True when `text` is a well-formed digest. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && digestPattern.test(text)
}

/** Checks a digest that came from outside. Throws `invalidArgument` with Docker's wording. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  const colon = text.indexOf(':')
  if (colon <= 0 || colon === text.length - 1) throw invalidArgument('invalid checksum digest format')
  const algorithm = text.slice(0, colon)
  if (algorithm !== 'sha256' && algorithm !== 'sha512') throw invalidArgument('unsupported digest algorithm')
  if (text.length - colon - 1 !== hexLengths[algorithm]) throw invalidArgument('invalid checksum digest length')
  throw invalidArgument('invalid checksum digest format')
}

/** The digest of bytes in memory. Larger data is hashed while it streams (content, archive). */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** True when the bytes have this digest, by the digest's own algorithm. */
export function isDigestOf(digest: Digest, bytes: Uint8Array): boolean {
  return digestOf(bytes, algorithmOf(digest)) === digest
}

/** The algorithm of a digest: the part before the colon. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The digits of a digest: the part after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

/** The digest with these digits, which must be valid. */
export function digestFromHex(hex: string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return parseDigest(`${algorithm}:${hex}`)
}
