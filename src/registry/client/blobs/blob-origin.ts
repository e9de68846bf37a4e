/** The places that may have a blob: the endpoint that gave the manifest, the endpoints after it, and the URLs of a
 *  foreign layer. Each place is used until it fails. */
import type { AbortOptions } from '../../../base/index.ts'
import type { Digest } from '../../../oci/index.ts'
import type { EndpointSession } from '../auth/endpoint-session.ts'
import type { BlobProblem, BlobRequest } from './blob-stream.ts'

export interface BlobOriginOptions extends AbortOptions {
  readonly digest: Digest
  readonly sessions: readonly EndpointSession[]
  /** The URLs of a foreign layer. */
  readonly urls?: readonly string[] | undefined
}

interface Place {
  readonly url: string
  /** Absent for a server outside the registry, which gets no credentials. */
  readonly session?: EndpointSession
}

/** Makes the requests for a blob, which `readBlob` sends, here or in a worker. */
export class BlobOrigin {
  readonly #options: BlobOriginOptions
  #places: readonly Place[]
  /** The bytes come from more than one place: one place failed and another one resumed. */
  #isMixed = false

  constructor(options: BlobOriginOptions) {
    this.#options = options
    const foreign = (options.urls ?? []).filter((url) => /^https?:\/\//.test(url) && URL.canParse(url))
    this.#places = [
      ...options.sessions.map((session) => ({ session, url: session.urlOf(`blobs/${options.digest}`) })),
      ...foreign.map((url) => ({ url })),
    ]
  }

  /** The request to send after `problem`, if any; undefined if all places have failed. */
  async authorize(problem?: BlobProblem): Promise<BlobRequest | undefined> {
    if (problem?.type === 'failed') {
      if (!this.#leave()) return undefined
      this.#isMixed = true
    }
    const place = this.#places[0]
    if (place === undefined) return undefined
    const { url, session } = place
    const hasOthers = this.#places.length > 1
    if (session === undefined) return { url, headers: {}, insecureTls: false, hasOthers }
    const { signal } = this.#options
    const authorization =
      problem?.type === 'refused'
        ? await session.answer(problem.challenge, problem.authorization, { url, signal })
        : await session.authorization({ signal })
    if (problem?.type === 'refused' && authorization === undefined) return undefined
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization }
    const { insecureTls, host: registryHost } = session.endpoint
    return { url, headers, insecureTls, registryHost, hasOthers }
  }

  /** To be called when the blob's bytes were wrong. True if reading the blob again makes sense. If the bytes came from
   *  several places, the current place is used for all of them, otherwise the next place. */
  distrust(): boolean {
    const wasMixed = this.#isMixed
    this.#isMixed = false
    return wasMixed || this.#leave()
  }

  #leave(): boolean {
    if (this.#places.length < 2) return false
    this.#places = this.#places.slice(1)
    return true
  }
}
