/** One repository of a registry, accessed by one user through the first endpoint that answers. */
import { type AbortOptions, BerthError, isBerthError, isKind, type Logger, messageOf } from '../../base/index.ts'
import {
  acceptedManifestTypes,
  algorithmOf,
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isDigestOf,
  isObject,
  parseManifestDocument,
  type Reference,
} from '../../oci/index.ts'
import type { RegistryAuth } from './auth/credentials.ts'
import { EndpointSession } from './auth/endpoint-session.ts'
import type { TokenSource } from './auth/token-source.ts'
import { BlobOrigin } from './blobs/blob-origin.ts'
import { type BlobProblem, readBlob } from './blobs/blob-stream.ts'
import type { Endpoint } from './transport/endpoints.ts'
import { type HttpResponse, type HttpTransport, readBody } from './transport/http-transport.ts'
import { isRetryable, isWrongScheme, responseError } from './transport/registry-errors.ts'
import type { RegistryRequest } from './transport/registry-request.ts'
import { withRetry } from './transport/retry.ts'

/** What a `Repository` needs. */
export interface RepositoryOptions {
  readonly reference: Reference
  readonly auth: RegistryAuth
  /** The best endpoint comes first. */
  readonly endpoints: () => Promise<readonly Endpoint[]>
  readonly transport: HttpTransport
  readonly tokens: TokenSource
  readonly logger: Logger
  /** The actions that tokens must allow. Default: `pull`. */
  readonly actions?: 'pull' | 'pull,push' | undefined
  /** Called with the endpoint that answered, so that the next pull begins there. */
  readonly onEndpoint: (endpoint: Endpoint) => void
}

/** A manifest or index with its bytes as the registry sent them, over which the digest is computed. */
export interface FetchedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

const maxManifestBytes = 4 << 20
const maxTagPages = 1000
const maxErrorBytes = 65_536
const maxTagsBytes = 32 << 20
const bareBodies: Readonly<Record<number, Buffer>> = {
  401: Buffer.from('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'),
  403: Buffer.from('{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'),
  404: Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'),
}

/** Reads manifests, tags and blobs, and sends other requests. Cheap to make, so each pull and push makes one. Methods
 *  reject with the registry's errors as `transport/registry-errors.ts` classifies them, and with `cancelled` for the
 *  signal. */
export class Repository {
  readonly #options: RepositoryOptions
  /** The endpoints that may still answer, the best one first. Made on first use. */
  #sessions: Promise<EndpointSession[]> | undefined
  /** The session that answered last. */
  #current: EndpointSession | undefined

  constructor(options: RepositoryOptions) {
    this.#options = options
  }

  /** The descriptor of a tag or digest. */
  async resolve(target: string, options: AbortOptions = {}): Promise<Descriptor> {
    const response = await this.request(`manifests/${target}`, {
      method: 'HEAD',
      headers: { Accept: acceptedManifestTypes.join(', ') },
      ...options,
    })
    response.body.resume()
    const digest = isDigest(target) ? target : response.headers['docker-content-digest']
    const size = Number(response.headers['content-length'])
    if (!isDigest(digest) || !Number.isSafeInteger(size)) {
      return (await this.fetchManifest(target, options)).descriptor
    }
    return { mediaType: mediaTypeOf(response), digest, size }
  }

  /** Fetches a manifest by tag or digest. Rejects with `dataLoss` if the bytes don't have the requested digest. */
  async fetchManifest(target: string, options: AbortOptions = {}): Promise<FetchedManifest> {
    return withRetry(() => this.#first(options, (session) => fetchFrom(session, target, options)), options)
  }

  /** The places from which `readBlob` gets a blob, here or in a worker. `urls` are those of a foreign layer. */
  async blobOrigin(
    digest: Digest,
    options: AbortOptions & { readonly urls?: readonly string[] | undefined } = {},
  ): Promise<BlobOrigin> {
    const current = this.#current ?? (await this.#probe(options))
    const sessions = await this.#endpoints()
    return new BlobOrigin({ digest, sessions: sessions.slice(Math.max(0, sessions.indexOf(current))), ...options })
  }

  /** A blob's bytes from offset `from` on, not verified. Broken connections are resumed. */
  async *openBlob(
    { digest, size, urls }: Descriptor,
    { from, signal }: AbortOptions & { readonly from?: number } = {},
  ): AsyncGenerator<Buffer, void, undefined> {
    const origin = await this.blobOrigin(digest, { urls, signal })
    const options = { sizeBytes: size, signal, ...(from === undefined ? {} : { from }) }
    yield* readBlob(this.#options.transport, (problem) => origin.authorize(problem), options)
  }

  /** Reads a small blob whole. Rejects with `dataLoss` if no place has the right bytes. */
  async fetchBlob({ digest, size, urls }: Descriptor, { signal }: AbortOptions = {}): Promise<Buffer> {
    const origin = await this.blobOrigin(digest, { urls, signal })
    const authorize = (problem?: BlobProblem) => origin.authorize(problem)
    for (;;) {
      const chunks: Buffer[] = []
      for await (const chunk of readBlob(this.#options.transport, authorize, { sizeBytes: size, signal })) {
        chunks.push(chunk)
      }
      const bytes = Buffer.concat(chunks)
      if (isDigestOf(digest, bytes)) return bytes
      if (!origin.distrust()) throw new BerthError('dataLoss', `blob verification failed for digest ${digest}`)
    }
  }

  /** All tags, in the registry's order. */
  async listTags(options: AbortOptions = {}): Promise<string[]> {
    const tags: string[] = []
    let path: string | undefined = 'tags/list'
    for (let page = 0; path !== undefined && page < maxTagPages; page += 1) {
      const response: HttpResponse = await this.request(path, options)
      tags.push(...parseTags(await readBody(response.body, maxTagsBytes)))
      path = nextPage(response.headers.link)
    }
    return tags
  }

  /** Sends any other request, with retries. `path` is below `/v2/<repository>/`. Rejects for statuses from 400 on. */
  request(path: string, { method = 'GET', ...options }: RegistryRequest = {}): Promise<HttpResponse> {
    const work = async (session: EndpointSession): Promise<HttpResponse> => {
      const url = session.urlOf(path)
      return await checked(await session.send(method, url, options), method, url)
    }
    return withRetry(() => this.#first(options, work), options)
  }

  /** Sends one request, without retries, to a URL that the registry gave, for example for an upload. The credentials
   *  are sent only to the registry itself. Rejects for statuses from 400 on. */
  async send(method: string, url: string, options: RegistryRequest = {}): Promise<HttpResponse> {
    const session = this.#current ?? (await this.#probe(options))
    const isHere = new URL(url).origin === new URL(session.endpoint.baseUrl).origin
    const { insecureTls, host: registryHost } = session.endpoint
    const response = isHere
      ? await session.send(method, url, options)
      : await this.#options.transport.send({ ...withoutScopes(options), method, url, insecureTls, registryHost })
    return await checked(response, method, url)
  }

  /** Runs `work` at the first endpoint where it succeeds. After any failure of a mirror the next endpoint is tried;
   *  after a failure of the registry's HTTPS endpoint only if that doesn't speak TLS. */
  async #first<T>({ signal }: AbortOptions, work: (session: EndpointSession) => Promise<T>): Promise<T> {
    const sessions = await this.#endpoints()
    for (const session of [...sessions]) {
      try {
        const result = await work(session)
        this.#settle(sessions, session)
        return result
      } catch (error) {
        if (signal?.aborted === true || isKind(error, 'cancelled')) throw error
        const { isMirror, baseUrl } = session.endpoint
        if (session === sessions.at(-1) || !(isMirror || isWrongScheme(error))) throw error
        // An endpoint that is down is not tried again.
        if (!hasAnswered(error) || isRetryable(error)) remove(sessions, session)
        const level = isMirror ? 'info' : 'debug'
        this.#options.logger[level]('registry endpoint failed, trying the next', {
          endpoint: baseUrl,
          error: messageOf(error),
        })
      }
    }
    throw new BerthError('internal', 'registry has no endpoint')
  }

  /** Prefers the session that answered. Of a registry's HTTPS and HTTP endpoints, only the one that answered stays. */
  #settle(sessions: EndpointSession[], session: EndpointSession): void {
    if (this.#current === session) return
    this.#current = session
    if (session.endpoint.isMirror) return
    for (const other of [...sessions]) if (other !== session && !other.endpoint.isMirror) remove(sessions, other)
    this.#options.onEndpoint(session.endpoint)
  }

  /** Finds the first endpoint that answers. */
  #probe(options: AbortOptions): Promise<EndpointSession> {
    return this.#first(options, async (session) => {
      const response = await session.send('GET', `${session.endpoint.baseUrl}/v2/`, { signal: options.signal })
      response.body.resume()
      return session
    })
  }

  #endpoints(): Promise<EndpointSession[]> {
    this.#sessions ??= this.#options.endpoints().then((endpoints) => endpoints.map((one) => this.#session(one)))
    return this.#sessions
  }

  #session(endpoint: Endpoint): EndpointSession {
    const { auth, reference, actions = 'pull', transport, tokens } = this.#options
    return new EndpointSession({
      endpoint,
      // The user's password is for the registry, not for the operator of a mirror.
      auth: endpoint.isMirror ? {} : auth,
      repository: reference.repository,
      actions,
      transport,
      tokens,
    })
  }
}

async function fetchFrom(session: EndpointSession, target: string, options: AbortOptions): Promise<FetchedManifest> {
  const url = session.urlOf(`manifests/${target}`)
  const request = { headers: { Accept: acceptedManifestTypes.join(', ') }, ...options }
  const response = await checked(await session.send('GET', url, request), 'GET', url)
  const bytes = await readBody(response.body, maxManifestBytes + 1)
  if (bytes.length > maxManifestBytes) throw new BerthError('invalidArgument', 'manifest is larger than 4 MiB')
  const wanted = isDigest(target) ? target : undefined
  const digest = digestOf(bytes, wanted === undefined ? 'sha256' : algorithmOf(wanted))
  if (wanted !== undefined && wanted !== digest) {
    throw new BerthError('dataLoss', `manifest verification failed for digest ${target}`)
  }
  // A mirror may answer with an error page. Parsing fails then, and the next endpoint is tried.
  if (session.endpoint.isMirror) parseManifestDocument(bytes, mediaTypeOf(response))
  return { descriptor: { mediaType: mediaTypeOf(response), digest, size: bytes.length }, bytes }
}

function withoutScopes({ scopes, ...request }: RegistryRequest): Omit<RegistryRequest, 'scopes'> {
  return request
}

function remove<T>(list: T[], element: T): void {
  const at = list.indexOf(element)
  if (at !== -1) list.splice(at, 1)
}

/** Returns the response. Throws its error if the status is 400 or above. */
async function checked(response: HttpResponse, method: string, url: string): Promise<HttpResponse> {
  if (response.status < 400) return response
  const body = await readBody(response.body, maxErrorBytes)
  // The answer to HEAD has no body with an error code.
  const bare = method === 'HEAD' ? bareBodies[response.status] : undefined
  throw responseError({ ...response, url }, method, bare ?? body)
}

function mediaTypeOf(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
}

function parseTags(body: Buffer): string[] {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new BerthError('unavailable', 'registry answered a list of tags that is not JSON', { cause })
  }
  return isObject(value) && Array.isArray(value.tags) ? value.tags.map(String) : []
}

/** The query of `Link: </v2/x/tags/list?n=1000&last=y>; rel="next"`. */
function nextPage(link: string | string[] | undefined): string | undefined {
  const match = /<[^>]*\/(tags\/list\?[^>]*)>\s*;\s*rel="?next"?/.exec(String(link ?? ''))
  return match?.[1]
}

function hasAnswered(error: unknown): boolean {
  return isBerthError(error) && error.details.status !== undefined
}
