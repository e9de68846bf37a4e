/** What is asked of a worker thread for one layer, and what it answers: plain data that can be sent. */
import type { LogFields } from '../../base/index.ts'
import { BerthError, type ErrorKind, isBerthError, messageOf } from '../../base/index.ts'
import type { Digest, DigestAlgorithm } from '../../oci/index.ts'
import type { BlobProblem, BlobRequest, HttpTransportOptions } from '../../registry/client/index.ts'

/** Where a layer's bytes come from. */
export type LayerSource =
  | {
      /** A registry: the bytes go into the content store on their way. */
      readonly from: 'registry'
      readonly contentRoot: string
      readonly digest: Digest
      readonly sizeBytes: number
      readonly transport: HttpTransportOptions
    }
  | {
      /** A file, complete or (with `growth`) still being written by the main thread. */
      readonly from: 'file'
      readonly path: string
      readonly sizeBytes: number
      readonly growth?: SharedArrayBuffer
      /** Of the digest; default: sha256. */
      readonly algorithm?: DigestAlgorithm
      /** What the bytes must be: others are `dataLoss`. */
      readonly expected?: Digest
    }
  | {
      /** A container's writable layer: packed, and the tar written on its way. */
      readonly from: 'directory'
      readonly path: string
      /** Paths, without leading slash, that stay out of the tar with all that is in them. */
      readonly leaveOut: readonly string[]
      /** An existing file, empty. */
      readonly output: string
      /** What is expected. */
      readonly sizeBytes: number
    }

export interface LayerJob {
  readonly source: LayerSource
  /** An empty directory to unpack into; absent: only fetch. */
  readonly targetDir?: string
}

export interface LayerResult {
  /** Of the bytes as they came. */
  readonly digest: Digest
  readonly sizeBytes: number
  /** Absent when nothing was unpacked. */
  readonly unpacked?: UnpackedLayer
}

export interface UnpackedLayer {
  readonly diffId: Digest
  readonly sizeBytes: number
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** Directories that the layer does not list but needs. */
  readonly impliedDirectories: readonly string[]
}

/** How far a job is: bytes, or for `retry` the milliseconds until then. */
export interface LayerJobProgress {
  readonly phase: 'download' | 'downloaded' | 'extract' | 'retry'
  readonly current: number
  readonly total: number
}

/** What a job needs of whoever runs it. */
export interface LayerJobHost {
  authorize(problem?: BlobProblem): Promise<BlobRequest | undefined>
  onProgress(progress: LayerJobProgress): void
  readonly signal: AbortSignal
}

export type MessageToWorker =
  | { readonly type: 'run'; readonly job: LayerJob }
  | { readonly type: 'authorized'; readonly request: BlobRequest | undefined }
  | { readonly type: 'notAuthorized'; readonly error: SentError }
  | { readonly type: 'cancel' }

export type MessageFromWorker =
  | { readonly type: 'authorize'; readonly problem: BlobProblem | undefined }
  | { readonly type: 'progress'; readonly progress: LayerJobProgress }
  | { readonly type: 'done'; readonly result: LayerResult }
  | { readonly type: 'failed'; readonly error: SentError }

/** An error on its way between threads. */
export interface SentError {
  readonly kind: ErrorKind
  readonly message: string
  readonly details: LogFields
}

export function toSentError(error: unknown): SentError {
  if (isBerthError(error)) return { kind: error.kind, message: error.message, details: { ...error.details } }
  return { kind: 'internal', message: messageOf(error), details: {} }
}

export function fromSentError({ kind, message, details }: SentError): BerthError {
  return new BerthError(kind, message, { details })
}
