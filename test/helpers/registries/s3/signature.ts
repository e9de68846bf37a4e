/** Checks AWS Signature Version 4 as S3 does: header form only, with the payload hashed, unsigned, or in chunks with
 *  an unsigned trailer. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { S3Error } from './errors.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const pattern = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/ // biome-ignore format: one line
const maxSkewMs = 15 * 60_000

/** Throws S3's error if the signature is wrong or missing. */
export function checkSignature(request: IncomingMessage, { accessKeyId, secretAccessKey }: Credentials): void {
  const match = pattern.exec(request.headers.authorization ?? '')
  if (match === null) throw new S3Error(403, 'AccessDenied', 'Access Denied')
  const [, key, day = '', region = '', signedHeaders = '', signature = ''] = match
  if (key !== accessKeyId) throw new S3Error(403, 'InvalidAccessKeyId', 'The key does not exist in our records')
  const time = String(request.headers['x-amz-date'])
  if (!time.startsWith(day) || Math.abs(Date.now() - parseTime(time)) > maxSkewMs) {
    throw new S3Error(403, 'RequestTimeTooSkewed', 'The difference between the request time and ours is too large')
  }
  const names = signedHeaders.split(';')
  for (const name of Object.keys(request.headers)) {
    if ((name === 'host' || name.startsWith('x-amz-')) && !names.includes(name)) {
      throw new S3Error(403, 'AccessDenied', `There were headers present in the request which were not signed: ${name}`)
    }
  }
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonicalRequest(request, names))].join('\n')
  let signing: string | Buffer = `AWS4${secretAccessKey}`
  for (const part of [day, region, 's3', 'aws4_request', text]) signing = createHmac('sha256', signing).update(part).digest() // biome-ignore format: one line
  if (!timingSafeEqual(signing as Buffer, Buffer.from(signature, 'hex'))) {
    throw new S3Error(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match')
  }
}

function canonicalRequest(request: IncomingMessage, names: readonly string[]): string {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const pairs = query === '' ? [] : query.split('&').map((pair) => (pair.includes('=') ? pair : `${pair}=`))
  const headers = names.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  return [
    request.method,
    path,
    pairs.sort().join('&'),
    headers.join(''),
    names.join(';'),
    String(request.headers['x-amz-content-sha256']),
  ].join('\n')
}

function parseTime(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
