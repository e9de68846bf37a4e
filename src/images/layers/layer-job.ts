/** The job of a worker thread for one layer, and its result: plain data that can be sent between threads. */
import type { LogFields } from '../../base/index.ts'
import { BerthError, type ErrorKind, isBerthError, messageOf } from '../../base/index.ts'
import type { Digest, DigestAlgorithm } from '../../oci/index.ts'
import type { BlobProblem, BlobRequest, HttpTransportOptions } from '../../registry/client/index.ts'

/** Where a layer's bytes come from. */
export type LayerSource =
  | {
      /** A registry. The bytes are stored in the content store on their way. */
      readonly from: 'registry'
      readonly contentRoot: string
      readonly digest: Digest
      readonly sizeBytes: number
      readonly transport: HttpTransportOptions
    }
  | {
      /** A file that is complete or, with `growth`, still written by the main thread. */
      readonly from: 'file'
      readonly path: string
      readonly sizeBytes: number
      readonly growth?: SharedArrayBuffer
      /** Algorithm of the digest; default sha256. */
      readonly algorithm?: DigestAlgorithm
      /** The expected digest; other bytes throw `dataLoss`. */
      readonly expected?: Digest
    }
  | {
      /** A container's writable layer, which is packed as a tar file. */
      readonly from: 'directory'
      readonly path: string
      /** Paths, without a leading slash, that stay out of the tar file with everything in them. */
      readonly leaveOut: readonly string[]
      /** An existing empty file for the tar. */
      readonly output: string
      /** The estimated size. */
      readonly sizeBytes: number
    }

/** What to do with one layer. */
export interface LayerJob {
  readonly source: LayerSource
  /** An empty directory to unpack into. Absent: only fetch. */
  readonly targetDir?: string
}

/** The result of a job. */
export interface LayerResult {
  /** Digest of the bytes as they came, compressed or not. */
  readonly digest: Digest
  readonly sizeBytes: number
  /** Absent when the job did not unpack. */
  readonly unpacked?: UnpackedLayer
}

/** What unpacking a layer found. */
export interface UnpackedLayer {
  readonly diffId: Digest
  readonly sizeBytes: number
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** Directories that the layer needs but does not list. */
  readonly impliedDirectories: readonly string[]
}

/** Progress of a job: a number of bytes or, for `retry`, the milliseconds until the next try. */
export interface LayerJobProgress {
  readonly phase: 'download' | 'downloaded' | 'extract' | 'retry'
  readonly current: number
  readonly total: number
}

/** What the thread that runs a job offers to it. */
export interface LayerJobHost {
  authorize(problem?: BlobProblem): Promise<BlobRequest | undefined>
  onProgress(progress: LayerJobProgress): void
  readonly signal: AbortSignal
}

/** Messages of the main thread to a worker. */
export type MessageToWorker =
  | { readonly type: 'run'; readonly job: LayerJob }
  | { readonly type: 'authorized'; readonly request: BlobRequest | undefined }
  | { readonly type: 'notAuthorized'; readonly error: SentError }
  | { readonly type: 'cancel' }

/** Messages of a worker to the main thread. */
export type MessageFromWorker =
  | { readonly type: 'authorize'; readonly problem: BlobProblem | undefined }
  | { readonly type: 'progress'; readonly progress: LayerJobProgress }
  | { readonly type: 'done'; readonly result: LayerResult }
  | { readonly type: 'failed'; readonly error: SentError }

/** An error as it is sent between threads. */
export interface SentError {
  readonly kind: ErrorKind
  readonly message: string
  readonly details: LogFields
}

/** The form of an error that can be sent between threads. */
export function toSentError(error: unknown): SentError {
  if (isBerthError(error)) return { kind: error.kind, message: error.message, details: { ...error.details } }
  return { kind: 'internal', message: messageOf(error), details: {} }
}

/** The error that another thread sent. */
export function fromSentError({ kind, message, details }: SentError): BerthError {
  return new BerthError(kind, message, { details })
}
