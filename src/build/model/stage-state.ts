/** A stage as far as it is built. */
import type { Digest, OciHistoryEntry } from '../../oci/index.ts'
import type { BuiltLayer } from './built-image.ts'

/** The layers and history of a stage after some of its steps. */
export interface StageState {
  readonly layers: readonly BuiltLayer[]
  readonly history: readonly OciHistoryEntry[]
  /** Creation time of the newest layer or image, RFC 3339. Undefined as long as the stage is empty. */
  readonly created: string | undefined
  /** Id of the image kept for the last step, or of the base image. */
  readonly image?: Digest
}

/** A stage FROM scratch before its first step. */
export const emptyStage: StageState = { layers: [], history: [], created: undefined }
