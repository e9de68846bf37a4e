/** The state of an upload in the bucket, and the lease to change it.
 *
 *  The state is one small object. Each change replaces it under the condition that its ETag is unchanged, so that one
 *  of several processes wins. A request that works on an upload writes its name into the state and renews the state.
 *  If a name was not renewed for a while, its process has died. Only bytes that the state refers to belong to the
 *  upload; all others are leftovers, which s3-sweep.ts deletes. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isKind } from '../../../../base/index.ts'
import type { ResumableAlgorithm } from '../../../../sys/index.ts'
import { uploadBusy, uploadUnknown } from '../storage-errors.ts'
import { readAll, type S3Bucket } from './s3-bucket.ts'
import { uploadKey } from './s3-keys.ts'

/** A part of the multipart upload. */
export interface UploadedPart {
  readonly number: number
  readonly etag: string
  readonly sizeBytes: number
}

/** The bytes after the last part. A few bytes are in the state itself, more are in an object. */
export type UploadTail =
  | { readonly kind: 'inline'; readonly base64: string }
  | { readonly kind: 'object'; readonly key: string; readonly sizeBytes: number }

export interface UploadState {
  readonly version: 1
  readonly sizeBytes: number
  /** Size of the object `whole`: the parts that were joined in an attempt to commit. */
  readonly wholeBytes: number
  readonly multipartId?: string | undefined
  readonly parts: readonly UploadedPart[]
  readonly tail?: UploadTail | undefined
  /** The running hash over all bytes (base64 of a ResumableHash's state). */
  readonly hash?: { readonly algorithm: ResumableAlgorithm; readonly state: string } | undefined
  /** The name of the request that works on the upload now. */
  readonly owner?: string | undefined
}

export const emptyState: UploadState = { version: 1, sizeBytes: 0, wholeBytes: 0, parts: [] }

interface ReadState {
  readonly state: UploadState
  readonly etag: string
  readonly modifiedAt: Date
}

/** How long a name in the state is valid without a renewal. */
const leaseMs = 15_000
const renewMs = 4000
/** How long a request waits for another one that works on the upload. */
const patienceMs = 1500
const pollMs = 100

/** Reads the current state; undefined if there is no such upload. */
export async function readUploadState(bucket: S3Bucket, id: string): Promise<ReadState | undefined> {
  try {
    const { body, etag, modifiedAt } = await bucket.get(uploadKey(id))
    return { state: JSON.parse((await readAll(body)).toString('utf8')) as UploadState, etag, modifiedAt }
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

/** The lease of one upload: the right to change it. It renews itself until it is released. */
export class UploadLease {
  readonly id: string
  readonly #bucket: S3Bucket
  readonly #owner: string
  readonly #timer: NodeJS.Timeout
  #state: UploadState
  #etag: string
  #writing: Promise<void> = Promise.resolve()
  #failure: unknown
  #progress: (() => UploadState) | undefined

  private constructor(bucket: S3Bucket, id: string, owner: string, state: UploadState, etag: string) {
    this.#bucket = bucket
    this.id = id
    this.#owner = owner
    this.#state = state
    this.#etag = etag
    this.#timer = setInterval(() => void this.#renew(), renewMs)
    this.#timer.unref()
  }

  /** Takes the lease; waits a moment for another owner. Rejects with `notFound` or `conflict`, or with the error that
   *  `check` throws. */
  static async take(
    bucket: S3Bucket,
    id: string,
    check: (state: UploadState) => void = () => {},
  ): Promise<UploadLease> {
    const owner = randomUUID()
    const deadline = Date.now() + patienceMs
    for (;;) {
      const found = await readUploadState(bucket, id)
      if (found === undefined) throw uploadUnknown(id)
      const isTaken = found.state.owner !== undefined && bucket.connection.now() - found.modifiedAt.getTime() < leaseMs
      if (!isTaken) {
        check(found.state)
        const etag = await replaceState(bucket, id, { ...found.state, owner }, found.etag)
        if (etag !== undefined) return new UploadLease(bucket, id, owner, found.state, etag)
      }
      if (Date.now() > deadline) throw uploadBusy(id)
      await sleep(pollMs)
    }
  }

  get state(): UploadState {
    return this.#state
  }

  /** Throws if the lease was lost. To be called before each request that can't be undone. */
  assertHeld(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Makes renewals write the state that `progress` gives, so that most of the work survives the death of the
   *  process. */
  renewWith(progress: () => UploadState): void {
    this.#progress = progress
  }

  /** Writes a new state and keeps the lease. */
  save(state: UploadState): Promise<void> {
    return this.#write(() => state, this.#owner)
  }

  /** Writes a new state and ends the lease. */
  async release(state: UploadState = this.#state): Promise<void> {
    clearInterval(this.#timer)
    await this.#write(() => state, undefined)
  }

  /** Deletes the state, and with it the upload. */
  async remove(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#bucket.delete(uploadKey(this.id))
  }

  async #renew(): Promise<void> {
    try {
      await this.#write(() => this.#progress?.() ?? this.#state, this.#owner)
    } catch {
      // The next step of the request throws the failure.
    }
  }

  /** Only one write runs at a time, because each needs the ETag of the one before. */
  #write(next: () => UploadState, owner: string | undefined): Promise<void> {
    const write = async () => {
      this.assertHeld()
      const state = next()
      try {
        const etag = await replaceState(this.#bucket, this.id, { ...state, owner }, this.#etag)
        if (etag === undefined) throw uploadBusy(this.id)
        this.#etag = etag
        this.#state = state
      } catch (error) {
        clearInterval(this.#timer)
        this.#failure = error
        throw error
      }
    }
    const done = this.#writing.then(write)
    this.#writing = done.catch(() => {})
    return done
  }
}

/** Replaces the state and gives the new ETag; undefined if another request was faster. */
async function replaceState(
  bucket: S3Bucket,
  id: string,
  state: UploadState,
  ifMatch: string,
): Promise<string | undefined> {
  try {
    return await bucket.put(uploadKey(id), Buffer.from(JSON.stringify(state)), { ifMatch })
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined
    throw error
  }
}
