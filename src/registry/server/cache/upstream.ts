/** The cached registry. It is asked with the cache's own credentials, not with the client's. Methods give `undefined`
 *  for things that it doesn't have or to which it refuses access; they reject on all other failures. */
import { type AbortOptions, isBerthError, isKind, type Logger, messageOf } from '../../../base/index.ts'
import { type Descriptor, type Digest, defaultRegistry, isObject } from '../../../oci/index.ts'
import { type FetchedManifest, type RegistryAuth, RegistryClient, type Repository } from '../../client/index.ts'
import type { Referrer } from '../library/pull-source.ts'
import { type BlobDigest, findBlobDigest } from '../model/blob-digest.ts'
import { RegistryError } from '../model/registry-error.ts'
import type { ProxyOptions } from './proxy-options.ts'

/** The names of Docker Hub. */
const hubNames: ReadonlySet<string> = new Set([defaultRegistry, 'index.docker.io', 'registry-1.docker.io'])
const hubHost = 'registry-1.docker.io'
/** After a failure, requests that can be answered from the storage don't ask upstream for this time. */
const downMs = 15_000
/** The same after a 429 without `Retry-After`. */
const limitedMs = 60_000
const maxCatalogBytes = 16 << 20
const maxCatalogPages = 100
const maxRepositories = 256

export class Upstream {
  readonly #client: RegistryClient
  readonly #auth: RegistryAuth
  readonly #url: URL
  readonly #host: string
  readonly #logger: Logger
  /** Connections by repository. After a failure, a new one is made: the old one may know an outdated endpoint or
   *  token. */
  readonly #repositories = new Map<string, Repository>()
  #restsUntil = 0

  constructor({ remote, username, password, client }: ProxyOptions, logger: Logger) {
    this.#url = new URL(remote)
    this.#host = hubNames.has(this.#url.host) ? hubHost : this.#url.host
    this.#auth = username === undefined ? {} : { username, password: password ?? '' }
    this.#logger = logger
    const insecureRegistries = this.#url.protocol === 'http:' ? [this.#host] : []
    this.#client = new RegistryClient({ ...client, insecureRegistries, logger })
  }

  /** True if `namespace`, the registry's host in clients' image names, is the cached registry. */
  serves(namespace: string): boolean {
    return namespace === this.#host || (this.#host === hubHost && hubNames.has(namespace))
  }

  /** True for some time after a failure: upstream should be asked only for contents that are not in the storage. */
  get isResting(): boolean {
    return Date.now() < this.#restsUntil
  }

  /** The descriptor of a tag. */
  resolve(repository: string, tag: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    return this.#ask(repository, (there) => there.resolve(tag, options))
  }

  /** A manifest by tag or digest. One by digest is verified. */
  manifest(repository: string, target: string, options: AbortOptions = {}): Promise<FetchedManifest | undefined> {
    return this.#ask(repository, (there) => there.fetchManifest(target, options))
  }

  /** The size of a blob in bytes. */
  blobSize(repository: string, digest: Digest, options: AbortOptions = {}): Promise<number | undefined> {
    return this.#ask(repository, async (there) => {
      const response = await there.request(`blobs/${digest}`, { method: 'HEAD', ...options })
      response.body.resume()
      const size = Number(response.headers['content-length'] ?? Number.NaN)
      if (!Number.isSafeInteger(size)) throw new RegistryError('UNAVAILABLE', { message: 'upstream names no size' })
      return size
    })
  }

  /** A blob's bytes, not verified. Broken connections are resumed; the generator ends only after the last byte. */
  async *blob(
    repository: string,
    digest: Digest,
    size: number,
    options: AbortOptions = {},
  ): AsyncGenerator<Buffer, void, undefined> {
    const there = this.#repository(repository)
    const mediaType = 'application/octet-stream'
    try {
      yield* there.openBlob({ mediaType, digest, size }, options)
    } catch (error) {
      this.#failed(repository, error)
      throw isUnknown(error) ? new RegistryError('BLOB_UNKNOWN', { detail: { digest }, cause: error }) : answerOf(error)
    }
  }

  /** All tags, in upstream's order. */
  tags(repository: string, options: AbortOptions = {}): Promise<readonly string[] | undefined> {
    return this.#ask(repository, (there) => there.listTags(options))
  }

  /** All repositories; undefined if upstream doesn't list them. */
  repositories(options: AbortOptions = {}): Promise<readonly string[] | undefined> {
    return this.#ask('catalog', async (there) => {
      const names: string[] = []
      let url: string | undefined = new URL('/v2/_catalog?n=1000', this.#url).toString()
      for (let page = 0; url !== undefined && page < maxCatalogPages; page += 1) {
        const { body, headers } = await there.send('GET', url, options)
        names.push(...parseNames(await readText(body)))
        const next: string | undefined = /<([^>]*)>\s*;\s*rel="?next"?/.exec(String(headers.link ?? ''))?.[1]
        url = next === undefined ? undefined : new URL(next, this.#url).toString()
      }
      return names
    })
  }

  /** The manifests with this subject, from the referrers API or else from the index under the fallback tag. */
  async referrers(
    repository: string,
    subject: BlobDigest,
    options: AbortOptions = {},
  ): Promise<readonly Referrer[] | undefined> {
    const listed = await this.#ask(repository, async (there) => {
      const { body } = await there.request(`referrers/${subject}`, options)
      return parseReferrers(await readText(body))
    })
    if (listed !== undefined) return listed
    const tagged = await this.manifest(repository, subject.replace(':', '-'), options)
    return tagged === undefined ? undefined : parseReferrers(tagged.bytes.toString('utf8'))
  }

  close(): void {
    this.#client.close()
  }

  async #ask<T>(repository: string, work: (there: Repository) => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work(this.#repository(repository))
      this.#restsUntil = 0
      return result
    } catch (error) {
      this.#failed(repository, error)
      if (isUnknown(error)) return undefined
      throw answerOf(error)
    }
  }

  #failed(repository: string, error: unknown): void {
    this.#repositories.delete(repository)
    const details = isBerthError(error) ? error.details : {}
    if (isUnknown(error)) {
      const isRefused = details.status === 401 || details.status === 403
      if (isRefused) this.#logger.debug('upstream gives no access', { repository, error: messageOf(error) })
      return
    }
    const restMs = details.status === 429 ? Number(details.retryAfterMs ?? limitedMs) : downMs
    this.#restsUntil = Math.max(this.#restsUntil, Date.now() + restMs)
    this.#logger.warn('upstream failed', { repository, error: messageOf(error) })
  }

  #repository(name: string): Repository {
    const known = this.#repositories.get(name)
    if (known !== undefined) return known
    // On Docker Hub, `busybox` means `library/busybox`.
    const repository = this.#host === hubHost && !name.includes('/') ? `library/${name}` : name
    const made = this.#client.repository({ registry: this.#host, repository }, this.#auth)
    this.#repositories.set(name, made)
    for (const oldest of this.#repositories.keys()) {
      if (this.#repositories.size <= maxRepositories) break
      this.#repositories.delete(oldest)
    }
    return made
  }
}

/** True if upstream doesn't have the content or refuses access to it. Registries often don't distinguish the two. */
function isUnknown(error: unknown): boolean {
  return isKind(error, 'notFound') || isKind(error, 'unauthorized') || isKind(error, 'forbidden')
}

/** The error that the cache's clients get. */
function answerOf(error: unknown): unknown {
  if (error instanceof RegistryError || isKind(error, 'cancelled')) return error
  const { status, retryAfterMs } = isBerthError(error) ? error.details : {}
  if (status === 429) {
    const seconds = Math.ceil(Number(retryAfterMs ?? limitedMs) / 1000)
    const headers = { 'Retry-After': String(seconds) }
    return new RegistryError('TOOMANYREQUESTS', { message: 'upstream asks us to wait', headers, cause: error })
  }
  return new RegistryError('UNAVAILABLE', { message: 'upstream cannot be reached or is broken', cause: error })
}

function parseReferrers(text: string): Referrer[] {
  const value: unknown = JSON.parse(text)
  const entries = isObject(value) && Array.isArray(value.manifests) ? value.manifests.filter(isObject) : []
  return entries
    .flatMap((entry) => {
      const { mediaType, size, artifactType, annotations } = entry
      const digest = findBlobDigest(entry.digest)
      if (digest === undefined || typeof mediaType !== 'string' || typeof size !== 'number') return []
      return {
        mediaType,
        digest,
        size,
        ...(typeof artifactType === 'string' ? { artifactType } : {}),
        ...(isObject(annotations) ? { annotations } : {}),
      }
    })
    .sort((one, other) => (one.digest < other.digest ? -1 : 1))
}

function parseNames(text: string): string[] {
  const value: unknown = JSON.parse(text)
  return isObject(value) && Array.isArray(value.repositories) ? value.repositories.map(String) : []
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxCatalogBytes) throw new RegistryError('UNAVAILABLE', { message: 'the catalog is too long' })
  }
  return Buffer.concat(chunks).toString('utf8')
}
