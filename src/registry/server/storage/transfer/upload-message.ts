/** The messages between upload-threads.ts and its threads. */
import type { BodyFaultKind } from './body-fault.ts'
import type { BodySource } from './body-receiver.ts'
import type { HashTarget } from './file-hasher.ts'

export type UploadRequest =
  | { readonly type: 'advance'; readonly target: HashTarget }
  | { readonly type: 'finish'; readonly number: number; readonly target: HashTarget }
  /** Appends a body after the first `target.sizeBytes` bytes of the open file `file`. */
  | {
      readonly type: 'receive'
      readonly number: number
      readonly target: HashTarget
      readonly file: number
      readonly source: BodySource
    }
  | { readonly type: 'cancel'; readonly number: number }
  | { readonly type: 'drop'; readonly id: string }

export type UploadReply =
  | { readonly type: 'hashed'; readonly number: number; readonly hex: string }
  /** The current size of the file. */
  | { readonly type: 'written'; readonly number: number; readonly fileBytes: number }
  | { readonly type: 'received'; readonly number: number; readonly bodyBytes: number; readonly rest: Uint8Array }
  | { readonly type: 'failed'; readonly number: number; readonly failure: UploadFailure }

export interface UploadFailure {
  readonly message: string
  /** The code of a system error. */
  readonly code?: string | undefined
  readonly fault?: BodyFaultKind | undefined
}
