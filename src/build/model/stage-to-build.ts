/** A stage of the plan with everything that is known before it is built. */
import type { Digest, Platform } from '../../oci/index.ts'
import type { EvaluatedStage, PlannedStage } from '../dockerfile/index.ts'
import type { StageState } from './stage-state.ts'

/** A stage that the target needs. */
export interface StageToBuild {
  readonly planned: PlannedStage
  /** Unique in the build. With one platform it is the stage's index in the Dockerfile. */
  readonly number: number
  /** The platform shown in the names of its steps when the build has several platforms: `linux/amd64`. */
  readonly shownPlatform?: string
  readonly evaluated: EvaluatedStage
  readonly platform: Platform
  /** What the stage starts from: another stage of the build (by index), an image, or nothing. */
  readonly base: { readonly stage: number } | { readonly state: StageState; readonly image?: Digest }
  /** Run every step again, even if the cache has its result. */
  readonly noCache: boolean
}
