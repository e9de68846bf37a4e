/** A registry in memory that can contain what real registries refuse, and can misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Descriptor, type Digest, type DigestAlgorithm, digestOf, mediaTypes } from '../../../src/oci/index.ts'
import type { MadeImage } from '../../helpers/images/archives.ts'

export interface SentImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface SendOptions {
  readonly algorithm?: DigestAlgorithm
  readonly compress?: (layer: Buffer) => Buffer
  readonly layerType?: string
  /** Left out: the layers are foreign. */
  readonly layerUrls?: (digest: Digest) => readonly string[]
}

/** Repository `x`, no matter which name the request has. */
export class FakeRegistry implements AsyncDisposable {
  readonly #server: Server
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, { readonly mediaType: string; readonly bytes: Buffer }>()
  /** `METHOD /path`, and the Range of blobs. */
  readonly requests: string[] = []
  /** Answers the request and returns true, or leaves it to the registry. */
  intercept: (request: IncomingMessage, response: ServerResponse, blob: Buffer | undefined) => boolean = () => false

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get name(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `127.0.0.1:${address.port}`
  }

  /** Stores a blob. */
  blob(bytes: Buffer, mediaType: string, algorithm?: DigestAlgorithm): Descriptor {
    const digest = digestOf(bytes, algorithm)
    this.blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }

  /** Stores a manifest or index by its digest and, if given, a tag. */
  manifest(value: object, mediaType: string, tag?: string, algorithm?: DigestAlgorithm): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = digestOf(bytes, algorithm)
    this.manifests.set(digest, { mediaType, bytes })
    if (tag !== undefined) this.manifests.set(tag, { mediaType, bytes })
    return { mediaType, digest, size: bytes.length }
  }

  /** Stores an image. */
  image({ config, layers }: MadeImage, tag?: string, options: SendOptions = {}): SentImage {
    const { algorithm, compress = (layer) => layer, layerType = mediaTypes.ociLayer, layerUrls } = options
    const sentConfig = this.blob(config, mediaTypes.ociConfig, algorithm)
    const sentLayers = layers.map((layer) => {
      const sent = this.blob(compress(layer), layerType, algorithm)
      if (layerUrls === undefined) return sent
      this.blobs.delete(sent.digest)
      return { ...sent, urls: layerUrls(sent.digest) }
    })
    const value = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: sentConfig, layers: sentLayers }
    return {
      manifest: this.manifest(value, mediaTypes.ociManifest, tag, algorithm),
      config: sentConfig,
      layers: sentLayers,
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [, kind = '', target = ''] = /\/(manifests|blobs)\/([^/?]+)$/.exec(request.url ?? '') ?? []
    const blob = kind === 'blobs' ? this.blobs.get(target) : undefined
    const range = kind === 'blobs' ? ` ${request.headers.range ?? ''}` : ''
    this.requests.push(`${request.method} ${request.url}${range}`.trimEnd())
    if (this.intercept(request, response, blob)) return
    const manifest = kind === 'manifests' ? this.manifests.get(target) : undefined
    if (manifest !== undefined) {
      const { mediaType, bytes } = manifest
      const headers = { 'Content-Type': mediaType, 'Content-Length': bytes.length }
      response.writeHead(200, { ...headers, 'Docker-Content-Digest': digestOf(bytes) })
      response.end(request.method === 'HEAD' ? undefined : bytes)
    } else if (blob !== undefined) sendBlob(request, response, blob)
    else {
      response.writeHead(404, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** Sends the blob, or the requested range. With `upTo`, only so many bytes, although the headers promise all. */
export function sendBlob(request: IncomingMessage, response: ServerResponse, blob: Buffer, upTo?: number): void {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const rest = blob.subarray(start)
  const range = { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` }
  response.writeHead(start === 0 ? 200 : 206, { 'Content-Length': rest.length, ...(start === 0 ? {} : range) })
  if (upTo === undefined || upTo >= rest.length) response.end(rest)
  else response.write(rest.subarray(0, upTo), () => response.destroy())
}
