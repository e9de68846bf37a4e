/** One step while it is built. */
import type { Step } from '../dockerfile/index.ts'
import type { StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'
import type { Vertex } from '../model/vertexes.ts'
import type { BuildRun } from './build-run.ts'

/** A step with everything around it: the build, the stage, and the layers so far. */
export interface StepPlace {
  readonly run: BuildRun
  readonly stage: StageToBuild
  readonly step: Step
  /** Index among the steps of the stage, from 0. */
  readonly index: number
  readonly state: StageState
  readonly vertex: Vertex
  /** Reports the id of a RUN's process, once it has one. */
  running(id: string): void
}
