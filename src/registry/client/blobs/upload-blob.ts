/** Pushes a blob to a repository. Sends nothing if the repository has the blob. Mounts it if another repository of the
 *  registry has it. Otherwise uploads it, and resumes the upload after a broken connection.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs */
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError, isBerthError, isKind } from '../../../base/index.ts'
import type { Digest } from '../../../oci/index.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import { isRetryable } from '../transport/registry-errors.ts'
import type { RegistryRequest } from '../transport/registry-request.ts'
import { backoffMs } from '../transport/retry.ts'

/** The part of `Repository` that an upload uses. */
export interface UploadTarget {
  /** A request below `/v2/<repository>/`, with retries. */
  request(path: string, options?: RegistryRequest): Promise<HttpResponse>
  /** A request to a URL that the registry gave, without retries. */
  send(method: string, url: string, options?: RegistryRequest): Promise<HttpResponse>
}

/** A local blob to push. */
export interface UploadSource {
  readonly digest: Digest
  readonly sizeBytes: number
  /** Opens the bytes from offset `start` up to, but not including, `end`. */
  open(start: number, end: number): Readable
}

/** The options of `uploadBlob`. */
export interface UploadOptions extends AbortOptions {
  /** Repositories of the same registry that have the blob, the best one first. */
  readonly mountFrom?: readonly string[]
  /** Called with the number of bytes sent so far. */
  readonly onProgress?: (sentBytes: number) => void
  /** Called before each wait for a retry. */
  readonly onRetry?: (delayMs: number, error: unknown) => void
}

/** How the repository got the blob. */
export type UploadOutcome =
  | { readonly type: 'exists' }
  | { readonly type: 'mounted'; readonly from: string }
  | { readonly type: 'uploaded' }

interface Session {
  readonly url: string
  /** Number of bytes that the registry has. */
  readonly offset: number
}

/** Smaller blobs are sent in the request that ends the upload. */
const wholeBytes = 1 << 20
/** After a broken connection, the rest is sent in chunks of this size. */
const chunkBytes = 32 << 20
const maxFailuresInARow = 5
const maxMounts = 3
const maxRedirects = 5
/** After the last byte, a registry may need minutes to verify and move the blob. */
const commitTimeoutMs = 10 * 60_000

/** Resolves when the repository has the blob. Rejects with the registry's error if it refuses the blob. */
export async function uploadBlob(
  target: UploadTarget,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  if (await hasBlob(target, source.digest, options)) return { type: 'exists' }
  const { from, session } = await tryMounts(target, source.digest, options)
  if (from !== undefined) return { type: 'mounted', from }
  return await new BlobUpload(target, source, options).run(session)
}

async function hasBlob(target: UploadTarget, digest: Digest, { signal }: AbortOptions): Promise<boolean> {
  try {
    const response = await target.request(`blobs/${digest}`, { method: 'HEAD', signal })
    response.body.resume()
    return true
  } catch (error) {
    if (isKind(error, 'notFound')) return false
    throw error
  }
}

/** Tries to mount the blob. A registry that can't mount it begins an upload, which is used then. */
async function tryMounts(
  target: UploadTarget,
  digest: Digest,
  { mountFrom = [], signal }: UploadOptions,
): Promise<{ readonly from?: string; readonly session?: Session }> {
  for (const [at, from] of mountFrom.slice(0, maxMounts).entries()) {
    try {
      const query = new URLSearchParams({ mount: digest, from })
      const scopes = [`repository:${from}:pull`]
      const response = await target.request(`blobs/uploads/?${query}`, { method: 'POST', scopes, signal })
      response.body.resume()
      if (response.status === 201) return { from }
      const session = sessionOf(response, 0)
      if (at === Math.min(mountFrom.length, maxMounts) - 1) return { session }
      // The next repository may work, so this upload is cancelled.
      await target.send('DELETE', session.url, { signal }).then(({ body }) => body.resume(), () => undefined) // biome-ignore format: one line
    } catch (error) {
      // The user may not read the other repository, so the blob is uploaded.
      if (!isKind(error, 'unauthorized') && !isKind(error, 'forbidden') && !isKind(error, 'notFound')) throw error
    }
  }
  return {}
}

/** One upload with all its retries. */
class BlobUpload {
  readonly #target: UploadTarget
  readonly #source: UploadSource
  readonly #options: UploadOptions
  #session: Session | undefined
  #brokeOnce = false

  constructor(target: UploadTarget, source: UploadSource, options: UploadOptions) {
    this.#target = target
    this.#source = source
    this.#options = options
  }

  async run(begun: Session | undefined): Promise<UploadOutcome> {
    this.#session = begun
    let failures = 0
    let reached = 0
    for (;;) {
      try {
        if (failures > 0 && (await this.#recover(this.#session))) return { type: 'uploaded' }
        this.#session ??= await this.#begin()
        await this.#sendAll(this.#session)
        return { type: 'uploaded' }
      } catch (error) {
        this.#brokeOnce = true
        const offset = this.#session?.offset ?? 0
        failures = offset > reached ? 1 : failures + 1
        reached = Math.max(reached, offset)
        // If the upload could not even begin, that request has already been retried.
        const isOver = this.#session === undefined || failures >= maxFailuresInARow || !mayPass(error)
        if (isOver || this.#options.signal?.aborted === true) throw error
        await this.#pause(failures, error)
      }
    }
  }

  async #begin(): Promise<Session> {
    const { signal } = this.#options
    const response = await this.#target.request('blobs/uploads/', { method: 'POST', signal })
    response.body.resume()
    return sessionOf(response, 0)
  }

  async #sendAll(session: Session): Promise<void> {
    const { sizeBytes } = this.#source
    let now = session
    if (sizeBytes > wholeBytes) while (now.offset < sizeBytes) now = await this.#sendChunk(now)
    await this.#commit(now)
  }

  /** Sends everything in one request, because some registries accept only one. After a broken connection, sends
   *  chunks. */
  async #sendChunk({ url, offset }: Session): Promise<Session> {
    const { sizeBytes } = this.#source
    const end = this.#brokeOnce ? Math.min(offset + chunkBytes, sizeBytes) : sizeBytes
    const response = await sendOn(this.#target, 'PATCH', url, {
      headers: {
        'Content-Type': 'application/octet-stream',
        ...(offset === 0 && end === sizeBytes ? {} : { 'Content-Range': `${offset}-${end - 1}` }),
      },
      body: this.#body(offset, end),
      signal: this.#options.signal,
    })
    response.body.resume()
    this.#session = sessionOf(response, end)
    return this.#session
  }

  async #commit({ url, offset }: Session): Promise<void> {
    const { digest, sizeBytes } = this.#source
    const target = new URL(url)
    target.searchParams.set('digest', digest)
    const response = await sendOn(this.#target, 'PUT', target.toString(), {
      headers: { 'Content-Type': 'application/octet-stream' },
      body: offset === sizeBytes ? '' : this.#body(offset, sizeBytes),
      idleTimeoutMs: commitTimeoutMs,
      signal: this.#options.signal,
    })
    response.body.resume()
  }

  #body(start: number, end: number): NonNullable<RegistryRequest['body']> {
    const { onProgress } = this.#options
    const open = (): Readable => {
      const stream = this.#source.open(start, end)
      let sent = start
      if (onProgress !== undefined) {
        stream.on('data', (chunk: Buffer) => {
          sent += chunk.length
          onProgress(sent)
        })
        stream.pause()
      }
      return stream
    }
    return { sizeBytes: end - start, open }
  }

  /** After a failure, asks what the registry has. True if it has the whole blob. An upload that is gone or empty is
   *  begun again. */
  async #recover(session: Session | undefined): Promise<boolean> {
    const { signal } = this.#options
    // The registry may have completed the upload, and only its answer was lost.
    if (await hasBlob(this.#target, this.#source.digest, { signal })) return true
    const kept = session === undefined ? undefined : await this.#ask(session)
    this.#session = kept === undefined || kept.offset === 0 ? await this.#begin() : kept
    return false
  }

  async #ask({ url }: Session): Promise<Session | undefined> {
    try {
      const response = await this.#target.send('GET', url, { signal: this.#options.signal })
      response.body.resume()
      return sessionOf(response, 0)
    } catch (error) {
      if (isBerthError(error) && error.details.status !== undefined && !isRetryable(error)) return undefined
      throw error
    }
  }

  async #pause(failures: number, error: unknown): Promise<void> {
    const { signal, onRetry } = this.#options
    const delayMs = backoffMs(failures, error)
    onRetry?.(delayMs, error)
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
  }
}

/** Sends a request and follows redirects, with the whole body each time. */
async function sendOn(
  target: UploadTarget,
  method: string,
  url: string,
  options: RegistryRequest,
): Promise<HttpResponse> {
  let next = url
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const response = await target.send(method, next, options)
    const { location } = response.headers
    if ((response.status !== 307 && response.status !== 308) || location === undefined) return response
    response.body.resume()
    next = new URL(location, response.url).toString()
  }
  throw new BerthError('unavailable', `registry redirects an upload more than ${maxRedirects} times`)
}

/** The state of the upload from a registry's answer. `Range: 0-9` means ten bytes; some registries omit it. */
function sessionOf({ headers, url, status }: HttpResponse, assumedOffset: number): Session {
  const { location } = headers
  if (location === undefined || status >= 300) {
    throw new BerthError('unavailable', `registry answered ${status} to an upload without saying where it goes on`)
  }
  const end = /^(?:bytes[= ])?0-(\d+)/.exec(headers.range ?? '')?.[1]
  // `0-0` can mean one byte or none: registries also send it for a new upload.
  const offset = end === undefined ? assumedOffset : end === '0' ? Math.min(assumedOffset, 1) : Number(end) + 1
  return { url: new URL(location, url).toString(), offset }
}

/** True for errors after which a retry makes sense, also for a restarting registry and for one that lost a part of the
 *  upload (416) or all of it (404). */
function mayPass(error: unknown): boolean {
  if (isRetryable(error)) return true
  if (!isBerthError(error)) return false
  const { errno, status } = error.details
  return errno === 'ECONNREFUSED' || status === 404 || status === 416
}
