import { BerthError, invalidArgument, notFound } from '../base/index.ts'
import type { Digest } from '../oci/index.ts'
import type { BlobInfo, ExpectedBlob } from './content-store.ts'

/** Throws `dataLoss` when a finished ingest isn't what was expected. */
export function verifyBlob(found: BlobInfo, expected: ExpectedBlob): void {
  if (expected.sizeBytes !== undefined && expected.sizeBytes !== found.sizeBytes) {
    throw new BerthError(
      'dataLoss',
      `size of ${expected.digest ?? found.digest} is ${found.sizeBytes} bytes, expected ${expected.sizeBytes}`,
    )
  }
  if (expected.digest !== undefined && expected.digest !== found.digest) {
    throw new BerthError('dataLoss', `digest is ${found.digest}, expected ${expected.digest}`)
  }
}

/** The error for a blob that isn't stored. */
export function blobNotFound(digest: Digest): BerthError {
  return notFound(`no blob ${digest}`)
}

/** Throws when a blob that shall be read whole is larger than the caller takes. */
export function checkReadLimit(info: BlobInfo, maxBytes: number): void {
  if (info.sizeBytes <= maxBytes) return
  throw invalidArgument(`blob ${info.digest} has ${info.sizeBytes} bytes, at most ${maxBytes} are read`)
}
