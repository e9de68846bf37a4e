/** Keys and files of this folder's ingests. */
import { internal, newId } from '../../base/index.ts'
import type { Ingest } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'

const streamPrefix = 'stream '

/** A layer's download: found again after a restart. */
export function layerIngestKey(digest: Digest): string {
  return `layer ${digest}`
}

/** A part of what a client sends: lost with the connection. */
export function newStreamIngestKey(): string {
  return streamPrefix + newId()
}

export function isStreamIngest(key: string): boolean {
  return key.startsWith(streamPrefix)
}

/** The file of an ingest of the local store. */
export function ingestFile({ key, path }: Ingest): string {
  if (path === undefined) throw internal(`ingest ${key} is not in a file`)
  return path
}
