/** Pulls out of the registry's own storage. */
import type { BlobLibrary } from './blob-library.ts'
import type { ManifestLibrary } from './manifest-library.ts'
import type { PullSource } from './pull-source.ts'

/** What a registry keeps, for those who stand in front of it. */
export interface LocalContents {
  readonly blobs: BlobLibrary
  readonly manifests: ManifestLibrary
}

export function localSource({ blobs, manifests }: LocalContents, { keeps }: { readonly keeps: boolean }): PullSource {
  return {
    acceptsPush: true,
    findManifest: (repository, reference) => manifests.find(repository, reference),
    // Who asks with HEAD is about to push a manifest that relies on the answer.
    findBlob: (repository, digest, { isHead = false } = {}) =>
      isHead && keeps ? blobs.claim(repository, digest) : blobs.find(repository, digest),
    listTags: (repository, options) => manifests.listTags(repository, options),
    listRepositories: (options) => manifests.listRepositories(options),
  }
}
