/** A stage as far as it is built. */
import type { Digest, OciHistoryEntry } from '../../oci/index.ts'
import type { BuiltLayer } from './built-image.ts'

export interface StageState {
  readonly layers: readonly BuiltLayer[]
  readonly history: readonly OciHistoryEntry[]
  /** RFC 3339, of the last thing that was made; absent while nothing was. */
  readonly created: string | undefined
  /** The image that was kept of it, or the base image. */
  readonly image?: Digest
}

export const emptyStage: StageState = { layers: [], history: [], created: undefined }
