/** Sends the bytes of one `append` to the bucket. They are collected to parts, hashed, and uploaded, a few parts at a
 *  time, while the next bytes arrive. A rest that is too small for a part becomes the upload's tail, with which the
 *  next append begins. Memory: the part that is being collected, and the parts that are being sent, whose number is
 *  limited for the whole process (`PartSlots`). */
import { randomUUID } from 'node:crypto'
import { type ResumableAlgorithm, ResumableHash } from '../../../../sys/index.ts'
import { readAll, type S3Bucket } from './s3-bucket.ts'
import { tailKey, wholeKey } from './s3-keys.ts'
import { copyParts, createMultipart, uploadPart } from './s3-multipart.ts'
import type { PartSlots } from './s3-part-slots.ts'
import type { UploadedPart, UploadLease, UploadState, UploadTail } from './s3-upload-state.ts'

/** S3's minimum is 5 MiB. All parts have the same size, because some services require that. Very large uploads have
 *  larger parts, because S3 allows at most 10,000. */
const partBytes = 6 << 20
const growAfterBytes = 20 * 2 ** 30
const growShare = 2500
/** A tail up to this size is kept in the state. */
const maxInlineTailBytes = 32 << 10

/** A part that is being sent, and the state of the hash after it. */
interface Sending {
  readonly number: number
  readonly endBytes: number
  readonly hash: UploadState['hash']
  part: UploadedPart | undefined
}

export class PartWriter {
  readonly #bucket: S3Bucket
  readonly #lease: UploadLease
  readonly #slots: PartSlots
  readonly #key: string
  #hash: ResumableHash | undefined
  #multipartId: string | undefined
  /** The state that is certain now. Renewals write it, in case the process dies. */
  #safe: UploadState
  readonly #sending: Sending[] = []
  readonly #requests = new Set<Promise<void>>()
  #failure: unknown
  #part: Buffer | undefined
  #filled = 0
  #partSize: number
  #sizeBytes: number
  #nextNumber: number

  constructor(bucket: S3Bucket, lease: UploadLease, slots: PartSlots) {
    this.#bucket = bucket
    this.#lease = lease
    this.#slots = slots
    this.#key = wholeKey(lease.id)
    this.#safe = lease.state
    this.#sizeBytes = lease.state.sizeBytes
    this.#multipartId = lease.state.multipartId
    this.#nextNumber = (lease.state.parts.at(-1)?.number ?? 0) + 1
    this.#partSize = partSizeAt(this.#sizeBytes)
  }

  /** Reads the tail that the last append left. */
  async begin(algorithm: ResumableAlgorithm): Promise<void> {
    const { hash, tail, sizeBytes } = this.#lease.state
    this.#hash = sizeBytes === 0 ? ResumableHash.start(algorithm) : resumed(hash)
    if (tail !== undefined) {
      const bytes = await readTail(this.#bucket, tail)
      this.#buffer().set(bytes)
      this.#filled = bytes.length
    }
    this.#lease.renewWith(() => this.#safe)
  }

  /** Takes bytes. Resolves when there is room for more. */
  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      this.#assertGood()
      const piece = chunk.subarray(offset, offset + this.#partSize - this.#filled)
      this.#hash?.update(piece)
      this.#buffer().set(piece, this.#filled)
      this.#filled += piece.length
      this.#sizeBytes += piece.length
      offset += piece.length
      if (this.#filled === this.#partSize) await this.#sendPart()
    }
  }

  /** Waits for all parts and releases the upload. Gives its size. */
  async finish(): Promise<number> {
    await Promise.all(this.#requests)
    this.#assertGood()
    const before = this.#lease.state.tail
    const tail = await this.#writeTail()
    const state = { ...this.#safe, sizeBytes: this.#sizeBytes, tail, hash: stateOf(this.#hash) }
    await this.#lease.release(state)
    if (this.#part !== undefined) this.#slots.recycle(this.#part)
    if (before?.kind === 'object') await this.#bucket.delete(before.key).catch(() => {}) // swept away later
    return this.#sizeBytes
  }

  /** Releases the upload after a failure. The bytes that arrived safely stay. */
  async giveUp(): Promise<void> {
    await Promise.all(this.#requests)
    await this.#lease.release(this.#safe)
  }

  #buffer(): Buffer {
    this.#part ??= this.#slots.buffer(this.#partSize)
    return this.#part
  }

  #assertGood(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#lease.assertHeld()
  }

  async #sendPart(): Promise<void> {
    const multipartId = await this.#multipart()
    const bytes = this.#buffer()
    const sending: Sending = {
      number: this.#nextNumber,
      endBytes: this.#sizeBytes,
      hash: stateOf(this.#hash),
      part: undefined,
    }
    this.#nextNumber += 1
    this.#part = undefined
    this.#filled = 0
    this.#partSize = partSizeAt(this.#sizeBytes)
    this.#sending.push(sending)
    const release = await this.#slots.take()
    const request = this.#send(sending, multipartId, bytes).finally(release)
    this.#requests.add(request)
    void request.then(() => this.#requests.delete(request))
  }

  /** Never rejects: the next step of the append throws the failure. */
  async #send(sending: Sending, multipartId: string, bytes: Buffer): Promise<void> {
    try {
      this.#assertGood()
      sending.part = await uploadPart(this.#bucket, this.#key, multipartId, sending.number, bytes)
      this.#slots.recycle(bytes)
      this.#advance(multipartId)
    } catch (error) {
      this.#failure ??= error
    }
  }

  /** Adds the parts that have arrived without a gap to the safe state. */
  #advance(multipartId: string): void {
    for (let first = this.#sending[0]; first?.part !== undefined; first = this.#sending[0]) {
      this.#sending.shift()
      this.#safe = {
        ...this.#safe,
        multipartId,
        sizeBytes: first.endBytes,
        parts: [...this.#safe.parts, first.part],
        tail: undefined,
        hash: first.hash,
      }
    }
  }

  /** The id of the multipart upload, which begins with the first full part. */
  async #multipart(): Promise<string> {
    if (this.#multipartId !== undefined) return this.#multipartId
    const id = await createMultipart(this.#bucket, this.#key)
    const { wholeBytes } = this.#safe
    if (wholeBytes > 0) {
      const copies = { source: this.#key, target: this.#key, multipartId: id, sizeBytes: wholeBytes }
      const parts = await copyParts(this.#bucket, copies)
      this.#safe = { ...this.#safe, multipartId: id, parts, wholeBytes: 0 }
      this.#nextNumber = parts.length + 1
    }
    this.#multipartId = id
    return id
  }

  async #writeTail(): Promise<UploadTail | undefined> {
    if (this.#filled === 0) return undefined
    const bytes = this.#buffer().subarray(0, this.#filled)
    if (bytes.length <= maxInlineTailBytes) return { kind: 'inline', base64: bytes.toString('base64') }
    const key = tailKey(this.#lease.id, randomUUID())
    await this.#bucket.put(key, bytes)
    return { kind: 'object', key, sizeBytes: bytes.length }
  }
}

/** Reads the bytes of a tail. */
export async function readTail(bucket: S3Bucket, tail: UploadTail): Promise<Buffer> {
  if (tail.kind === 'inline') return Buffer.from(tail.base64, 'base64')
  return readAll((await bucket.get(tail.key)).body)
}

/** The running hash from a state; undefined if there is none for this algorithm. */
export function resumed(hash: UploadState['hash']): ResumableHash | undefined {
  return hash === undefined ? undefined : ResumableHash.resume(hash.algorithm, Buffer.from(hash.state, 'base64'))
}

function stateOf(hash: ResumableHash | undefined): UploadState['hash'] {
  return hash === undefined ? undefined : { algorithm: hash.algorithm, state: hash.state().toString('base64') }
}

/** The size of a part that begins at `offset`, in whole MiB. */
function partSizeAt(offset: number): number {
  if (offset < growAfterBytes) return partBytes
  return Math.ceil(offset / growShare / 2 ** 20) * 2 ** 20
}
