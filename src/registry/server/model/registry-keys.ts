/** The keys of everything in the storage. In a repository's name `/` is written as `+`, which no name contains. So a
 *  name is one part of a key, and no repository is the folder of another one.
 *
 *  blobs/<algorithm>/<2 digits>/<hex>                         a blob's bytes
 *  links/<algorithm>/<hex>/<repository>                       this repository has that blob (empty object)
 *  links/<algorithm>/<hex>/_<id>                              a request is storing that blob again right now
 *  repositories/<repository>/manifests/<algorithm>/<hex>      media type, line feed, the manifest's bytes
 *  repositories/<repository>/tags/<tag>                       the manifest's digest
 *  repositories/<repository>/referrers/<algorithm>/<hex of subject>/<algorithm>-<hex>   a descriptor as JSON
 *  catalog/<repository>                                       the repository has manifests (empty object)
 *  condemned/<algorithm>/<hex>                                a garbage collection is about to delete that blob
 *  gc/lock-<number>                                           lock of the running garbage collection
 *  cache/<key of a blob or manifest>                          time of its last use, see cache/cache-usage.ts */
import { algorithmOf, type BlobDigest, findBlobDigest, hexOfBlob } from './blob-digest.ts'

export const catalogPrefix = 'catalog/'
export const blobsPrefix = 'blobs/'
export const repositoriesPrefix = 'repositories/'
export const condemnedPrefix = 'condemned/'
export const lockPrefix = 'gc/lock-'

/** A repository's name as one part of a key. */
function partOf(repository: string): string {
  return repository.replaceAll('/', '+')
}

/** The repository's name from such a part. */
function nameOf(part: string): string {
  return part.replaceAll('+', '/')
}

function digestPath(digest: BlobDigest): string {
  return `${algorithmOf(digest)}/${hexOfBlob(digest)}`
}

export function blobKey(digest: BlobDigest): string {
  const hex = hexOfBlob(digest)
  return `${blobsPrefix}${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}`
}

/** The prefix of a blob's links and marks. */
export function linksPrefix(digest: BlobDigest): string {
  return `links/${digestPath(digest)}/`
}

export function linkKey(repository: string, digest: BlobDigest): string {
  return linksPrefix(digest) + partOf(repository)
}

/** The mark of a request that stores the blob again. */
export function intentKey(digest: BlobDigest, id: string): string {
  return `${linksPrefix(digest)}_${id}`
}

/** The repository that a link belongs to; undefined for the mark of a request. */
export function repositoryOfLink(key: string): string | undefined {
  const part = key.slice(key.lastIndexOf('/') + 1)
  return part.startsWith('_') ? undefined : nameOf(part)
}

export function manifestsPrefix(repository: string): string {
  return `${repositoriesPrefix}${partOf(repository)}/manifests/`
}

export function manifestKey(repository: string, digest: BlobDigest): string {
  return manifestsPrefix(repository) + digestPath(digest)
}

/** The manifest under a key below `repositories/`; undefined if it is something else. */
export function manifestOfKey(key: string): { readonly repository: string; readonly digest: BlobDigest } | undefined {
  const [, part, kind, algorithm, hex] = key.split('/')
  const digest = findBlobDigest(`${algorithm}:${hex}`)
  return kind === 'manifests' && part !== undefined && digest !== undefined
    ? { repository: nameOf(part), digest }
    : undefined
}

export function tagsPrefix(repository: string): string {
  return `${repositoriesPrefix}${partOf(repository)}/tags/`
}

export function tagKey(repository: string, tag: string): string {
  return tagsPrefix(repository) + tag
}

export function referrersPrefix(repository: string, subject: BlobDigest): string {
  return `${repositoriesPrefix}${partOf(repository)}/referrers/${digestPath(subject)}/`
}

export function referrerKey(repository: string, subject: BlobDigest, digest: BlobDigest): string {
  return `${referrersPrefix(repository, subject)}${algorithmOf(digest)}-${hexOfBlob(digest)}`
}

export function catalogKey(repository: string): string {
  return catalogPrefix + partOf(repository)
}

/** The repository of a catalog entry. */
export function repositoryOfCatalogKey(key: string): string {
  return nameOf(key.slice(catalogPrefix.length))
}

export function condemnedKey(digest: BlobDigest): string {
  return condemnedPrefix + digestPath(digest)
}

/** The digest in the key of a blob or of a condemned blob; undefined if there is none. */
export function digestOfKey(key: string): BlobDigest | undefined {
  const parts = key.split('/')
  return findBlobDigest(`${parts[1]}:${parts.at(-1)}`)
}

/** The last part of a key. */
export function keyTail(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
