/** Where the content store keeps things:
 *
 *    <root>/
 *      blobs/sha256/<64 digits>      a blob; the layout of an OCI image layout
 *      ingests/<64 digits>/          an unfinished write, named by the sha256 of its key
 *        key                         the key
 *        data                        the bytes so far
 *
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Digest, hexOf } from '../oci/index.ts'

export function blobsPath(root: string): string {
  return join(root, 'blobs', 'sha256')
}

export function blobPath(root: string, digest: Digest): string {
  return join(root, 'blobs', 'sha256', hexOf(digest))
}

export function ingestsPath(root: string): string {
  return join(root, 'ingests')
}

/** Keys are any text, so a hash of it names the directory. */
export function ingestPath(root: string, key: string): string {
  return join(root, 'ingests', createHash('sha256').update(key).digest('hex'))
}

export function ingestDataPath(ingest: string): string {
  return join(ingest, 'data')
}

export function ingestKeyPath(ingest: string): string {
  return join(ingest, 'key')
}
