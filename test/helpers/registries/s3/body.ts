/** The body of an S3 request: written to a file, and checked against every length, hash and checksum that the client
 *  announced. Bodies in `aws-chunked` form are not supported. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { S3Error } from './errors.ts'

export interface StoredBody {
  readonly size: number
  readonly md5: string
}

/** Writes the body to `path`. Throws if it does not match what the client announced. */
export async function storeBody(request: IncomingMessage, path: string): Promise<StoredBody> {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  let crc = 0
  let size = 0
  const announcedHash = String(request.headers['x-amz-content-sha256'])
  const isHashed = /^[0-9a-f]{64}$/.test(announcedHash)
  if (!isHashed && announcedHash !== 'UNSIGNED-PAYLOAD') throw new S3Error(400, 'InvalidArgument')
  await pipeline(async function* () {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      md5.update(chunk)
      if (isHashed) sha256.update(chunk)
      crc = crc32(chunk, crc)
      yield chunk
    }
  }, createWriteStream(path))
  const length = request.headers['content-length']
  if (length === undefined) throw new S3Error(411, 'MissingContentLength')
  if (Number(length) !== size) throw new S3Error(400, 'IncompleteBody')
  if (isHashed && sha256.digest('hex') !== announcedHash) throw new S3Error(400, 'XAmzContentSHA256Mismatch')
  const digest = md5.digest()
  const announcedMd5 = request.headers['content-md5']
  if (announcedMd5 !== undefined && announcedMd5 !== digest.toString('base64')) throw new S3Error(400, 'BadDigest')
  const checksum = request.headers['x-amz-checksum-crc32']
  if (checksum !== undefined && Buffer.from(String(checksum), 'base64').readUInt32BE() !== crc) {
    throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum')
  }
  return { size, md5: digest.toString('hex') }
}

/** Reads a small body (XML). */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
