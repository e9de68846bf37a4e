/** One build while it runs: what its stages and steps share. */
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
