/** What the bucket knows of an upload that is under way, and who may change it.
 *
 *  The state is one small object; each change replaces it on condition that nobody else did meanwhile (its ETag), so
 *  that of several processes one wins. Who works on an upload writes its own name into the state and renews that;
 *  a name that was not renewed for a while belonged to a process that died. Bytes are where the state says: what
 *  was written besides is nobody's, and is swept away. */
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

/** Bytes behind the last part: in the state itself when they are few, else an object. */
export type UploadTail =
  | { readonly kind: 'inline'; readonly base64: string }
  | { readonly kind: 'object'; readonly key: string; readonly sizeBytes: number }

export interface UploadState {
  readonly version: 1
  readonly sizeBytes: number
  /** Bytes of the object `whole`: parts that were joined when somebody tried to commit. */
  readonly wholeBytes: number
  readonly multipartId?: string | undefined
  readonly parts: readonly UploadedPart[]
  readonly tail?: UploadTail | undefined
  /** The running hash over all bytes (base64 of a ResumableHash's state). */
  readonly hash?: { readonly algorithm: ResumableAlgorithm; readonly state: string } | undefined
  /** Who works on it now. */
  readonly owner?: string | undefined
}

export const emptyState: UploadState = { version: 1, sizeBytes: 0, wholeBytes: 0, parts: [] }

interface ReadState {
  readonly state: UploadState
  readonly etag: string
  readonly modifiedAt: Date
}

/** How long a name in the state keeps others away without being renewed. */
const leaseMs = 15_000
const renewMs = 4000
/** How long somebody waits for an upload that another one works on. */
const patienceMs = 1500
const pollMs = 100

/** The state as it is now; undefined when there is no such upload. */
export async function readUploadState(bucket: S3Bucket, id: string): Promise<ReadState | undefined> {
  try {
    const { body, etag, modifiedAt } = await bucket.get(uploadKey(id))
    return { state: JSON.parse((await readAll(body)).toString('utf8')) as UploadState, etag, modifiedAt }
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

/** The right to change one upload. Renews itself until it is released. */
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

  /** Waits a moment for others. Rejects with `notFound` or `conflict`, or as `check` of the state does. */
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

  /** Rejects once the upload is no longer ours; asked before anything is sent that cannot be taken back. */
  assertHeld(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Has renewals write what `progress` gives, so that a process that dies leaves most of its work. */
  renewWith(progress: () => UploadState): void {
    this.#progress = progress
  }

  /** Writes a new state and keeps the upload. */
  save(state: UploadState): Promise<void> {
    return this.#write(() => state, this.#owner)
  }

  /** Writes a new state and lets others work on the upload. */
  async release(state: UploadState = this.#state): Promise<void> {
    clearInterval(this.#timer)
    await this.#write(() => state, undefined)
  }

  /** The upload is no more: takes its state away. */
  async remove(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#bucket.delete(uploadKey(this.id))
  }

  async #renew(): Promise<void> {
    try {
      await this.#write(() => this.#progress?.() ?? this.#state, this.#owner)
    } catch {
      // Told to whoever works with the upload at its next step.
    }
  }

  /** One write at a time: each needs the ETag of the one before. */
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

/** The new ETag; undefined when somebody else was faster. */
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
