/** The digests under which a registry stores blobs: sha256 and sha512. (`oci` has the engine's digests, sha256 only.)
 *  https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
import { createHash, type Hash } from 'node:crypto'

/** The supported hash functions. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** A well-formed digest. Only `findBlobDigest` and `blobDigestOf` make one. */
export type BlobDigest = `${DigestAlgorithm}:${string}`

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** `text` as a digest; undefined if it is malformed or has an unsupported algorithm. */
export function findBlobDigest(text: unknown): BlobDigest | undefined {
  return typeof text === 'string' && digestPattern.test(text) ? (text as BlobDigest) : undefined
}

/** Computes the digest of bytes in memory. */
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

/** A new running hash. */
export function hasherOf(algorithm: DigestAlgorithm): Hash {
  return createHash(algorithm)
}
