/** The stored form of a manifest: its media type, a line feed, its bytes. They are in one object, so that they can't
 *  get out of step. */
import { BerthError } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import type { StoredManifest } from './pull-source.ts'

const lineFeed = 0x0a

export function encodeManifest(mediaType: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${mediaType}\n`), bytes])
}

/** Throws `dataLoss` if the object is damaged. */
export function decodeManifest(digest: BlobDigest, stored: Buffer): StoredManifest {
  const end = stored.indexOf(lineFeed)
  if (end === -1) throw new BerthError('dataLoss', `manifest ${digest} is damaged`)
  return { digest, mediaType: stored.toString('utf8', 0, end), bytes: stored.subarray(end + 1) }
}
