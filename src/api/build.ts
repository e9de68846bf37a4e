/** What `berth build` and the daemon say to each other over `POST /build/session`. docs/build.md has the protocol.
 *  Times are RFC 3339 with nanoseconds. */
import type { OciDescriptor } from './descriptors.ts'
import type { Ulimit } from './host-config.ts'
import type { StringMap } from './optional.ts'

/** The protocol's name in the `Upgrade` header. */
export const buildUpgrade = 'berth-build'

/** Kinds of frames: `u8 kind | u32be channel | u32be length | payload`. */
export const buildFrame = { message: 0, bytes: 1, end: 2 } as const

/** The payload of a frame with bytes is at most this long. */
export const maxBuildFrameBytes = 1024 * 1024

/** The payload of a frame with a message is at most this long: a request carries secrets. */
export const maxBuildMessageBytes = 16 * 1024 * 1024

/** Where the files of a build come from. */
export type BuildContext =
  /** A directory of the client; `key` is its identity, the same each time. */
  | { readonly kind: 'local'; readonly key: string }
  /** The daemon fetches it: a git repository, an archive or a Dockerfile. */
  | { readonly kind: 'remote'; readonly url: string }
  /** An archive that the client sends when it is asked. */
  | { readonly kind: 'tar' }
  | { readonly kind: 'none' }

/** Result of `POST /build/prune`. */
export interface BuildCachePruneResponse {
  readonly CachesDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}

/** One of `--build-context`. */
export type NamedBuildContext =
  | Extract<BuildContext, { kind: 'local' | 'remote' }>
  | { readonly kind: 'image'; readonly reference: string }
  /** An image in an OCI layout, whose files the client is asked for. */
  | { readonly kind: 'layout'; readonly tag: string; readonly digest?: string }
  /** A stage of the same Dockerfile. */
  | { readonly kind: 'stage'; readonly stage: string }
  /** What another build made that is under way, or was a moment ago. Only within the engine. */
  | { readonly kind: 'result'; readonly id: string }

export type BuildOutputType = 'image' | 'docker' | 'oci' | 'tar' | 'local' | 'registry' | 'cacheonly'

/** One of `--output`. */
export interface BuildOutput {
  readonly type: BuildOutputType
  readonly attrs: StringMap
}

/** One of `--cache-from` and `--cache-to`. */
export interface BuildCacheOption {
  readonly type: string
  readonly attrs: StringMap
}

/** One of `--attest`. */
export interface BuildAttestation {
  readonly type: 'provenance' | 'sbom'
  readonly attrs: StringMap
}

/** A stage that is wanted, and what becomes of it. */
export interface BuildTarget {
  /** The last stage without it. */
  readonly name?: string
  readonly tags: readonly string[]
  /** None: an image in the engine's own store. */
  readonly outputs: readonly BuildOutput[]
}

/** The client's first message. */
export interface BuildRequest {
  readonly type: 'build'
  /** The Dockerfile's text; without it the daemon takes `dockerfileName` out of the context. */
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
  readonly squash: boolean
  readonly explain: boolean
  /** Only the checks: nothing is built. */
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

/** What a client says after that. */
export interface BuildCancel {
  readonly type: 'cancel'
}

/** Asks which files there are at and below `roots` (`.` for everything). */
export interface BuildWalkAsk {
  readonly type: 'walk'
  readonly channel: number
  readonly context: string
  readonly roots: readonly string[]
  /** What else is wanted: matches, and all below them. */
  readonly patterns?: readonly BuildWalkPattern[]
  /** Not the list is wanted but one line of `BuildContextDigest`. */
  readonly digest?: boolean
}

/** What the daemon asks the client for; each opens a channel. `context` is `context` or the name of a named one. */
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

/** A file of a context, one JSON line in the answer to `walk`. Owners are not told. */
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
  /** Where a symlink leads. */
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

/** What stands for a list of files: two lists with one digest are the same, times and inodes included. */
export interface BuildContextDigest {
  /** SHA-256 of the lines, in hexadecimal. */
  readonly digest: string
  /** Where symlinks are in the list: nowhere, one of them on the way to a root (or it is one), or only below. */
  readonly links: 'none' | 'roots' | 'below'
}

/** What the daemon tells. */
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

/** Something that goes on inside a step. */
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

/** What a check found, or what the user should know. */
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

/** Why a step was not found in the cache. */
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

/** What ended the build. */
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
