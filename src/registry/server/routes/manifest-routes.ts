/** Routes for manifests, by tag or digest. */
import { isManifestType, mediaTypes } from '../../../oci/index.ts'
import { accepts } from '../http/accept.ts'
import type { RegistryExchange } from '../http/registry-exchange.ts'
import type { RouteContext } from '../http/route-context.ts'
import type { ManifestReference, StoredManifest } from '../library/pull-source.ts'
import { type BlobDigest, findBlobDigest } from '../model/blob-digest.ts'
import { entityTag, namesDigest } from '../model/conditions.ts'
import { platformEntries } from '../model/manifest-document.ts'
import { RegistryError } from '../model/registry-error.ts'
import { isTag } from '../model/repository-name.ts'

/** `GET` and `HEAD /v2/<name>/manifests/<reference>`. */
export async function getManifest(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  text: string,
): Promise<void> {
  const reference = parseReference(text)
  // There is no manifest with an invalid tag.
  if (reference === undefined) throw manifestUnknown(repository, text)
  const { isHead } = exchange.request
  const found = await context.source.findManifest(repository, reference, { isHead })
  if (found === undefined) throw manifestUnknown(repository, text)
  const manifest = await negotiate(context, exchange, repository, reference, found)
  const headers = { ETag: entityTag(manifest.digest), 'Docker-Content-Digest': manifest.digest, Vary: 'Accept' }
  if (namesDigest(exchange.request.headers['if-none-match'], manifest.digest)) {
    exchange.answer.sendEmpty(304, headers)
    return
  }
  exchange.answer.sendBytes(200, manifest.bytes, { ...headers, 'Content-Type': manifest.mediaType })
  if (!isHead) {
    const tag = reference.kind === 'tag' ? reference.tag : undefined
    context.observer.manifestUsed?.({ action: 'pull', repository, digest: manifest.digest, tag })
  }
}

/** `PUT /v2/<name>/manifests/<reference>`. */
export async function putManifest(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  text: string,
): Promise<void> {
  const reference = parseReference(text)
  if (reference === undefined) throw new RegistryError('MANIFEST_INVALID', { detail: `invalid tag: ${text}` })
  const maxBytes = context.limits.manifestBytes
  const tooLong = () => {
    const message = `manifest is larger than ${maxBytes} bytes`
    return new RegistryError('SIZE_INVALID', { status: 413, message })
  }
  if ((exchange.body.sizeBytes ?? 0) > maxBytes) throw tooLong()
  const bytes = await exchange.body.readAll({ maxBytes, tooLong })
  const { digest, subject } = await context.manifests.put({
    repository,
    reference,
    bytes,
    contentType: exchange.request.headers['content-type'] ?? '',
    precondition: (current) => checkPreconditions(exchange, current),
  })
  exchange.answer.sendEmpty(201, {
    Location: context.locationOf(exchange.request, `/v2/${repository}/manifests/${digest}`),
    'Docker-Content-Digest': digest,
    ETag: entityTag(digest),
    ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
  })
  const tag = reference.kind === 'tag' ? reference.tag : undefined
  context.observer.manifestUsed?.({ action: 'push', repository, digest, tag })
}

/** `DELETE /v2/<name>/manifests/<reference>`: deletes only the tag, or a manifest with all its tags. */
export async function deleteManifest(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  text: string,
): Promise<void> {
  const reference = parseReference(text)
  if (reference === undefined) throw manifestUnknown(repository, text)
  const digest = await context.manifests.resolve(repository, reference)
  const isDeleted =
    reference.kind === 'tag'
      ? await context.manifests.deleteTag(repository, reference.tag)
      : await context.manifests.deleteManifest(repository, reference.digest)
  if (!isDeleted) throw manifestUnknown(repository, text)
  exchange.answer.sendEmpty(202)
  const tag = reference.kind === 'tag' ? reference.tag : undefined
  context.observer.manifestUsed?.({ action: 'delete', repository, digest: digest ?? '', tag })
}

/** Reads a tag or a digest; undefined for an invalid tag. Text with a colon must be a digest; otherwise DIGEST_INVALID
 *  is thrown. */
function parseReference(text: string): ManifestReference | undefined {
  if (text.includes(':')) {
    const digest = findBlobDigest(text)
    if (digest === undefined) throw new RegistryError('DIGEST_INVALID', { detail: { digest: text } })
    return { kind: 'digest', digest }
  }
  return isTag(text) ? { kind: 'tag', tag: text } : undefined
}

/** Chooses a manifest that the client accepts. Like Docker's registry, gives the image for linux/amd64 of a manifest
 *  list to a client that asks by tag and doesn't accept lists. Throws MANIFEST_UNKNOWN if the client accepts
 *  nothing. */
async function negotiate(
  { source }: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  reference: ManifestReference,
  found: StoredManifest,
): Promise<StoredManifest> {
  const accept = exchange.request.headers.accept
  if (accepts(accept, found.mediaType)) return found
  if (found.mediaType === mediaTypes.dockerManifestList && reference.kind === 'tag') {
    const entry = platformEntries(found.bytes).find(
      ({ os, architecture }) => os === 'linux' && architecture === 'amd64',
    )
    const image = entry && (await source.findManifest(repository, { kind: 'digest', digest: entry.digest }))
    if (image !== undefined && isManifestType(image.mediaType) && accepts(accept, image.mediaType)) return image
  }
  throw new RegistryError('MANIFEST_UNKNOWN', {
    message: `${found.mediaType} found, but the Accept header does not allow it`,
    detail: { name: repository, digest: found.digest },
  })
}

/** Checks `If-Match` and `If-None-Match` of a push, with which a client avoids overwriting a manifest that it has not
 *  seen. Throws status 412. */
function checkPreconditions(exchange: RegistryExchange, current: BlobDigest | undefined): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = exchange.request.headers
  const isMet =
    (match === undefined || (current !== undefined && namesDigest(match, current))) &&
    (noneMatch === undefined || current === undefined || !namesDigest(noneMatch, current))
  if (isMet) return
  throw new RegistryError('MANIFEST_INVALID', {
    status: 412,
    message: 'the manifest has changed meanwhile',
    detail: { digest: current },
  })
}

function manifestUnknown(repository: string, reference: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', { detail: { name: repository, reference } })
}
