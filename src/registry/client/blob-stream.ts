/** A blob's bytes from a registry, as one stream that survives broken connections: it goes on from the
 *  byte where it stopped. Needs nothing of the main thread, so it also runs inside workers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError, isBerthError } from '../../base/index.ts'
import { type HttpResponse, type HttpTransport, readBody } from './http-transport.ts'
import { connectionError, isRetryable, statusError } from './registry-errors.ts'
import { backoffMs } from './retry.ts'

/** A request for a blob, ready to be sent: plain data that can be handed to a worker. */
export interface BlobRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly insecureTls: boolean
}

/** Gives the request to send; `refused` when the registry did not take the last one's credentials. */
export type BlobAuthorizer = (refused: boolean) => Promise<BlobRequest>

export interface BlobStreamOptions extends AbortOptions {
  /** First byte that is wanted. */
  readonly from?: number
  readonly sizeBytes: number
  /** Called before each wait for another try. */
  readonly onRetry?: (delayMs: number, error: unknown) => void
}

const maxFailuresInARow = 5

/** Yields the bytes from `from` to `sizeBytes`. Throws `dataLoss` when the registry sends more or other. */
export async function* readBlob(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  options: BlobStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { sizeBytes, signal } = options
  let offset = options.from ?? 0
  let failures = 0
  while (offset < sizeBytes) {
    const before = offset
    try {
      const response = await openAt(transport, authorize, offset, signal)
      for await (const chunk of chunksOf(response, offset, signal)) {
        offset += chunk.length
        if (offset > sizeBytes) throw new BerthError('dataLoss', `registry sent more than ${sizeBytes} bytes`)
        yield chunk
      }
      if (offset < sizeBytes) throw cutShort(response.url)
    } catch (error) {
      failures = offset > before ? 1 : failures + 1
      if (signal?.aborted === true || failures >= maxFailuresInARow || !mayPass(error)) throw error
      await pause(failures, error, options)
    }
  }
}

async function pause(failures: number, error: unknown, { signal, onRetry }: BlobStreamOptions): Promise<void> {
  const delayMs = backoffMs(failures, error)
  onRetry?.(delayMs, error)
  await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
}

async function openAt(
  transport: HttpTransport,
  authorize: BlobAuthorizer,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  for (let attempt = 0; ; attempt += 1) {
    const request = await authorize(attempt > 0)
    const range: Record<string, string> = offset === 0 ? {} : { Range: `bytes=${offset}-` }
    const response = await transport.send({
      url: request.url,
      headers: { ...request.headers, ...range, 'Accept-Encoding': 'identity' },
      insecureTls: request.insecureTls,
      signal,
    })
    if (response.status === 200 || response.status === 206) return response
    const body = await readBody(response.body, 65_536)
    if (response.status === 401 && attempt === 0) continue
    throw statusError(response.status, body, 'GET', response.url, response.headers['retry-after'])
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
  return isRetryable(error) || (isBerthError(error) && error.details.errno === 'ECONNREFUSED')
}
