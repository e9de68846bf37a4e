import type { Readable } from 'node:stream'
import type {
  ContainerChange,
  ContainerConfig,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerStats,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  HostConfig,
  NetworkingConfig,
  WaitCondition,
} from '../../api/index.ts'
import type { AbortOptions, OutputSink } from '../../base/index.ts'

/** Decoded `filters` of a list: key → the values asked for, any of which may match. Keys were checked. */
export type Filters = Readonly<Record<string, readonly string[]>>

export interface CreateContainerRequest {
  /** Without a leading slash, form checked; absent: the engine makes one up. */
  readonly name?: string | undefined
  /** `os[/arch[/variant]]`, not checked. */
  readonly platform?: string | undefined
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig?: NetworkingConfig | undefined
}

export interface StopOptions {
  readonly signal?: string | undefined
  /** Absent: the container's own; negative: no limit. */
  readonly timeoutSeconds?: number | undefined
}

export interface RemoveOptions {
  readonly force: boolean
  /** Anonymous volumes too. */
  readonly volumes: boolean
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

export interface ListContainersOptions {
  readonly all: boolean
  /** Only the newest so many, stopped ones too. */
  readonly limit?: number | undefined
  readonly size: boolean
  readonly filters: Filters
}

export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  readonly timestamps: boolean
  readonly details: boolean
  readonly tail: number | 'all'
  /** Unix nanoseconds. */
  readonly sinceNs?: bigint | undefined
  readonly untilNs?: bigint | undefined
}

export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Live output and input; false: only `logs`. */
  readonly stream: boolean
  /** What was written until now first. */
  readonly logs: boolean
  /** As given by the client, like `ctrl-p,ctrl-q`; absent: the configured ones. */
  readonly detachKeys?: string | undefined
}

/** The client's end of an attached or followed stream, made by the server after it answered. */
export interface AttachIo {
  readonly sink: OutputSink
  /** The client's raw input; its end is the end of the process's stdin. Absent when stdin wasn't asked for. */
  readonly input?: Readable | undefined
}

/** A stream that was found and armed: the server sends its headers, then calls `run`. */
export interface OutputSource<Io> {
  /** Whether the process has a terminal, so that output is one raw stream without frames. */
  readonly tty: boolean
  /** Carries the bytes until one side ends. The server ends the sink afterwards, also on failure. */
  run(io: Io): Promise<void>
}

export interface WaitHandle {
  /** Settles when the condition holds. */
  readonly result: Promise<ContainerWaitResponse>
}

/** Bringing containers into being and out of it. `id` is an id, a unique prefix of one, or a name. */
export interface ContainerLifecycle {
  create(request: CreateContainerRequest): Promise<ContainerCreateResponse>
  /** notModified when it runs already. */
  start(id: string, options: { readonly detachKeys?: string | undefined }): Promise<void>
  /** notModified when it doesn't run. */
  stop(id: string, options: StopOptions): Promise<void>
  restart(id: string, options: StopOptions): Promise<void>
  kill(id: string, signal: string): Promise<void>
  pause(id: string): Promise<void>
  unpause(id: string): Promise<void>
  /** Sets what of resources and restart policy is given. */
  update(id: string, changes: HostConfig): Promise<ContainerUpdateResponse>
  rename(id: string, name: string): Promise<void>
  remove(id: string, options: RemoveOptions): Promise<void>
  /** Takes a link away, by `parent/alias`; the container stays. */
  removeLink(name: string): Promise<void>
}

/** Asking about containers. */
export interface ContainerQueries {
  inspect(id: string, options: { readonly size: boolean }): Promise<ContainerInspect>
  list(options: ListContainersOptions): Promise<readonly ContainerSummary[]>
  top(id: string, psArgs: string): Promise<ContainerTopResponse>
  /** Figures, once or each second. Its first step throws `notFound`. */
  stats(
    id: string,
    options: { readonly stream: boolean; readonly oneShot: boolean },
    abort: AbortOptions,
  ): AsyncGenerator<ContainerStats, void, undefined>
  /** Resolves when the container was found and the wait is armed: headers are sent then, the result follows. */
  wait(id: string, condition: WaitCondition, options?: AbortOptions): Promise<WaitHandle>
}

/** Streams of containers. */
export interface ContainerStreams {
  resize(id: string, size: TerminalSize): Promise<void>
  logs(id: string, options: LogsOptions, abort: AbortOptions): Promise<OutputSource<OutputSink>>
  attach(id: string, options: AttachOptions, abort?: AbortOptions): Promise<OutputSource<AttachIo>>
}

export interface CommitOptions {
  /** Empty: the image gets no name. */
  readonly repository: string
  /** Empty: `latest`. */
  readonly tag: string
  readonly comment: string
  readonly author: string
  readonly pause: boolean
  /** Dockerfile instructions that edit the configuration. */
  readonly changes: readonly string[]
  /** In place of the container's own, by which it is completed. */
  readonly config?: ContainerConfig | undefined
}

/** A container's files. */
export interface ContainerFiles {
  /** Resolves when the container was found: a tar stream of all its files. */
  export(id: string, abort: AbortOptions): Promise<AsyncIterable<Buffer>>
  changes(id: string): Promise<readonly ContainerChange[]>
  /** Gives the new image's id. */
  commit(id: string, options: CommitOptions): Promise<string>
}

export interface ExtractOptions extends AbortOptions {
  readonly noOverwriteDirNonDir: boolean
  readonly copyUidGid: boolean
}

/** Copies of files out of containers and into them. */
export interface ContainerArchives {
  statPath(id: string, path: string): Promise<ContainerPathStat>
  /** The chunks must be read to their end or returned. */
  readArchive(
    id: string,
    path: string,
    abort: AbortOptions,
  ): Promise<{ readonly stat: ContainerPathStat; readonly chunks: AsyncIterable<Buffer> }>
  /** Unpacks a tar stream, plain or compressed. */
  extract(id: string, path: string, source: AsyncIterable<Buffer>, options: ExtractOptions): Promise<void>
}

/** What the `/containers` routes call. */
export interface ContainerBackend
  extends ContainerLifecycle,
    ContainerQueries,
    ContainerStreams,
    ContainerFiles,
    ContainerArchives {
  /** Optional: `POST /containers/prune` answers 501 without it. */
  prune?(filters: Filters): Promise<ContainersPruneResponse>
}
