/** The messages of `berth build` and the daemon over `POST /build/session`. docs/build.md has the protocol.
 *  Times are RFC 3339 with nanoseconds. */
import type { OciDescriptor } from './descriptors.ts'
import type { Ulimit } from './host-config.ts'
import type { StringMap } from './optional.ts'

/** The protocol's name in the `Upgrade` header. */
export const buildUpgrade = 'berth-build'

/** Kinds of frames: `u8 kind | u32be channel | u32be length | payload`. */
export const buildFrame = { message: 0, bytes: 1, end: 2 } as const

/** Longest payload of a frame with bytes, in bytes. */
export const maxBuildFrameBytes = 1024 * 1024

/** Longest payload of a frame with a message, in bytes. It is this large because a request carries secrets. */
export const maxBuildMessageBytes = 16 * 1024 * 1024

/** Where the files of a build come from. */
export type BuildContext =
  /** A directory of the client. `key` identifies the directory and is the same in each build. */
  | { readonly kind: 'local'; readonly key: string }
  /** A git repository, an archive or a Dockerfile that the daemon fetches. */
  | { readonly kind: 'remote'; readonly url: string }
  /** An archive that the client sends when the daemon asks for it. */
  | { readonly kind: 'tar' }
  /** No files. */
  | { readonly kind: 'none' }

/** Result of `POST /build/prune`: ids of the removed records, and the bytes that their removal freed. */
export interface BuildCachePruneResponse {
  readonly CachesDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}

/** Value of one `--build-context`. */
export type NamedBuildContext =
  | Extract<BuildContext, { kind: 'local' | 'remote' }>
  | { readonly kind: 'image'; readonly reference: string }
  /** An image in an OCI layout, whose files come from the client. */
  | { readonly kind: 'layout'; readonly tag: string; readonly digest?: string }
  /** A stage of the same Dockerfile. */
  | { readonly kind: 'stage'; readonly stage: string }
  /** The result of another build that runs or has just ended. Only used within the engine. */
  | { readonly kind: 'result'; readonly id: string }

/** Forms of `--output`. */
export type BuildOutputType = 'image' | 'docker' | 'oci' | 'tar' | 'local' | 'registry' | 'cacheonly'

/** Value of one `--output`. */
export interface BuildOutput {
  readonly type: BuildOutputType
  readonly attrs: StringMap
}

/** Value of one `--cache-from` or `--cache-to`. */
export interface BuildCacheOption {
  readonly type: string
  readonly attrs: StringMap
}

/** Value of one `--attest`. */
export interface BuildAttestation {
  readonly type: 'provenance' | 'sbom'
  readonly attrs: StringMap
}

/** A stage to build, and what to make of it. */
export interface BuildTarget {
  /** Absent: the last stage. */
  readonly name?: string
  readonly tags: readonly string[]
  /** Empty: an image in the engine's own store. */
  readonly outputs: readonly BuildOutput[]
}

/** The client's first message: what to build. */
export interface BuildRequest {
  readonly type: 'build'
  /** The Dockerfile's text. Absent: the daemon reads `dockerfileName` from the context. */
  readonly dockerfile?: string
  readonly dockerfileName: string
  readonly context: BuildContext
  readonly namedContexts?: Readonly<Record<string, NamedBuildContext>>
  readonly targets: readonly BuildTarget[]
  readonly platforms?: readonly string[]
  readonly buildArgs: StringMap
  readonly labels: StringMap
  /** `name:ip`. */
  readonly addHosts: readonly string[]
  /** `[level:]key` → value. */
  readonly annotations?: StringMap
  readonly noCache: boolean
  /** Stages whose cache is not used. */
  readonly noCacheFilter?: readonly string[]
  readonly pull: boolean
  readonly network?: string
  readonly shmSizeBytes?: number
  readonly ulimits?: readonly Ulimit[]
  readonly memoryBytes?: number
  readonly memorySwapBytes?: number
  readonly cpuShares?: number
  readonly cpuPeriod?: number
  readonly cpuQuota?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly cgroupParent?: string
  /** The hostname of RUN. The build argument BUILDKIT_SANDBOX_HOSTNAME overrides it. */
  readonly hostname?: string
  readonly squash: boolean
  readonly explain: boolean
  /** Only runs the build checks and builds nothing. */
  readonly check: boolean
  /** Entitlements: `network.host`, `security.insecure`. */
  readonly allow: readonly string[]
  /** `value` in base64. */
  readonly secrets: readonly { readonly id: string; readonly value: string }[]
  /** Agents that the client forwards. */
  readonly ssh: readonly { readonly id: string }[]
  readonly cacheFrom: readonly BuildCacheOption[]
  readonly cacheTo: readonly BuildCacheOption[]
  readonly attests: readonly BuildAttestation[]
}

/** A later message of the client: it ends the build. */
export interface BuildCancel {
  readonly type: 'cancel'
}

/** Asks which files there are at and below `roots` (`.` for everything). */
export interface BuildWalkAsk {
  readonly type: 'walk'
  readonly channel: number
  readonly context: string
  readonly roots: readonly string[]
  /** Asks also for what matches these patterns, and for everything below a match. */
  readonly patterns?: readonly BuildWalkPattern[]
  /** Asks for one line of `BuildContextDigest` instead of the list. */
  readonly digest?: boolean
}

/** What the daemon asks the client for. Each question opens a channel for the answer. `context` is the word `context`
 *  or the name of a named context. */
export type BuildAsk =
  | BuildWalkAsk
  | { readonly type: 'files'; readonly channel: number; readonly context: string; readonly paths: readonly string[] }
  | { readonly type: 'tar'; readonly channel: number }
  | { readonly type: 'ssh'; readonly channel: number; readonly id: string }
  | {
      readonly type: 'output'
      readonly channel: number
      readonly target: number
      readonly output: number
      /** `tar`: to be unpacked into a directory; `file`: written as it is. */
      readonly form: 'tar' | 'file'
    }

/** A file of a context: one JSON line in the answer to `walk`. Owners are left out. */
export interface BuildContextFile {
  /** Relative to the context. */
  readonly p: string
  /** File, directory, symlink, other. */
  readonly t: 'f' | 'd' | 'l' | 'o'
  /** Permission bits. */
  readonly m: number
  /** Bytes, of a file. */
  readonly s?: number
  /** Nanoseconds since 1970. */
  readonly mt: string
  readonly ct: string
  readonly i: string
  /** Target of a symlink. */
  readonly l?: string
  /** An earlier path of the same file. */
  readonly n?: string
  /** Extended attributes, values in base64. */
  readonly x?: StringMap
}

/** Wildcards below a directory (`.` for the context itself), by the rules of COPY. */
export interface BuildWalkPattern {
  readonly directory: string
  readonly pattern: string
  /** `**` means any number of directories. */
  readonly doubleStar: boolean
}

/** Digest of a list of files. Two lists with the same digest are the same, times and inodes included. */
export interface BuildContextDigest {
  /** SHA-256 of the lines, in hexadecimal. */
  readonly digest: string
  /** Where the list has symlinks: nowhere, on the way to a root (or a root is one), or only below the roots. */
  readonly links: 'none' | 'roots' | 'below'
}

/** A message of the daemon about the build. */
export type BuildEvent =
  | BuildVertexEvent
  | { readonly type: 'log'; readonly vertex: string; readonly stream: 1 | 2; readonly text: string }
  | BuildStatusEvent
  | BuildWarningEvent
  | BuildExplainEvent
  | {
      readonly type: 'aux'
      readonly target: number
      /** The image's id. */
      readonly id: string
      readonly manifest?: OciDescriptor
      readonly tags: readonly string[]
    }
  | { readonly type: 'metadata'; readonly target: number; readonly values: Readonly<Record<string, unknown>> }
  | BuildErrorEvent
  | { readonly type: 'done' }

/** A step of the build; repeated with more fields as it goes on. */
export interface BuildVertexEvent {
  readonly type: 'vertex'
  /** Unique in the build. */
  readonly id: string
  readonly name: string
  readonly stage?: string
  readonly inputs?: readonly string[]
  readonly started?: string
  readonly completed?: string
  readonly cached?: boolean
  readonly error?: string
}

/** Progress of something inside a step, like a download. */
export interface BuildStatusEvent {
  readonly type: 'status'
  readonly vertex: string
  readonly id: string
  readonly name?: string
  readonly current?: number
  readonly total?: number
  readonly started?: string
  readonly completed?: string
}

/** A finding of a build check, or something else that the user should know. */
export interface BuildWarningEvent {
  readonly type: 'warning'
  readonly rule?: string
  readonly message: string
  readonly description?: string
  readonly url?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly excerpt?: string
  readonly level?: number
}

/** Why the cache had no record of a step. */
export interface BuildExplainEvent {
  readonly type: 'explain'
  readonly vertex: string
  /** `COPY . /app`. */
  readonly step: string
  readonly reasons: readonly BuildMissReason[]
}

/** One reason; `text` is ready to be printed. */
export interface BuildMissReason {
  readonly kind: string
  readonly text: string
  readonly name?: string
  readonly old?: string
  readonly new?: string
}

/** The error that ended the build. */
export interface BuildErrorEvent {
  readonly type: 'error'
  readonly message: string
  readonly kind: string
  readonly vertex?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly excerpt?: string
  readonly exitCode?: number
}
