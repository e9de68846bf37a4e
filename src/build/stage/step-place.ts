/** One step while it is built, and where it stands. */
import type { Step } from '../dockerfile/index.ts'
import type { StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'
import type { Vertex } from '../model/vertexes.ts'
import type { BuildRun } from './build-run.ts'

export interface StepPlace {
  readonly run: BuildRun
  readonly stage: StageToBuild
  readonly step: Step
  /** Among the steps of the stage, from 0. */
  readonly index: number
  readonly state: StageState
  readonly vertex: Vertex
  /** The process of a RUN has an id now. */
  running(id: string): void
}
