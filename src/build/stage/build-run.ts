/** A running build: what its stages and steps share. */
import type { BuildRequest } from '../../api/index.ts'
import type { Holds } from '../../images/index.ts'
import type { FileContext } from '../context/file-context.ts'
import type { Dockerfile, GlobalScope } from '../dockerfile/index.ts'
import type { ImportedCaches } from '../export/index.ts'
import type { BuildHost } from '../host/build-host.ts'
import type { BaseImages } from '../image/base-images.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { BuildMaterial } from '../model/built-image.ts'
import type { StageState } from '../model/stage-state.ts'
import type { Vertexes } from '../model/vertexes.ts'
import type { RunOptions } from '../run/run-options.ts'

/** What the steps of one build for one platform work with. */
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
  /** Caches from `--cache-from`. */
  readonly imported: ImportedCaches
  /** For `rewrite-timestamp`: the latest allowed modification time, in nanoseconds since the epoch. */
  readonly latestNs: bigint | undefined
  /** Waits for a stage and gives its result. Builds the stage if it has not started. */
  stage(index: number): Promise<StageState>
  /** The build's own context. Undefined when it has none. */
  context(): Promise<FileContext | undefined>
  /** A context of `--build-context` that consists of files. Undefined for an unknown name. */
  namedContext(name: string): Promise<FileContext | undefined>
}
