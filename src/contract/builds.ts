/** What the `/build` routes ask of an engine. */
import type { Duplex } from 'node:stream'
import type {
  AuthConfig,
  BuildCachePruneResponse,
  BuildCacheRecord,
  BuildEvent,
  BuildRequest,
  BuildWalkAsk,
  Filters,
} from '../api/index.ts'

/** Progress of one instruction, for clients that read all of them in order. */
export interface BuildStepReport {
  readonly stage: number
  /** Number of the instruction in its stage; FROM is 0. */
  readonly step: number
  readonly phase: 'begin' | 'running' | 'cached' | 'done' | 'failed'
  /** The instruction as written. */
  readonly text: string
  /** With `running`: id of the process. With `done`: id of the image so far. */
  readonly id?: string
}

/** Takes bytes at the reader's pace. */
export interface BuildByteSink {
  /** Resolves when more can be written. The caller may then reuse the chunk's memory. */
  write(chunk: Uint8Array): Promise<void>
  /** Resolves when the reader has taken everything. */
  end(): Promise<void>
}

/** The connection of a client that builds. A method that the client does not support is absent. */
export interface BuildClient {
  /** Aborted when the client cancels the build. */
  readonly signal: AbortSignal
  /** Takes an event for the client. Events come in order: steps, output, warnings, metadata. */
  emit(event: BuildEvent): void
  /** Takes the stages that will be built, in order, with how many instructions each has, FROM included. */
  readonly onPlan?: ((stages: readonly { readonly stage: number; readonly steps: number }[]) => void) | undefined
  /** Takes each phase of each instruction. When it is present, each step also leaves an image. */
  readonly onStep?: ((report: BuildStepReport) => void) | undefined
  /** The archive that is the context. */
  tar?(): AsyncIterable<Buffer>
  /** Lists the files of a context. `context` is the context's name: `context` is the build's own, any other is a named
   *  one. Gives JSON lines of `BuildContextFile`; with `digest` one of `BuildContextDigest` instead. */
  walk?(context: string, wanted: Pick<BuildWalkAsk, 'roots' | 'patterns' | 'digest'>): AsyncIterable<Buffer>
  /** Contents of these files, in the form that docs/build.md describes. `context` is a context's name as in `walk`, or
   *  `cache-from:` and the index of a `--cache-from` option. */
  files?(context: string, paths: readonly string[]): AsyncIterable<Buffer>
  /** A connection to the client's ssh agent of this id. */
  openSsh?(id: string): Promise<Duplex>
  /** Opens an output of a target: one file, or a tar of a directory's files. The numbers are indexes into the request. */
  openOutput?(target: number, output: number, form: 'tar' | 'file'): Promise<BuildByteSink>
  /** Credentials by registry. */
  readonly auths: Readonly<Record<string, AuthConfig>>
}

/** A target that was built. */
export interface BuiltImageId {
  /** Undefined for a target that became no image. */
  readonly id: string | undefined
  readonly tags: readonly string[]
}

/** Which records of the build cache to remove. The limits in bytes apply together. */
export interface BuildPruneOptions {
  /** Also records whose layers are part of an image. */
  readonly all: boolean
  readonly filters: Filters
  /** This many bytes may stay. */
  readonly reservedBytes?: number | undefined
  /** Removes records until no more than this many bytes are used. */
  readonly maxUsedBytes?: number | undefined
  /** Removes records until this many bytes are free on the disk. */
  readonly minFreeBytes?: number | undefined
}

/** How a BuildKit client describes itself when it opens a session. */
export interface BuildkitSession {
  readonly id: string
  /** The same for builds of the same directories; empty when the client does not know. */
  readonly sharedKey: string
  /** The gRPC methods that the client answers, like `/moby.filesync.v1.FileSync/DiffCopy`. */
  readonly methods: readonly string[]
}

/** Where a result or a cache goes, or where a cache comes from. */
export interface BuildkitEntry {
  /** BuildKit's name, like `moby`, `image`, `oci`, `docker`, `tar`, `local`; empty: nowhere. */
  readonly type: string
  readonly attrs: Readonly<Record<string, string>>
}

/** `POST /build?version=2`: a build whose files are in a BuildKit session. */
export interface SessionBuild {
  readonly sessionId: string
  /** Options of BuildKit's Dockerfile frontend. */
  readonly attrs: Readonly<Record<string, string>>
  readonly exports: readonly BuildkitEntry[]
  readonly cacheExports: readonly BuildkitEntry[]
  readonly entitlements: readonly string[]
  /** The context, if the client sends it with the request. */
  readonly archive?: () => AsyncIterable<Buffer>
  readonly signal: AbortSignal
  /** Takes BuildKit's `StatusResponse` messages, encoded. */
  readonly onTrace: (message: Uint8Array) => void
}

/** BuildKit's protocol, on connections that have left HTTP. */
export interface BuildkitBackend {
  /** Throws `invalidArgument` for a description that no session can have. */
  checkSession(session: BuildkitSession): void
  /** Resolves when the connection is closed. */
  serveSession(connection: Duplex, session: BuildkitSession): Promise<void>
  /** Serves BuildKit's gRPC services. Resolves when the connection is closed. */
  serve(connection: Duplex): Promise<void>
  /** Gives the ids of the images. Rejects with a gRPC error, whose `cause` is the builder's. */
  build(request: SessionBuild): Promise<{ readonly images: readonly string[] }>
}

/** What the `/build` routes call. */
export interface BuildBackend {
  /** Builds all targets; gives them in the order of the request. */
  build(request: BuildRequest, client: BuildClient): Promise<readonly BuiltImageId[]>
  /** Removes records of the build cache that no build uses. */
  prune(options: BuildPruneOptions): Promise<BuildCachePruneResponse>
  /** The records of the build cache. */
  usage(): Promise<readonly BuildCacheRecord[]>
  /** BuildKit's protocol; it is loaded when it is first used. */
  buildkit(): Promise<BuildkitBackend>
}
