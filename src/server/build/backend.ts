import type { Duplex } from 'node:stream'
import type { AuthConfig, BuildCacheRecord, BuildEvent, BuildRequest, BuildWalkAsk } from '../../api/index.ts'
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
  /** JSON lines of `BuildContextFile`; with `digest` one of `BuildContextDigest` instead. */
  walk?(context: string, wanted: Pick<BuildWalkAsk, 'roots' | 'patterns' | 'digest'>): AsyncIterable<Buffer>
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

/** What a client says of itself when it opens a session for BuildKit. */
export interface BuildkitSession {
  readonly id: string
  readonly sharedKey: string
  /** The methods that it answers. */
  readonly methods: readonly string[]
}

/** `POST /build?version=2`: what is to be built is in a session. */
export interface SessionBuild {
  readonly sessionId: string
  /** Options of BuildKit's Dockerfile frontend. */
  readonly attrs: Readonly<Record<string, string>>
  readonly exports: readonly { readonly type: string; readonly attrs: Readonly<Record<string, string>> }[]
  readonly cacheExports: readonly { readonly type: string; readonly attrs: Readonly<Record<string, string>> }[]
  readonly entitlements: readonly string[]
  /** The context, where the client sends it along. */
  readonly archive?: () => AsyncIterable<Buffer>
  readonly signal: AbortSignal
  /** Takes BuildKit's messages about what goes on. */
  readonly onTrace: (message: Uint8Array) => void
}

/** BuildKit's protocol, on connections that have left HTTP. */
export interface BuildkitBackend {
  /** Throws `invalidArgument` for a session that can't be. */
  checkSession(session: BuildkitSession): void
  /** Resolves when the connection is closed. */
  serveSession(connection: Duplex, session: BuildkitSession): Promise<void>
  /** Resolves when the connection is closed. */
  serve(connection: Duplex): Promise<void>
  build(request: SessionBuild): Promise<{ readonly images: readonly string[] }>
}

/** What the `/build` routes call. */
export interface BuildBackend {
  build(request: BuildRequest, client: BuildClient): Promise<readonly BuiltImageId[]>
  prune(
    options: BuildPruneOptions,
  ): Promise<{ readonly CachesDeleted: readonly string[]; readonly SpaceReclaimed: number }>
  usage(): Promise<readonly BuildCacheRecord[]>
  /** Opened when it is first used. */
  buildkit(): Promise<BuildkitBackend>
}
