import type { LocalContentStore } from '../../content/index.ts'
import { type Digest, isDigestOf } from '../../oci/index.ts'

/** A small blob that is here. One that a power cut damaged is removed and counts as absent, so that it is had anew. */
export async function readVerified(content: LocalContentStore, digest: Digest): Promise<Buffer | undefined> {
  if ((await content.find(digest)) === undefined) return undefined
  const bytes = await content.read(digest)
  if (isDigestOf(digest, bytes)) return bytes
  await content.delete(digest)
  return undefined
}
