/** A blob's bytes from a registry, as one stream that survives broken connections: it goes on from the
 *  byte where it stopped. Needs nothing of the main thread, so it also runs inside workers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError, isBerthError } from '../../../base/index.ts'
import { type HttpResponse, type HttpTransport, readBody } from '../transport/http-transport.ts'
import { connectionError, responseError } from '../transport/registry-errors.ts'
import { backoffMs, isWorthRetrying } from '../transport/retry.ts'

/** A request for a blob, ready to be sent: plain data that can be handed to a worker. */
export interface BlobRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly insecureTls: boolean
  readonly registryHost?: string | undefined
  /** True when another place has the blob, too: then this one is not waited for. */
  readonly hasOthers: boolean
}

/** Why the last request did not do: its credentials were refused (with this challenge), or the place can't give the
 *  blob. Plain data. */
export type BlobProblem =
  | { readonly type: 'refused'; readonly challenge: string; readonly authorization: string | undefined }
  | { readonly type: 'failed' }

/** Gives the request to send; undefined when there is none after this problem. */
export type BlobAuthorizer = (problem?: BlobProblem) => Promise<BlobRequest | undefined>

export interface BlobStreamOptions extends AbortOptions {
  /** First byte that is wanted. */
  readonly from?: number
  readonly sizeBytes: number
  /** Called before each wait for another try. */
  readonly onRetry?: ((delayMs: number, error: unknown) => void) | undefined
}

const maxFailuresInARow = 5

/** Yields the bytes from `from` to `sizeBytes`. Throws `dataLoss` when the registry sends more or other. */
export async function* readBlob(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  options: BlobStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { sizeBytes } = options
  let offset = options.from ?? 0
  // Tries in a row that brought nothing.
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

/** What one connection brings of the bytes from `offset` on. Throws when that is not all. */
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

/** Waits until another try makes sense; true when that is at another place. Throws the error when there is no hope. */
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

/** The body from `offset` on, also when the server ignored the range or began elsewhere. */
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

/** A registry that restarts refuses connections for a moment: worth waiting for in the middle of a blob. */
function mayPass(error: unknown): boolean {
  return isWorthRetrying(error) || (isBerthError(error) && error.details.errno === 'ECONNREFUSED')
}
