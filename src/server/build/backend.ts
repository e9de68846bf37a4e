import type { Duplex } from 'node:stream'
import type { AuthConfig, BuildCacheRecord, BuildEvent, BuildRequest } from '../../api/index.ts'
import type { Filters } from '../containers/index.ts'

/** One instruction's progress. `running`: `id` is of the process; `done`: of the image so far. */
export interface BuildStepReport {
  readonly stage: number
  /** FROM is 0. */
  readonly step: number
  readonly phase: 'begin' | 'running' | 'cached' | 'done' | 'failed'
  readonly text: string
  readonly id?: string
}

/** Takes bytes at the reader's pace. */
export interface BuildByteSink {
  write(chunk: Uint8Array): Promise<void>
  end(): Promise<void>
}

/** What a build has of its client; what the client can't do is absent. */
export interface BuildClient {
  readonly signal: AbortSignal
  emit(event: BuildEvent): void
  readonly onPlan?: (stages: readonly { readonly stage: number; readonly steps: number }[]) => void
  readonly onStep?: (report: BuildStepReport) => void
  /** The archive that is the context. */
  tar?(): AsyncIterable<Buffer>
  /** JSON lines of `BuildContextFile`. */
  walk?(context: string, roots: readonly string[]): AsyncIterable<Buffer>
  files?(context: string, paths: readonly string[]): AsyncIterable<Buffer>
  openSsh?(id: string): Promise<Duplex>
  openOutput?(target: number, output: number, form: 'tar' | 'file'): Promise<BuildByteSink>
  /** By registry. */
  readonly auths: Readonly<Record<string, AuthConfig>>
}

/** An image that was made. */
export interface BuiltImageId {
  readonly id: string | undefined
  readonly tags: readonly string[]
}

export interface BuildPruneOptions {
  readonly all: boolean
  readonly filters: Filters
  /** Bytes that may stay. */
  readonly reservedBytes?: number | undefined
  readonly maxUsedBytes?: number | undefined
  readonly minFreeBytes?: number | undefined
}

/** What the `/build` routes call. */
export interface BuildBackend {
  build(request: BuildRequest, client: BuildClient): Promise<readonly BuiltImageId[]>
  prune(
    options: BuildPruneOptions,
  ): Promise<{ readonly CachesDeleted: readonly string[]; readonly SpaceReclaimed: number }>
  usage(): Promise<readonly BuildCacheRecord[]>
}
