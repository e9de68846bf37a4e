/** Routes for uploads: in one request, in two, or in chunks that may go to different processes. */
import { createHash, randomUUID } from 'node:crypto'
import { isKind } from '../../../base/index.ts'
import type { AnswerHeaders } from '../http/registry-answer.ts'
import type { RegistryExchange } from '../http/registry-exchange.ts'
import { decide, type RouteContext } from '../http/route-context.ts'
import { algorithmOf, type BlobDigest, findBlobDigest } from '../model/blob-digest.ts'
import { formatUploadRange, parseContentRange } from '../model/byte-range.ts'
import { RegistryError } from '../model/registry-error.ts'
import { isRepositoryName } from '../model/repository-name.ts'
import type { UploadInfo } from '../storage/registry-storage.ts'
import { parseBlobDigest } from './blob-routes.ts'

/** How many repositories are tried if a client wants to mount a blob without naming one. */
const mountCandidates = 20
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** `POST /v2/<name>/blobs/uploads/`: begins an upload, mounts a blob of another repository (`mount`), or receives the
 *  whole blob (`digest`). */
export async function startUpload(context: RouteContext, exchange: RegistryExchange, repository: string) {
  const { query } = exchange.request
  const mounted = findBlobDigest(query.text('mount'))
  if (mounted !== undefined && (await mount(context, exchange, repository, mounted))) {
    sendCreated(context, exchange, repository, mounted)
    return
  }
  const digest = query.has('digest') ? parseBlobDigest(query.text('digest')) : undefined
  const uuid = randomUUID()
  const id = storageId(repository, uuid)
  await context.uploads.create(id)
  if (digest === undefined) {
    exchange.answer.sendEmpty(202, statusHeaders(context, exchange, repository, uuid, 0))
    return
  }
  try {
    await append(context, exchange, id, 0, { algorithm: algorithmOf(digest) })
    await context.blobs.commitUpload(repository, id, digest)
  } catch (error) {
    // The client doesn't know the upload's id, so it can't resume it.
    await context.uploads.abort(id)
    throw error
  }
  sendCreated(context, exchange, repository, digest)
}

/** `PATCH <upload>`: adds a chunk. */
export async function patchUpload(context: RouteContext, exchange: RegistryExchange, repository: string, uuid: string) {
  const upload = await findUpload(context, repository, uuid)
  const sizeBytes = await receiveChunk(context, exchange, repository, uuid, upload)
  exchange.answer.sendEmpty(202, statusHeaders(context, exchange, repository, uuid, sizeBytes))
}

/** `PUT <upload>?digest=`: adds the last chunk, if the request has one, and turns the upload into a blob. */
export async function finishUpload(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  uuid: string,
) {
  const upload = await findUpload(context, repository, uuid)
  const digest = parseBlobDigest(exchange.request.query.text('digest'))
  if (exchange.body.sizeBytes !== 0) await receiveChunk(context, exchange, repository, uuid, upload, digest)
  await context.blobs.commitUpload(repository, upload.id, digest)
  sendCreated(context, exchange, repository, digest)
}

/** `GET` and `HEAD <upload>`: tells how many bytes have arrived. */
export async function getUpload(context: RouteContext, exchange: RegistryExchange, repository: string, uuid: string) {
  const { sizeBytes } = await findUpload(context, repository, uuid)
  exchange.answer.sendEmpty(204, statusHeaders(context, exchange, repository, uuid, sizeBytes))
}

/** `DELETE <upload>`: cancels the upload. */
export async function cancelUpload(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  uuid: string,
) {
  const { id } = await findUpload(context, repository, uuid)
  await context.uploads.abort(id)
  exchange.answer.sendEmpty(204)
}

/** Appends the body to an upload and gives the new size. Throws status 416 if `Content-Range` begins at another place
 *  than the upload's end. */
async function receiveChunk(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  uuid: string,
  { id, sizeBytes }: UploadInfo,
  digest?: BlobDigest,
): Promise<number> {
  const outOfOrder = (size: number, message?: string) =>
    new RegistryError('BLOB_UPLOAD_INVALID', {
      status: 416,
      message: message ?? `the next byte of this upload is ${size}`,
      headers: stringsOf(statusHeaders(context, exchange, repository, uuid, size)),
    })
  const header = exchange.request.headers['content-range']
  const span = header === undefined ? undefined : parseContentRange(header)
  if (header !== undefined && span === undefined) throw outOfOrder(sizeBytes, 'Content-Range is malformed')
  const offset = span?.start ?? sizeBytes
  if (offset !== sizeBytes) throw outOfOrder(sizeBytes)
  const length = span === undefined ? undefined : span.end - span.start + 1
  const contentLength = exchange.body.sizeBytes
  if (length !== undefined && contentLength !== undefined && contentLength !== length) {
    throw new RegistryError('SIZE_INVALID', { detail: { range: header, length: contentLength } })
  }
  try {
    const algorithm = digest === undefined ? undefined : algorithmOf(digest)
    const size = await append(context, exchange, id, offset, { algorithm, maxBytes: length })
    if (length !== undefined && size !== offset + length) throw new RegistryError('SIZE_INVALID')
    return size
  } catch (error) {
    if (isKind(error, 'conflict') && typeof error.details.sizeBytes === 'number') {
      throw outOfOrder(error.details.sizeBytes)
    }
    if (isKind(error, 'notFound')) throw uploadUnknown(uuid)
    throw error
  }
}

async function append(
  { uploads, uploadGate }: RouteContext,
  exchange: RegistryExchange,
  id: string,
  offset: number,
  {
    algorithm,
    maxBytes,
  }: { readonly algorithm?: 'sha256' | 'sha512' | undefined; readonly maxBytes?: number | undefined },
): Promise<number> {
  const leave = uploadGate.enter()
  try {
    const { receive } = uploads
    return exchange.body.isInSocket && receive !== undefined
      ? await exchange.body.receive((body) => receive.call(uploads, id, offset, body, { algorithm }), { maxBytes })
      : await uploads.append(id, offset, exchange.body.chunks({ maxBytes }), { algorithm })
  } finally {
    leave()
  }
}

/** Gives the repository a blob that the client may read in another one. False if it has to upload the blob. */
async function mount(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  digest: BlobDigest,
): Promise<boolean> {
  const { blobs } = context
  const from = exchange.request.query.optional('from')
  if ((await blobs.claim(repository, digest)) !== undefined) return true
  if (from !== undefined && !isRepositoryName(from)) return false
  const candidates = from === undefined ? await blobs.repositoriesWith(digest, mountCandidates) : [from]
  for (const name of candidates) {
    const decision = await decide(context, exchange.request, [{ type: 'repository', name, actions: ['pull'] }])
    if (decision.kind === 'allow' && (await blobs.mount(repository, name, digest)) !== undefined) return true
  }
  return false
}

async function findUpload({ uploads }: RouteContext, repository: string, uuid: string): Promise<UploadInfo> {
  const found = uuidPattern.test(uuid) ? await uploads.find(storageId(repository, uuid)) : undefined
  if (found === undefined) throw uploadUnknown(uuid)
  return found
}

/** The id in the storage. It contains the repository, so that an upload is not found under another repository's
 *  name. */
function storageId(repository: string, uuid: string): string {
  return `${uuid}.${createHash('sha256').update(repository).digest('hex').slice(0, 16)}`
}

function statusHeaders(
  context: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  uuid: string,
  sizeBytes: number,
): AnswerHeaders {
  return {
    Location: context.locationOf(exchange.request, `/v2/${repository}/blobs/uploads/${uuid}`),
    Range: formatUploadRange(sizeBytes),
    'Docker-Upload-UUID': uuid,
  }
}

function sendCreated(context: RouteContext, exchange: RegistryExchange, repository: string, digest: BlobDigest): void {
  exchange.answer.sendEmpty(201, {
    Location: context.locationOf(exchange.request, `/v2/${repository}/blobs/${digest}`),
    'Docker-Content-Digest': digest,
  })
}

function stringsOf(headers: AnswerHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function uploadUnknown(uuid: string): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', { detail: { uuid } })
}
