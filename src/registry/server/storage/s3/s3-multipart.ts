/** Multipart uploads, and copies inside the bucket. */
import { isKind } from '../../../../base/index.ts'
import type { S3Bucket } from './s3-bucket.ts'
import type { UploadedPart } from './s3-upload-state.ts'

/** S3 copies up to 5 GiB in one request, but parallel copies of parts are far faster. */
const maxSingleCopyBytes = 128 << 20
const copyPartBytes = 128 << 20
const maxParts = 10_000
const parallelCopies = 8

/** Begins a multipart upload and gives its id. */
export async function createMultipart(bucket: S3Bucket, key: string): Promise<string> {
  const answer = await bucket.connection.call((client, sdk) =>
    client.send(new sdk.CreateMultipartUploadCommand(bucket.connection.at(key))),
  )
  return answer.UploadId ?? ''
}

/** Uploads one part. */
export async function uploadPart(
  bucket: S3Bucket,
  key: string,
  multipartId: string,
  number: number,
  bytes: Uint8Array,
): Promise<UploadedPart> {
  const input = { ...bucket.connection.at(key), UploadId: multipartId, PartNumber: number, Body: bytes }
  const answer = await bucket.connection.call((client, sdk) => client.send(new sdk.UploadPartCommand(input)))
  return { number, etag: answer.ETag ?? '', sizeBytes: bytes.byteLength }
}

/** Joins the parts to the object `key`. Rejects with `dataLoss` if the bucket has other parts. Succeeds if they were
 *  already joined. */
export async function completeMultipart(
  bucket: S3Bucket,
  key: string,
  multipartId: string,
  parts: readonly UploadedPart[],
): Promise<void> {
  const input = {
    ...bucket.connection.at(key),
    UploadId: multipartId,
    MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
  }
  try {
    await bucket.connection.call((client, sdk) => client.send(new sdk.CompleteMultipartUploadCommand(input)))
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
    // The parts may have been joined before, by a request whose answer was lost or by a process that died.
    const found = await bucket.head(key)
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
    if (found?.sizeBytes !== sizeBytes) throw error
  }
}

/** Deletes a multipart upload and its parts. Does nothing if there is none. */
export async function abortMultipart(bucket: S3Bucket, key: string, multipartId: string): Promise<void> {
  const input = { ...bucket.connection.at(key), UploadId: multipartId }
  try {
    await bucket.connection.call((client, sdk) => client.send(new sdk.AbortMultipartUploadCommand(input)))
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
  }
}

/** Copies `source` to `target` inside the bucket. */
export async function copyObject(bucket: S3Bucket, source: string, target: string, sizeBytes: number): Promise<void> {
  if (sizeBytes <= maxSingleCopyBytes) {
    const input = { ...bucket.connection.at(target), CopySource: copySource(bucket, source) }
    await bucket.connection.call((client, sdk) => client.send(new sdk.CopyObjectCommand(input)))
    return
  }
  const multipartId = await createMultipart(bucket, target)
  try {
    const parts = await copyParts(bucket, { source, target, multipartId, sizeBytes })
    await completeMultipart(bucket, target, multipartId, parts)
  } catch (error) {
    await abortMultipart(bucket, target, multipartId).catch(() => {}) // swept away later
    throw error
  }
}

interface PartCopies {
  readonly source: string
  readonly target: string
  readonly multipartId: string
  readonly sizeBytes: number
}

/** Copies the first `sizeBytes` of `source` to the parts 1, 2 and so on of a multipart upload of `target`. */
export async function copyParts(bucket: S3Bucket, copies: PartCopies): Promise<UploadedPart[]> {
  const { source, target, multipartId, sizeBytes } = copies
  const count = Math.min(Math.ceil(sizeBytes / copyPartBytes), maxParts / 2)
  // All parts have the same size, so that none but the last is below S3's minimum.
  const partBytes = Math.ceil(sizeBytes / count)
  const parts: UploadedPart[] = []
  let next = 0
  const work = async () => {
    while (next < count) {
      const index = next
      next += 1
      const start = index * partBytes
      const end = Math.min(start + partBytes, sizeBytes) - 1
      const input = {
        ...bucket.connection.at(target),
        UploadId: multipartId,
        PartNumber: index + 1,
        CopySource: copySource(bucket, source),
        CopySourceRange: `bytes=${start}-${end}`,
      }
      const answer = await bucket.connection.call((client, sdk) => client.send(new sdk.UploadPartCopyCommand(input)))
      parts[index] = { number: index + 1, etag: answer.CopyPartResult?.ETag ?? '', sizeBytes: end - start + 1 }
    }
  }
  await Promise.all(Array.from({ length: parallelCopies }, work))
  return parts
}

/** The source of a copy, in the form of the `x-amz-copy-source` header. */
function copySource(bucket: S3Bucket, key: string): string {
  const { Bucket, Key } = bucket.connection.at(key)
  return `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`
}
