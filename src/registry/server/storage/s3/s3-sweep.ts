/** Deletes leftovers of dead processes in the bucket: multipart uploads, tails and joined parts that belong to no
 *  upload. (The garbage collection drops abandoned uploads.) */
import type { AbortOptions } from '../../../../base/index.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { objectsPrefix, uploadDataPrefix, uploadKey, uploadOfData } from './s3-keys.ts'
import { abortMultipart } from './s3-multipart.ts'

/** Deletes leftovers that are older than `maxAgeMs`. Gives their number. */
export async function sweepBucket(bucket: S3Bucket, maxAgeMs: number, { signal }: AbortOptions = {}): Promise<number> {
  const before = bucket.connection.now() - maxAgeMs
  const isOrphan = async (key: string, time: number) =>
    time < before && signal?.aborted !== true && (await bucket.head(uploadKey(uploadOfData(key)))) === undefined
  let count = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await bucket.list(uploadDataPrefix, { after })
    for (const { key, modifiedAt } of page.objects) {
      if (!(await isOrphan(key, modifiedAt.getTime()))) continue
      await bucket.delete(key)
      count += 1
    }
    after = page.next
  }
  for (const { key, id, startedMs } of await listMultiparts(bucket)) {
    const isCopy = key.startsWith(objectsPrefix) && startedMs < before
    if (!isCopy && !(key.startsWith(uploadDataPrefix) && (await isOrphan(key, startedMs)))) continue
    await abortMultipart(bucket, key, id)
    count += 1
  }
  return count
}

interface FoundMultipart {
  readonly key: string
  readonly id: string
  readonly startedMs: number
}

async function listMultiparts(bucket: S3Bucket): Promise<FoundMultipart[]> {
  const { Bucket, Key: prefix } = bucket.connection.at('')
  const found: FoundMultipart[] = []
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const input = { Bucket, Prefix: prefix, ...marker }
    const page = await bucket.connection.call((client, sdk) => client.send(new sdk.ListMultipartUploadsCommand(input)))
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      found.push({ key: Key.slice(prefix.length), id: UploadId, startedMs: Initiated?.getTime() ?? Date.now() })
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return found
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? '' }
  }
}
