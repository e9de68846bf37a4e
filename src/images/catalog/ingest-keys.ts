/** Keys of the ingests in which images' blobs arrive. */
import { newId } from '../../base/index.ts'
import type { Digest } from '../../oci/index.ts'

const streamPrefix = 'stream '

/** The key of a layer's download, which a later pull resumes, also after a restart. */
export function layerIngestKey(digest: Digest): string {
  return `layer ${digest}`
}

/** A new key for bytes that a client sends or the daemon makes: no later request can resume them, so the next boot drops
 *  them. */
export function newStreamIngestKey(): string {
  return streamPrefix + newId()
}

/** True for a key of `newStreamIngestKey`. */
export function isStreamIngest(key: string): boolean {
  return key.startsWith(streamPrefix)
}
