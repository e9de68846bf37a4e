/** Routes for blobs: reading all or a part of one, and deleting. */

import type { AnswerHeaders } from '../http/registry-answer.ts'
import type { RegistryExchange } from '../http/registry-exchange.ts'
import type { RouteContext } from '../http/route-context.ts'
import { sendBlob } from '../http/send-blob.ts'
import { type BlobDigest, findBlobDigest } from '../model/blob-digest.ts'
import { parseRange } from '../model/byte-range.ts'
import { entityTag, namesDigest } from '../model/conditions.ts'
import { RegistryError } from '../model/registry-error.ts'

/** `GET` and `HEAD /v2/<name>/blobs/<digest>`. */
export async function getBlob(
  { source, limits }: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  text: string,
): Promise<void> {
  const digest = parseBlobDigest(text)
  const blob = await source.findBlob(repository, digest, { isHead: exchange.request.isHead })
  if (blob === undefined) throw blobUnknown(digest)
  const common: AnswerHeaders = {
    ETag: entityTag(digest),
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    // The content of a digest never changes.
    'Cache-Control': 'max-age=31536000',
  }
  if (namesDigest(exchange.request.headers['if-none-match'], digest)) {
    exchange.answer.sendEmpty(304, common)
    return
  }
  const range = wantedRange(exchange, digest, blob.sizeBytes)
  if (range === 'unsatisfiable') {
    throw new RegistryError('SIZE_INVALID', {
      status: 416,
      message: 'the requested range is not within the blob',
      headers: { 'Content-Range': `bytes */${blob.sizeBytes}` },
    })
  }
  const headers = { ...common, 'Content-Type': 'application/octet-stream' }
  if (range === 'whole') {
    await sendBlob(exchange.answer, blob, {
      status: 200,
      headers,
      start: 0,
      end: blob.sizeBytes - 1,
      idleMs: limits.idleMs,
    })
    return
  }
  const contentRange = `bytes ${range.start}-${range.end}/${blob.sizeBytes}`
  const partial = { ...headers, 'Content-Range': contentRange }
  await sendBlob(exchange.answer, blob, { status: 206, headers: partial, ...range, idleMs: limits.idleMs })
}

/** `DELETE /v2/<name>/blobs/<digest>`. */
export async function deleteBlob(
  { blobs }: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  text: string,
): Promise<void> {
  const digest = parseBlobDigest(text)
  if (!(await blobs.unlink(repository, digest))) throw blobUnknown(digest)
  exchange.answer.sendEmpty(202, { 'Docker-Content-Digest': digest })
}

/** Reads a digest from a path or query. Throws DIGEST_INVALID. */
export function parseBlobDigest(text: string): BlobDigest {
  const digest = findBlobDigest(text)
  if (digest !== undefined) return digest
  throw new RegistryError('DIGEST_INVALID', { message: 'invalid or unsupported digest', detail: { digest: text } })
}

function wantedRange(exchange: RegistryExchange, digest: BlobDigest, sizeBytes: number) {
  const { range, 'if-range': ifRange } = exchange.request.headers
  // Ranges are defined for GET only (RFC 9110, 14.2).
  if (exchange.request.isHead) return 'whole'
  // The client has a part of other content, to which a part of this blob doesn't fit.
  if (ifRange !== undefined && !namesDigest(String(ifRange), digest)) return 'whole'
  return parseRange(range, sizeBytes)
}

function blobUnknown(digest: BlobDigest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', { detail: { digest } })
}
