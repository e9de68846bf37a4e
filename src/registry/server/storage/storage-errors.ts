/** The errors that every storage gives, so that what is above can tell them apart by kind. */
import { BerthError, conflict, invalidArgument, notFound } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'

/** No upload of that id (any more). */
export function uploadUnknown(id: string): BerthError {
  return notFound(`no such upload: ${id}`)
}

/** `append` at another place than the end. */
export function offsetMismatch(offset: number, sizeBytes: number): BerthError {
  return conflict(`bytes from ${offset} on don't follow the ${sizeBytes} that arrived`, { details: { sizeBytes } })
}

/** Somebody else works on the upload. */
export function uploadBusy(id: string): BerthError {
  return conflict(`upload ${id} is being written by another request`)
}

/** `commit` of bytes that are others than they should be. */
export function digestMismatch(expected: BlobDigest, actual: string): BerthError {
  return invalidArgument(`the bytes hash to ${actual}, not to ${expected}`, { details: { expected, actual } })
}

/** The storage lost or damaged what it had. */
export function dataLoss(message: string, cause?: unknown): BerthError {
  return new BerthError('dataLoss', message, { cause })
}
