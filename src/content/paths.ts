/** Where the content store keeps things:
 *
 *    <root>/
 *      blobs/<algorithm>/<digits>    a blob; the layout of an OCI image layout
 *      ingests/<64 digits>/          an unfinished write, named by the sha256 of its key
 *        key                         the key
 *        data                        the bytes so far
 *
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { algorithmOf, type Digest, type DigestAlgorithm, hexOf } from '../oci/index.ts'

/** Each digest algorithm has its own directory of blobs. */
export const blobAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512']

export function blobsPath(root: string, algorithm: DigestAlgorithm): string {
  return join(root, 'blobs', algorithm)
}

export function blobPath(root: string, digest: Digest): string {
  return join(blobsPath(root, algorithmOf(digest)), hexOf(digest))
}

export function ingestsPath(root: string): string {
  return join(root, 'ingests')
}

/** A key can be any text, so its hash names the directory. */
export function ingestPath(root: string, key: string): string {
  return join(root, 'ingests', createHash('sha256').update(key).digest('hex'))
}

export function ingestDataPath(ingest: string): string {
  return join(ingest, 'data')
}

export function ingestKeyPath(ingest: string): string {
  return join(ingest, 'key')
}
