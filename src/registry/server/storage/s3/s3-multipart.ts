/** Multipart uploads and copies inside the bucket. */
import { isKind } from '../../../../base/index.ts'
import type { S3Bucket } from './s3-bucket.ts'
import type { UploadedPart } from './s3-upload-state.ts'

/** S3 copies up to 5 GiB at once, but far faster in parts side by side. */
const maxSingleCopyBytes = 128 << 20
const copyPartBytes = 128 << 20
const maxParts = 10_000
const parallelCopies = 8

/** Begins a multipart upload; gives its id. */
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

/** Joins the parts to the object `key`. `dataLoss` when the bucket has others. */
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
    // Joined before, by a request whose answer never came or by a process that died just then?
    const found = await bucket.head(key)
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
    if (found?.sizeBytes !== sizeBytes) throw error
  }
}

/** Takes the parts of a multipart upload away; nothing happens when there is none. */
export async function abortMultipart(bucket: S3Bucket, key: string, multipartId: string): Promise<void> {
  const input = { ...bucket.connection.at(key), UploadId: multipartId }
  try {
    await bucket.connection.call((client, sdk) => client.send(new sdk.AbortMultipartUploadCommand(input)))
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
  }
}

/** Makes `target` a copy of `source`, without the bytes coming here. */
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

/** Makes the first `sizeBytes` of `source` parts 1, 2, … of a multipart upload of `target`. */
export async function copyParts(bucket: S3Bucket, copies: PartCopies): Promise<UploadedPart[]> {
  const { source, target, multipartId, sizeBytes } = copies
  const count = Math.min(Math.ceil(sizeBytes / copyPartBytes), maxParts / 2)
  // All of a size, so that none is too small to be followed by another one.
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

/** The source of a copy, as its header wants it. */
function copySource(bucket: S3Bucket, key: string): string {
  const { Bucket, Key } = bucket.connection.at(key)
  return `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`
}
