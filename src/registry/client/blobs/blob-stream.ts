/** Reads a blob from a registry. After a broken connection it resumes at the byte where it stopped. It also runs in
 *  worker threads, since it needs nothing from the main thread. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError, isBerthError } from '../../../base/index.ts'
import { type HttpResponse, type HttpTransport, readBody } from '../transport/http-transport.ts'
import { connectionError, responseError } from '../transport/registry-errors.ts'
import { backoffMs, isWorthRetrying } from '../transport/retry.ts'

/** A complete request for a blob. Plain data that can be passed to a worker. */
export interface BlobRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly insecureTls: boolean
  readonly registryHost?: string | undefined
  /** Another place may have the blob, too, so this one gets fewer retries. */
  readonly hasOthers: boolean
}

/** Why the last request failed: its credentials were refused, with this challenge, or the place can't give the blob.
 *  Plain data. */
export type BlobProblem =
  | { readonly type: 'refused'; readonly challenge: string; readonly authorization: string | undefined }
  | { readonly type: 'failed' }

/** Gives the request to send after `problem`, if any; undefined if there is none. */
export type BlobAuthorizer = (problem?: BlobProblem) => Promise<BlobRequest | undefined>

/** The options of `readBlob`. */
export interface BlobStreamOptions extends AbortOptions {
  /** Offset of the first byte to read. Default: 0. */
  readonly from?: number
  /** The blob's whole size. */
  readonly sizeBytes: number
  /** Called before each wait for a retry. */
  readonly onRetry?: ((delayMs: number, error: unknown) => void) | undefined
}

const maxFailuresInARow = 5

/** Yields the bytes from `from` to `sizeBytes`, not verified. Rejects with `dataLoss` if the registry sends too many
 *  bytes or another range, and with the last error if no place can give the rest. */
export async function* readBlob(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  options: BlobStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { sizeBytes } = options
  let offset = options.from ?? 0
  // Failed requests in a row without a new byte.
  let failures = 0
  while (offset < sizeBytes) {
    const before = offset
    const request = await authorize()
    if (request === undefined) throw new BerthError('unavailable', 'no registry has the blob')
    try {
      for await (const chunk of readOnce(transport, authorize, request, offset, options)) {
        offset += chunk.length
        yield chunk
      }
    } catch (error) {
      failures = offset > before ? 0 : failures + 1
      if (await goesOn(error, failures, request, authorize, options)) failures = 0
    }
  }
}

/** Yields the bytes from `offset` on that one connection brings. Throws if they are not all. */
async function* readOnce(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  request: BlobRequest,
  offset: number,
  { sizeBytes, signal }: BlobStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const response = await openAt(transport, authorize, request, offset, signal)
  let reached = offset
  for await (const chunk of chunksOf(response, offset, signal)) {
    reached += chunk.length
    if (reached > sizeBytes) throw new BerthError('dataLoss', `registry sent more than ${sizeBytes} bytes`)
    yield chunk
  }
  if (reached < sizeBytes) throw cutShort(response.url)
}

/** Waits until a retry makes sense. True if the retry is at another place. Throws the error if no retry makes sense. */
async function goesOn(
  error: unknown,
  failures: number,
  { hasOthers }: BlobRequest,
  authorize: BlobAuthorizer,
  options: BlobStreamOptions,
): Promise<boolean> {
  const { signal, onRetry } = options
  if (signal?.aborted === true) throw error
  if (mayPass(error) && failures < (hasOthers ? 1 : maxFailuresInARow)) {
    const delayMs = backoffMs(Math.max(1, failures), error)
    onRetry?.(delayMs, error)
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
    return false
  }
  if (!hasOthers || (await authorize({ type: 'failed' })) === undefined) throw error
  return true
}

async function openAt(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  first: BlobRequest,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  let request = first
  for (let attempt = 0; ; attempt += 1) {
    const { url, headers, insecureTls, registryHost } = request
    const range: Record<string, string> = offset === 0 ? {} : { Range: `bytes=${offset}-` }
    const response = await transport.send({
      url,
      headers: { ...headers, ...range, 'Accept-Encoding': 'identity' },
      insecureTls,
      registryHost,
      signal,
    })
    if (response.status === 200 || response.status === 206) return response
    const body = await readBody(response.body, 65_536)
    const challenge = response.headers['www-authenticate']
    if (response.status === 401 && attempt === 0 && challenge !== undefined) {
      const fresh = await authorize({ type: 'refused', challenge, authorization: headers.Authorization })
      if (fresh !== undefined) {
        request = fresh
        continue
      }
    }
    throw responseError(response, 'GET', body)
  }
}

/** Yields the body from `offset` on, also if the server ignored the range or began earlier. */
async function* chunksOf(
  { status, headers, body, url }: HttpResponse,
  offset: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const start = status === 206 ? Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? offset) : 0
  if (start > offset) {
    body.destroy()
    throw new BerthError('dataLoss', `registry sent bytes from ${start} where ${offset} was asked for`)
  }
  let skip = offset - start
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        throw connectionError(error, 'GET', url, signal)
      })
      if (next.done === true) return
      const chunk = next.value
      if (chunk.length <= skip) {
        skip -= chunk.length
        continue
      }
      yield skip === 0 ? chunk : chunk.subarray(skip)
      skip = 0
    }
  } finally {
    if (!body.readableEnded) body.destroy()
  }
}

function cutShort(url: string): BerthError {
  return new BerthError('unavailable', `Get "${new URL(url).origin}": unexpected EOF`, { details: { retryable: true } })
}

/** True for errors that may pass. A restarting registry refuses connections for a moment, which is worth waiting for
 *  in the middle of a blob. */
function mayPass(error: unknown): boolean {
  return isWorthRetrying(error) || (isBerthError(error) && error.details.errno === 'ECONNREFUSED')
}
