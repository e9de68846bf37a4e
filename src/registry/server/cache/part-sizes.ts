/** The sizes of blobs, learned from manifests, so that upstream need not be asked before a download. An entry also
 *  proves that the repository has the blob, which matters if it was downloaded for another repository. */
import { isObject } from '../../../oci/index.ts'
import { type BlobDigest, findBlobDigest } from '../model/blob-digest.ts'

const maxEntries = 20_000

export class PartSizes {
  readonly #sizes = new Map<string, number>()

  /** Notes the blobs that a manifest of the repository names. */
  learn(repository: string, manifest: Buffer): void {
    const value: unknown = JSON.parse(manifest.toString('utf8'))
    if (!isObject(value)) return
    const layers = Array.isArray(value.layers) ? value.layers : []
    for (const part of [value.config, ...layers]) {
      const digest = isObject(part) ? findBlobDigest(part.digest) : undefined
      if (digest === undefined || !isObject(part) || !isSize(part.size) || part.urls !== undefined) continue
      const key = keyOf(repository, digest)
      this.#sizes.delete(key)
      this.#sizes.set(key, part.size)
    }
    for (const oldest of this.#sizes.keys()) {
      if (this.#sizes.size <= maxEntries) break
      this.#sizes.delete(oldest)
    }
  }

  find(repository: string, digest: BlobDigest): number | undefined {
    return this.#sizes.get(keyOf(repository, digest))
  }
}

function keyOf(repository: string, digest: BlobDigest): string {
  return `${repository}@${digest}`
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
