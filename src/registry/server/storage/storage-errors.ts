/** The errors of all storages. The code above distinguishes them by kind. */
import { BerthError, conflict, invalidArgument, notFound } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'

/** There is no upload with that id. `notFound`. */
export function uploadUnknown(id: string): BerthError {
  return notFound(`no such upload: ${id}`)
}

/** `append` at another offset than the upload's end. `conflict`, with `details.sizeBytes`. */
export function offsetMismatch(offset: number, sizeBytes: number): BerthError {
  return conflict(`bytes from ${offset} on don't follow the ${sizeBytes} that arrived`, { details: { sizeBytes } })
}

/** Another request is working on the upload. `conflict`. */
export function uploadBusy(id: string): BerthError {
  return conflict(`upload ${id} is being written by another request`)
}

/** `commit` of bytes with another digest. `invalidArgument`, with `details.expected` and `details.actual`. */
export function digestMismatch(expected: BlobDigest, actual: string): BerthError {
  return invalidArgument(`the bytes hash to ${actual}, not to ${expected}`, { details: { expected, actual } })
}

/** The storage lost or damaged bytes. */
export function dataLoss(message: string, cause?: unknown): BerthError {
  return new BerthError('dataLoss', message, { cause })
}
