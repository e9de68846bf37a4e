/** One repository of a registry, as one user sees it, at the first of its endpoints that answers. */
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
  type Reference,
} from '../../oci/index.ts'
import { parseChallenges } from './auth-challenge.ts'
import { type BlobRequest, readBlob } from './blob-stream.ts'
import { basicHeader, type RegistryAuth } from './credentials.ts'
import type { Endpoint } from './endpoints.ts'
import { type HttpResponse, type HttpTransport, type RequestBody, readBody } from './http-transport.ts'
import { isWrongScheme, statusError } from './registry-errors.ts'
import { withRetry } from './retry.ts'
import type { TokenSource } from './token-source.ts'

export interface RepositoryOptions {
  readonly reference: Reference
  readonly auth: RegistryAuth
  readonly endpoints: readonly Endpoint[]
  readonly transport: HttpTransport
  readonly tokens: TokenSource
  readonly logger: Logger
  /** What tokens are asked for; absent: `pull`. */
  readonly actions?: 'pull' | 'pull,push' | undefined
  /** Told which endpoint answered, so that the next pull begins there. */
  readonly onEndpoint: (endpoint: Endpoint) => void
}

/** A manifest or index as it was sent: its bytes are what its digest is over. */
export interface FetchedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

export interface RegistryRequest extends AbortOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly idleTimeoutMs?: number
}

const maxManifestBytes = 4 << 20
const maxTagPages = 1000
const maxErrorBytes = 65_536
const unknownManifest = Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')

/** Reads manifests and prepares requests for blobs. Cheap: made for each pull. */
export class Repository {
  readonly #options: RepositoryOptions
  #endpoint: Endpoint | undefined
  #authorization: string | undefined

  constructor(options: RepositoryOptions) {
    this.#options = options
    const { registryToken } = options.auth
    if (registryToken !== undefined) this.#authorization = `Bearer ${registryToken}`
  }

  /** What a tag or digest points to, without its bytes. */
  async resolve(target: string, options: AbortOptions = {}): Promise<Descriptor> {
    const response = await this.request(`manifests/${target}`, {
      method: 'HEAD',
      headers: { Accept: acceptedManifestTypes.join(', ') },
      ...options,
    })
    response.body.resume()
    const digest = response.headers['docker-content-digest']
    const size = Number(response.headers['content-length'])
    if (typeof digest !== 'string' || !Number.isSafeInteger(size)) {
      return (await this.fetchManifest(target, options)).descriptor
    }
    return { mediaType: mediaTypeOf(response), digest: digest as Digest, size }
  }

  /** Fetches a manifest by tag or digest; verified when a digest is asked for. */
  async fetchManifest(target: string, options: AbortOptions = {}): Promise<FetchedManifest> {
    return withRetry(async () => {
      const response = await this.#request('GET', `manifests/${target}`, {
        headers: { Accept: acceptedManifestTypes.join(', ') },
        ...options,
      })
      const bytes = await readBody(response.body, maxManifestBytes + 1)
      if (bytes.length > maxManifestBytes) throw new BerthError('invalidArgument', 'manifest is larger than 4 MiB')
      const wanted = isDigest(target) ? target : undefined
      const digest = digestOf(bytes, wanted === undefined ? 'sha256' : algorithmOf(wanted))
      if (wanted !== undefined && wanted !== digest) {
        throw new BerthError('dataLoss', `manifest verification failed for digest ${target}`)
      }
      return { descriptor: { mediaType: mediaTypeOf(response), digest, size: bytes.length }, bytes }
    }, options)
  }

  /** The request for a blob, to be sent by `readBlob` here or in a worker. */
  async blobRequest(digest: Digest, refused: boolean, options: AbortOptions = {}): Promise<BlobRequest> {
    const endpoint = this.#endpoint ?? (await this.#probe(options))
    const url = this.#url(endpoint, `blobs/${digest}`)
    if (refused) {
      // A fresh token is had by showing the registry's own challenge to the token server again.
      const response = await this.#send(endpoint, 'HEAD', url, options, true)
      response.body.resume()
    }
    return { url, headers: this.#credentials(), insecureTls: endpoint.insecureTls }
  }

  /** A small blob, whole and verified. */
  async fetchBlob({ digest, size }: Descriptor, options: AbortOptions = {}): Promise<Buffer> {
    const chunks: Buffer[] = []
    const authorize = (refused: boolean) => this.blobRequest(digest, refused, options)
    const stream = readBlob(this.#options.transport, authorize, { sizeBytes: size, ...options })
    for await (const chunk of stream) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    if (!isDigestOf(digest, bytes)) throw new BerthError('dataLoss', `blob verification failed for digest ${digest}`)
    return bytes
  }

  /** All tags, in the registry's order. */
  async listTags(options: AbortOptions = {}): Promise<string[]> {
    const tags: string[] = []
    let path: string | undefined = 'tags/list?n=1000'
    for (let page = 0; path !== undefined && page < maxTagPages; page += 1) {
      const response: HttpResponse = await this.request(path, options)
      const value: unknown = JSON.parse((await readBody(response.body, maxManifestBytes)).toString('utf8'))
      if (isObject(value) && Array.isArray(value.tags)) tags.push(...value.tags.map(String))
      path = nextPage(response.headers.link)
    }
    return tags
  }

  /** Any other request to the repository: `path` is below `/v2/<repository>/`. Statuses from 400 on throw. */
  request(path: string, { method = 'GET', ...options }: RegistryRequest = {}): Promise<HttpResponse> {
    return withRetry(() => this.#request(method, path, options), options)
  }

  /** One try at a URL that the registry gave (an upload's). Only the registry itself gets the credentials.
   *  Statuses from 400 on throw. */
  async send(method: string, url: string, options: RegistryRequest = {}): Promise<HttpResponse> {
    const endpoint = this.#endpoint ?? (await this.#probe(options))
    const isHere = new URL(url).origin === new URL(endpoint.baseUrl).origin
    const { transport } = this.#options
    const { insecureTls } = endpoint
    const response = isHere
      ? await this.#send(endpoint, method, url, options, false)
      : await transport.send({ ...options, method, url, insecureTls })
    return await checked(response, method, url)
  }

  /** Sends to the endpoint that is known to answer, or tries all of them in order. */
  async #request(method: string, path: string, options: RegistryRequest): Promise<HttpResponse> {
    if (this.#endpoint !== undefined) return this.#checked(this.#endpoint, method, path, options)
    let failure: unknown
    for (const [index, endpoint] of this.#options.endpoints.entries()) {
      try {
        const response = await this.#checked(endpoint, method, path, options)
        this.#endpoint = endpoint
        this.#options.onEndpoint(endpoint)
        return response
      } catch (error) {
        if (isKind(error, 'cancelled')) throw error
        failure = worthier(failure, error)
        const isLast = index === this.#options.endpoints.length - 1
        if (isLast || !(endpoint.isMirror || isWrongScheme(error))) throw failure
        this.#options.logger.debug('registry endpoint failed, trying the next', {
          endpoint: endpoint.baseUrl,
          error: messageOf(error),
        })
      }
    }
    throw failure ?? new BerthError('internal', 'registry has no endpoint')
  }

  async #probe(options: AbortOptions): Promise<Endpoint> {
    const response = await this.request('tags/list?n=1', options)
    response.body.resume()
    if (this.#endpoint === undefined) throw new BerthError('internal', 'no endpoint of the registry answered')
    return this.#endpoint
  }

  async #checked(endpoint: Endpoint, method: string, path: string, options: RegistryRequest): Promise<HttpResponse> {
    const url = this.#url(endpoint, path)
    return await checked(await this.#send(endpoint, method, url, options, false), method, url)
  }

  /** Sends with the credentials known so far; on 401 answers the challenge and sends once more. */
  async #send(
    endpoint: Endpoint,
    method: string,
    url: string,
    options: RegistryRequest,
    refresh: boolean,
  ): Promise<HttpResponse> {
    const { transport } = this.#options
    const { insecureTls } = endpoint
    const attempt = (credentials: Record<string, string>) =>
      transport.send({ ...options, method, url, headers: { ...options.headers, ...credentials }, insecureTls })
    const response = await attempt(refresh ? {} : this.#credentials())
    if (response.status !== 401) return response
    const header = response.headers['www-authenticate']
    if (header === undefined || !(await this.#answer(header, endpoint, refresh, options))) return response
    response.body.resume()
    return attempt(this.#credentials())
  }

  /** Gets credentials for a challenge; false when there are none to give. */
  async #answer(header: string, endpoint: Endpoint, refresh: boolean, options: AbortOptions): Promise<boolean> {
    const { auth, tokens } = this.#options
    if (auth.registryToken !== undefined) return false
    const challenges = parseChallenges(header)
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer')
    if (bearer !== undefined) {
      const { realm = '', service = '', scope } = bearer.parameters
      const request = { realm, service, scope: this.#scope(scope), auth, insecureTls: endpoint.insecureTls, ...options }
      const isStale = refresh || this.#authorization !== undefined
      this.#authorization = `Bearer ${await tokens.token(request, isStale)}`
      return true
    }
    const basic = challenges.some((challenge) => challenge.scheme === 'basic') ? basicHeader(auth) : undefined
    if (basic === undefined || basic === this.#authorization) return false
    this.#authorization = basic
    return true
  }

  /** The scope that the registry asks for; for a push also what it will ask for next. */
  #scope(asked: string | undefined): string {
    const { actions = 'pull', reference } = this.#options
    const prefix = `repository:${reference.repository}:`
    if (actions === 'pull') return asked ?? `${prefix}${actions}`
    const others = (asked ?? '').split(' ').filter((one) => one !== '' && !one.startsWith(prefix))
    return [`${prefix}${actions}`, ...others].join(' ')
  }

  #credentials(): Record<string, string> {
    return this.#authorization === undefined ? {} : { Authorization: this.#authorization }
  }

  #url(endpoint: Endpoint, path: string): string {
    return `${endpoint.baseUrl}/v2/${this.#options.reference.repository}/${path}`
  }
}

/** The response, unless its status says that it is a failure. */
async function checked(response: HttpResponse, method: string, url: string): Promise<HttpResponse> {
  if (response.status < 400) return response
  const body = await readBody(response.body, maxErrorBytes)
  // A HEAD's answer has no body that could say so.
  const isBare = method === 'HEAD' && response.status === 404
  throw statusError(response.status, isBare ? unknownManifest : body, method, url, response.headers['retry-after'])
}

function mediaTypeOf(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
}

/** The query of `Link: </v2/x/tags/list?n=1000&last=y>; rel="next"`. */
function nextPage(link: string | string[] | undefined): string | undefined {
  const match = /<[^>]*\/(tags\/list\?[^>]*)>\s*;\s*rel="?next"?/.exec(String(link ?? ''))
  return match?.[1]
}

/** Of two failures the one that tells the user more: an answer beats a connection that failed. */
function worthier(first: unknown, second: unknown): unknown {
  if (first === undefined) return second
  const answered = (error: unknown) => isBerthError(error) && error.details.status !== undefined
  if (answered(first) && !answered(second)) return first
  const refused = (error: unknown) => isBerthError(error) && error.details.errno === 'ECONNREFUSED'
  return refused(first) && refused(second) ? first : second
}
