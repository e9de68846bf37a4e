/** Digests a registry stores under: sha256 and sha512. (The engine itself knows sha256 only: src/oci.)
 *  https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
import { createHash, type Hash } from 'node:crypto'

/** The hash functions there are. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** The identity of some bytes, checked: made by `findBlobDigest` or `blobDigestOf` only. */
export type BlobDigest = `${DigestAlgorithm}:${string}`

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** `text` as a digest; undefined when it is malformed or of an algorithm that is not stored. */
export function findBlobDigest(text: unknown): BlobDigest | undefined {
  return typeof text === 'string' && digestPattern.test(text) ? (text as BlobDigest) : undefined
}

/** The digest of bytes in memory. */
export function blobDigestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): BlobDigest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** The part before the colon. */
export function algorithmOf(digest: BlobDigest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The hexadecimal part. */
export function hexOfBlob(digest: BlobDigest): string {
  return digest.slice(7)
}

/** A running hash for bytes that will be named by such a digest. */
export function hasherOf(algorithm: DigestAlgorithm): Hash {
  return createHash(algorithm)
}
