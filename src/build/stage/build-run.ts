/** One build while it runs: what its stages and steps share. */
import type { BuildRequest } from '../../api/index.ts'
import type { Holds } from '../../images/index.ts'
import type { Digest, Platform } from '../../oci/index.ts'
import type { BaseImages } from '../base-images.ts'
import type { BuildHost } from '../build-host.ts'
import type { BuildParts } from '../build-parts.ts'
import type { BuildMaterial } from '../built-image.ts'
import type { FileContext } from '../context/file-context.ts'
import type { Dockerfile, EvaluatedStage, GlobalScope, PlannedStage } from '../dockerfile/index.ts'
import type { ImportedCaches } from '../export/index.ts'
import type { RunOptions } from '../run/run-options.ts'
import type { Vertexes } from '../vertexes.ts'
import type { StageState } from './stage-state.ts'

/** A stage that is to be built. */
export interface StageToBuild {
  readonly planned: PlannedStage
  /** Unique in the build; its index where there is one platform. */
  readonly number: number
  /** As its steps show it, where there are several: `linux/amd64`. */
  readonly shownPlatform?: string
  readonly evaluated: EvaluatedStage
  readonly platform: Platform
  /** What it begins with, but for the layers of a stage that is built first. */
  readonly base: { readonly stage: number } | { readonly state: StageState; readonly image?: Digest }
  /** Its cached steps are not used. */
  readonly noCache: boolean
}

export interface BuildRun {
  readonly parts: BuildParts
  readonly host: BuildHost
  readonly request: BuildRequest
  readonly holds: Holds
  readonly vertexes: Vertexes
  readonly bases: BaseImages
  readonly dockerfile: Dockerfile
  readonly scope: GlobalScope
  readonly runOptions: RunOptions
  readonly proxies: readonly string[]
  readonly materials: BuildMaterial[]
  /** What others' builds left. */
  readonly imported: ImportedCaches
  /** Of `rewrite-timestamp`. */
  readonly latestNs: bigint | undefined
  /** A stage, once it is built. */
  stage(index: number): Promise<StageState>
  /** The build's own files; undefined when there are none. */
  context(): Promise<FileContext | undefined>
  /** Files of `--build-context`; undefined for a name that is none of theirs. */
  namedContext(name: string): Promise<FileContext | undefined>
}
