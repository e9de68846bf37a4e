/** A small strict S3 on loopback: signatures, checksums, conditional writes, ranges, multipart uploads with the real
 *  minimum size of parts, copies with the real maximum size. It stores in a folder and has one bucket, addressed by
 *  path. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readText, storeBody } from './body.ts'
import { Bucket, type Piece, read, type StoredObject, slice } from './bucket.ts'
import { element, leaf, S3Error } from './errors.ts'
import { type Credentials, checkSignature } from './signature.ts'

export interface S3ServerOptions {
  /** Buckets without conditional writes answer `NotImplemented`. Default: supported. */
  readonly conditionalWrites?: boolean
  /** CopyObject and UploadPartCopy refuse larger objects. Default: S3's own 5 GiB. */
  readonly maxCopyBytes?: number
}

/** What to do with a request in place of an answer. */
export type Fault = S3Error | 'reset' | undefined

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly key: string
}

const minPartBytes = 5 << 20
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

export class S3Server implements AsyncDisposable {
  readonly bucket: Bucket
  readonly bucketName = 'images'
  readonly credentials: Credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret/key+test' }
  /** Names of the requested operations, in order. */
  readonly calls: string[] = []
  /** Breaks the connection of each GET after this many bytes. */
  cutBodiesAfter = Number.POSITIVE_INFINITY
  /** Called before each operation. */
  fault: (operation: string, key: string) => Fault = () => undefined
  readonly #folder: string
  readonly #server: Server
  readonly #options: S3ServerOptions

  private constructor(server: Server, folder: string, options: S3ServerOptions) {
    this.#server = server
    this.#folder = folder
    this.#options = options
    this.bucket = new Bucket(join(folder, this.bucketName))
  }

  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = createServer({ requestTimeout: 0 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const s3 = new S3Server(server, mkdtempSync('/tmp/b-s3-'), options)
    server.on('request', (request, response) => void s3.#serve(request, response))
    return s3
  }

  get endpoint(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `http://127.0.0.1:${address.port}`
  }

  /** Makes all stored objects older. */
  age(ms: number): void {
    const { objects, uploads } = this.bucket
    for (const [key, object] of objects) objects.set(key, { ...object, modifiedMs: object.modifiedMs - ms })
    for (const [id, upload] of uploads) uploads.set(id, { ...upload, startedMs: upload.startedMs - ms })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {})
    response.on('error', () => {})
    try {
      const url = new URL(request.url ?? '/', 'http://s3')
      const [, bucket = '', ...rest] = url.pathname.split('/')
      const key = decodeURIComponent(rest.join('/'))
      checkSignature(request, this.credentials)
      const operation = operationOf(request, url.searchParams, key)
      this.calls.push(operation)
      const fault = this.fault(operation, key)
      if (fault === 'reset') return void request.socket.destroy()
      if (fault !== undefined) throw fault
      if (bucket !== this.bucketName) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
      await this.#operations[operation]?.({ request, response, query: url.searchParams, key })
    } catch (error) {
      sendError(request, response, error)
    }
  }

  readonly #operations: Readonly<Record<string, (call: Call) => Promise<void> | void>> = {
    HeadBucket: ({ response }) => void response.writeHead(200).end(),
    HeadObject: (call) => this.#getObject(call, true),
    GetObject: (call) => this.#getObject(call, false),
    PutObject: (call) => this.#putObject(call),
    CopyObject: (call) => this.#copyObject(call),
    DeleteObject: ({ key, response }) => {
      this.bucket.objects.delete(key)
      response.writeHead(204).end()
    },
    ListObjectsV2: (call) => this.#listObjects(call),
    CreateMultipartUpload: ({ key, response }) => {
      const id = randomUUID()
      this.bucket.uploads.set(id, { id, key, startedMs: Date.now(), parts: new Map() })
      const names = leaf('Bucket', this.bucketName) + leaf('Key', key)
      sendXml(response, 'InitiateMultipartUploadResult', names + leaf('UploadId', id))
    },
    UploadPart: (call) => this.#uploadPart(call),
    UploadPartCopy: (call) => this.#uploadPart(call),
    CompleteMultipartUpload: (call) => this.#complete(call),
    AbortMultipartUpload: ({ key, query, response }) => {
      this.bucket.uploads.delete(this.bucket.upload(query.get('uploadId') ?? '', key).id)
      response.writeHead(204).end()
    },
    ListMultipartUploads: ({ query, response }) => {
      const found = [...this.bucket.uploads.values()].filter(({ key }) => key.startsWith(query.get('prefix') ?? ''))
      const list = found.map(({ id, key, startedMs }) =>
        element('Upload', leaf('Key', key), leaf('UploadId', id), leaf('Initiated', isoTime(startedMs))),
      )
      sendXml(response, 'ListMultipartUploadsResult', leaf('IsTruncated', false) + list.join(''))
    },
  }

  async #getObject({ key, request, response }: Call, isHead: boolean): Promise<void> {
    const object = this.bucket.get(key)
    const match = request.headers['if-match']
    if (match !== undefined && match !== object.etag) throw new S3Error(412, 'PreconditionFailed')
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = Number(range?.[1] ?? 0)
    const end = range?.[2] ? Math.min(Number(range[2]), object.size - 1) : object.size - 1
    if (range !== null && start >= object.size) throw new S3Error(416, 'InvalidRange')
    response.writeHead(range === null ? 200 : 206, {
      ETag: object.etag,
      'Last-Modified': new Date(object.modifiedMs).toUTCString(),
      'Content-Length': end - start + 1,
      'Content-Type': 'binary/octet-stream',
      ...(range === null ? {} : { 'Content-Range': `bytes ${start}-${end}/${object.size}` }),
    })
    if (isHead) return void response.end()
    if (end - start + 1 <= this.cutBodiesAfter) return pipeline(read(slice(object.pieces, start, end)), response)
    for await (const chunk of read(slice(object.pieces, start, start + this.cutBodiesAfter - 1))) response.write(chunk)
    response.write('', () => response.destroy())
  }

  async #putObject({ key, request, response }: Call): Promise<void> {
    this.#checkConditions(request, key)
    const path = this.bucket.newPath()
    const { size, md5 } = await storeBody(request, path)
    this.#checkConditions(request, key)
    const object = stored([{ path, start: 0, size }], `"${md5}"`)
    this.bucket.objects.set(key, object)
    response.writeHead(200, { ETag: object.etag }).end()
  }

  #checkConditions({ headers }: IncomingMessage, key: string): void {
    const { 'if-match': match, 'if-none-match': noneMatch } = headers
    if (match === undefined && noneMatch === undefined) return
    if (this.#options.conditionalWrites === false) throw new S3Error(501, 'NotImplemented')
    const existing = this.bucket.objects.get(key)
    if (noneMatch !== undefined && existing !== undefined) throw new S3Error(412, 'PreconditionFailed')
    if (match !== undefined && existing === undefined) throw new S3Error(404, 'NoSuchKey')
    if (match !== undefined && existing?.etag !== match) throw new S3Error(412, 'PreconditionFailed')
  }

  #source({ headers }: IncomingMessage): StoredObject & { readonly wanted: Piece[] } {
    const [bucket, ...rest] = decodeURIComponent(String(headers['x-amz-copy-source'])).replace(/^\//, '').split('/')
    if (bucket !== this.bucketName) throw new S3Error(404, 'NoSuchBucket')
    const object = this.bucket.get(rest.join('/'))
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range'] ?? ''))
    const [start, end] = range === null ? [0, object.size - 1] : [Number(range[1]), Number(range[2])]
    if (end >= object.size) throw new S3Error(400, 'InvalidRange')
    if (end - start + 1 > (this.#options.maxCopyBytes ?? 5 * 2 ** 30)) {
      throw new S3Error(400, 'InvalidRequest', 'The specified copy source is larger than the maximum allowable size')
    }
    return { ...object, wanted: slice(object.pieces, start, end) }
  }

  #copyObject({ key, request, response }: Call): void {
    const { etag, wanted } = this.#source(request)
    const object = stored(wanted, etag)
    this.bucket.objects.set(key, object)
    sendXml(response, 'CopyObjectResult', leaf('ETag', object.etag) + leaf('LastModified', isoTime(object.modifiedMs)))
  }

  async #uploadPart({ key, query, request, response }: Call): Promise<void> {
    const number = Number(query.get('partNumber'))
    if (!(number >= 1 && number <= 10_000)) throw new S3Error(400, 'InvalidArgument')
    const { parts } = this.bucket.upload(query.get('uploadId') ?? '', key)
    if (request.headers['x-amz-copy-source'] !== undefined) {
      const part = stored(this.#source(request).wanted, `"${randomUUID().replaceAll('-', '')}"`)
      parts.set(number, part)
      return sendXml(response, 'CopyPartResult', leaf('ETag', part.etag) + leaf('LastModified', isoTime(Date.now())))
    }
    const path = this.bucket.newPath()
    const { size, md5 } = await storeBody(request, path)
    this.bucket.upload(query.get('uploadId') ?? '', key)
    parts.set(number, stored([{ path, start: 0, size }], `"${md5}"`))
    response.writeHead(200, { ETag: `"${md5}"` }).end()
  }

  async #complete({ key, query, request, response }: Call): Promise<void> {
    const upload = this.bucket.upload(query.get('uploadId') ?? '', key)
    const wanted = parseParts(await readText(request))
    if (wanted.length === 0) throw new S3Error(400, 'MalformedXML')
    const parts = wanted.map(({ number, etag }, index) => {
      const part = upload.parts.get(number)
      if (part === undefined || part.etag !== etag) throw new S3Error(400, 'InvalidPart')
      if (index > 0 && number <= (wanted[index - 1]?.number ?? 0)) throw new S3Error(400, 'InvalidPartOrder')
      if (index < wanted.length - 1 && part.size < minPartBytes) throw new S3Error(400, 'EntityTooSmall')
      return part
    })
    const hash = createHash('md5')
    for (const { etag } of parts) hash.update(etag)
    const object = stored(
      parts.flatMap(({ pieces }) => pieces),
      `"${hash.digest('hex')}-${parts.length}"`,
    )
    this.bucket.objects.set(key, object)
    this.bucket.uploads.delete(upload.id)
    sendXml(response, 'CompleteMultipartUploadResult', leaf('Key', key) + leaf('ETag', object.etag))
  }

  #listObjects({ query, response }: Call): void {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000)
    const keys = this.bucket.keysAfter(prefix, after)
    const page = keys.slice(0, limit)
    const contents = page.map((key) => {
      const { size, etag, modifiedMs } = this.bucket.get(key)
      return element('Contents', leaf('Key', key), leaf('Size', size), leaf('ETag', etag), leaf('LastModified', isoTime(modifiedMs))) // biome-ignore format: one line
    })
    const isTruncated = keys.length > page.length
    const token = isTruncated ? leaf('NextContinuationToken', page.at(-1) ?? '') : ''
    const head = leaf('Name', this.bucketName) + leaf('Prefix', prefix) + leaf('KeyCount', page.length)
    sendXml(response, 'ListBucketResult', head + leaf('IsTruncated', isTruncated) + token + contents.join(''))
  }
}

function operationOf({ method, headers }: IncomingMessage, query: URLSearchParams, key: string): string {
  const isCopy = headers['x-amz-copy-source'] !== undefined
  const table: Readonly<Record<string, string | undefined>> =
    key === ''
      ? { HEAD: 'HeadBucket', GET: query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2' }
      : query.has('uploadId')
        ? { PUT: isCopy ? 'UploadPartCopy' : 'UploadPart', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' } // biome-ignore format: one line
        : {
            HEAD: 'HeadObject',
            GET: 'GetObject',
            PUT: isCopy ? 'CopyObject' : 'PutObject',
            DELETE: 'DeleteObject',
            POST: query.has('uploads') ? 'CreateMultipartUpload' : undefined,
          }
  const name = table[method ?? '']
  if (name === undefined) throw new S3Error(405, 'MethodNotAllowed')
  return name
}

/** Times have whole seconds, as in S3. */
function stored(pieces: readonly Piece[], etag: string): StoredObject {
  const size = pieces.reduce((sum, piece) => sum + piece.size, 0)
  return { pieces, size, etag, modifiedMs: Math.floor(Date.now() / 1000) * 1000 }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function parseParts(xml: string): { number: number; etag: string }[] {
  return [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: `"${(/<ETag>(.*?)</.exec(part)?.[1] ?? '').replace(/&quot;|&#34;|"/g, '')}"`,
  }))
}

function sendXml(response: ServerResponse, name: string, children: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${namespace}>${children}</${name}>`
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const known = error instanceof S3Error ? error : new S3Error(500, 'InternalError', String(error))
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', leaf('Code', known.code), leaf('Message', known.message))}`
  // The rest of the body is discarded, so that it is not taken for the next request.
  request.resume()
  response.writeHead(known.status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}
