import type { LocalContentStore } from '../../content/index.ts'
import { type Digest, isDigestOf } from '../../oci/index.ts'

/** Reads a small stored blob. If a power cut damaged it, deletes it and returns undefined, so that it is fetched
 *  again. */
export async function readVerified(content: LocalContentStore, digest: Digest): Promise<Buffer | undefined> {
  if ((await content.find(digest)) === undefined) return undefined
  const bytes = await content.read(digest)
  if (isDigestOf(digest, bytes)) return bytes
  await content.delete(digest)
  return undefined
}
