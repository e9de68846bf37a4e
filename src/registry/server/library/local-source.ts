/** The pull source with the contents of the registry's own storage. */
import type { BlobLibrary } from './blob-library.ts'
import type { ManifestLibrary } from './manifest-library.ts'
import type { PullSource } from './pull-source.ts'

/** The contents of a registry's storage, from which a pull source is made. */
export interface LocalContents {
  readonly blobs: BlobLibrary
  readonly manifests: ManifestLibrary
}

/** Makes the source. `keeps`: a blob that a client asks for with HEAD is protected from garbage collection for a
 *  while. */
export function localSource({ blobs, manifests }: LocalContents, { keeps }: { readonly keeps: boolean }): PullSource {
  return {
    acceptsPush: true,
    findManifest: (repository, reference) => manifests.find(repository, reference),
    // A client that asks with HEAD is about to push a manifest that relies on the answer.
    findBlob: (repository, digest, { isHead = false } = {}) =>
      isHead && keeps ? blobs.claim(repository, digest) : blobs.find(repository, digest),
    listTags: (repository, options) => manifests.listTags(repository, options),
    listRepositories: (options) => manifests.listRepositories(options),
  }
}
