/** A listening registry with its own folder, for tests, and requests to it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { createRegistry, type Registry } from '../create-registry.ts'
import { blobDigestOf } from '../model/blob-digest.ts'
import type { RegistryOptions } from '../registry-options.ts'
import { FolderStorage } from '../storage/folder/folder-storage.ts'

export interface TestRequest {
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Buffer | string | undefined
}

export interface TestAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever comes
  json(): any
  /** The codes in an error's body. */
  codes(): readonly string[]
}

export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json'
export const ociIndexType = 'application/vnd.oci.image.index.v1+json'
export const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json'
export const dockerListType = 'application/vnd.docker.distribution.manifest.list.v2+json'

export class RegistryUnderTest implements AsyncDisposable {
  readonly registry: Registry
  readonly storage: FolderStorage
  readonly folder: string
  readonly port: number
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(registry: Registry, storage: FolderStorage, folder: string, port: number) {
    this.registry = registry
    this.storage = storage
    this.folder = folder
    this.port = port
  }

  /** Starts a registry. With `folder` it uses the folder of another one and doesn't delete it. */
  static async start(
    options: Omit<RegistryOptions, 'storage'> = {},
    folder: string | undefined = undefined,
  ): Promise<RegistryUnderTest> {
    const root = folder ?? (await mkdtemp('/tmp/br-'))
    const storage = await FolderStorage.open(root)
    const registry = await createRegistry({ ...options, storage })
    const { port } = await registry.listen({ port: 0 })
    const test = new RegistryUnderTest(registry, storage, root, port)
    if (folder !== undefined) test.#keepsFolder = true
    return test
  }

  #keepsFolder = false

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    await this.registry.close(100)
    await this.storage.close()
    if (!this.#keepsFolder) await rm(this.folder, { recursive: true })
  }

  /** Sends a request. `url` is a path, or the value of a Location header. */
  request(method: string, url: string, { headers = {}, body }: TestRequest = {}): Promise<TestAnswer> {
    const path = url.replace(/^http:\/\/[^/]+/, '')
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, host: '127.0.0.1', port: this.port, method, path, headers: { ...headers } }
      if (body !== undefined && options.headers['transfer-encoding'] === undefined) {
        options.headers['content-length'] ??= String(Buffer.byteLength(body))
      }
      const sent = httpRequest(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Pushes a blob in one request. Gives its digest. */
  async pushBlob(repository: string, bytes: Buffer | string, algorithm: 'sha256' | 'sha512' = 'sha256') {
    const digest = blobDigestOf(Buffer.from(bytes), algorithm)
    const answer = await this.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
    return digest
  }

  /** Pushes an image with a config and some layers. Gives the manifest's bytes and digest. */
  async pushImage(
    repository: string,
    tag: string | undefined,
    { layers = ['layer'], ...members }: { layers?: readonly string[]; [member: string]: unknown } = {},
  ): Promise<{ readonly digest: string; readonly bytes: Buffer; readonly layers: readonly string[] }> {
    const config = await this.pushBlob(repository, '{}')
    const digests: string[] = []
    for (const layer of layers) digests.push(await this.pushBlob(repository, layer))
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifestType,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
        layers: layers.map((layer, index) => ({
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: digests[index],
          size: Buffer.byteLength(layer),
        })),
        ...members,
      }),
    )
    const digest = blobDigestOf(bytes)
    const answer = await this.pushManifest(
      repository,
      tag ?? digest,
      bytes,
      String(members.mediaType ?? ociManifestType),
    )
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
    return { digest, bytes, layers: digests }
  }

  pushManifest(repository: string, reference: string, bytes: Buffer | string, type: string): Promise<TestAnswer> {
    return this.request('PUT', `/v2/${repository}/manifests/${reference}`, {
      headers: { 'content-type': type },
      body: bytes,
    })
  }

  /** The paths of all files below the folder. Two equal lists mean that nothing has changed. */
  async files(): Promise<readonly string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .sort()
  }
}

function answerOf(status: number, headers: IncomingHttpHeaders, body: Buffer): TestAnswer {
  const text = body.toString()
  return {
    status,
    headers,
    body,
    text,
    json: () => JSON.parse(text),
    codes: () => JSON.parse(text).errors.map(({ code }: { code: string }) => code),
  }
}
