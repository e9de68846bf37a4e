/** What the `/containers` routes ask of an engine. */
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
  Filters,
  HostConfig,
  NetworkingConfig,
  WaitCondition,
} from '../api/index.ts'
import type { AbortOptions, OutputSink, TerminalSize } from '../base/index.ts'
import type { AttachIo, OutputSource } from './streams.ts'

/** A container to be created. */
export interface CreateContainerRequest {
  /** Without a leading slash, its form checked. Absent: the engine makes a name up. */
  readonly name?: string | undefined
  /** `os[/arch[/variant]]`, not checked. */
  readonly platform?: string | undefined
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig?: NetworkingConfig | undefined
}

/** How a container is stopped. */
export interface StopOptions {
  /** By name or number. Absent: the container's own stop signal. */
  readonly signal?: string | undefined
  /** Seconds until the container is killed. Absent: the container's own; negative: no limit. */
  readonly timeoutSeconds?: number | undefined
}

/** How a container is removed. */
export interface RemoveOptions {
  /** Kills the container if it runs. */
  readonly force: boolean
  /** Removes its anonymous volumes too. */
  readonly volumes: boolean
}

/** Which containers to list, and what to measure. */
export interface ListContainersOptions {
  /** Also containers that do not run. */
  readonly all: boolean
  /** Only this many, the newest ones, whether they run or not. */
  readonly limit?: number | undefined
  /** Measures the containers' files. */
  readonly size: boolean
  /** The caller has checked the names of the filters, and the values of `status`, `exited`, `health` and `is-task`. */
  readonly filters: Filters
}

/** Which part of a log to send, and how. */
export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  readonly timestamps: boolean
  readonly details: boolean
  /** This many of the last lines. */
  readonly tail: number | 'all'
  /** Unix time in nanoseconds. */
  readonly sinceNs?: bigint | undefined
  /** Unix time in nanoseconds. */
  readonly untilNs?: bigint | undefined
}

/** Which streams of a container to join. */
export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Live output and input; false: only `logs`. */
  readonly stream: boolean
  /** Begins with the output that was written so far. */
  readonly logs: boolean
  /** As given by the client, like `ctrl-p,ctrl-q`. Absent: the default. */
  readonly detachKeys?: string | undefined
}

/** How often to read the resources of a container. */
export interface StatsOptions {
  /** A reading every second until the container is removed; else one. */
  readonly stream: boolean
  /** Only with `stream: false`: one reading at once, without the reading before it that percentages need. */
  readonly oneShot: boolean
}

/** A wait that is armed. */
export interface WaitHandle {
  /** Settles when the condition holds. */
  readonly result: Promise<ContainerWaitResponse>
}

/** Creating containers, changing them, removing them. `id` is an id, a unique prefix of an id, or a name; without such a
 *  container the methods reject with `notFound`. */
export interface ContainerLifecycle {
  /** Rejects with `notFound` for the image, `conflict` for the name, `invalidArgument` for a field. */
  create(request: CreateContainerRequest): Promise<ContainerCreateResponse>
  /** Rejects with `notModified` when it runs already. */
  start(id: string): Promise<void>
  /** Rejects with `notModified` when it does not run. */
  stop(id: string, options: StopOptions): Promise<void>
  restart(id: string, options: StopOptions): Promise<void>
  /** `signal` by name or number. Rejects with `conflict` when it does not run. */
  kill(id: string, signal: string): Promise<void>
  pause(id: string): Promise<void>
  unpause(id: string): Promise<void>
  /** Sets the resources and the restart policy that `changes` has; other fields keep their values. */
  update(id: string, changes: HostConfig): Promise<ContainerUpdateResponse>
  rename(id: string, name: string): Promise<void>
  /** Rejects with `conflict` when it runs and `force` is false. */
  remove(id: string, options: RemoveOptions): Promise<void>
  /** Removes a link, by `parent/alias`; the container stays. */
  removeLink(name: string): Promise<void>
  /** Removes all containers that do not run and that match `label`, `label!` and `until`. */
  prune(filters: Filters): Promise<ContainersPruneResponse>
}

/** Questions about containers. */
export interface ContainerQueries {
  inspect(id: string, options: { readonly size: boolean }): Promise<ContainerInspect>
  /** The newest container first. */
  list(options: ListContainersOptions): Promise<readonly ContainerSummary[]>
  /** The processes of a running container, as `ps` prints them with these arguments. */
  top(id: string, psArgs: string): Promise<ContainerTopResponse>
  /** Readings of a container's resources. The first step rejects with `notFound`. */
  stats(id: string, options: StatsOptions, abort: AbortOptions): AsyncGenerator<ContainerStats, void, undefined>
  /** Resolves once the wait is armed, so that the server can send its headers; the handle has the result. */
  wait(id: string, condition: WaitCondition, abort: AbortOptions): Promise<WaitHandle>
}

/** Streams of containers. */
export interface ContainerStreams {
  resize(id: string, size: TerminalSize): Promise<void>
  logs(id: string, options: LogsOptions, abort: AbortOptions): Promise<OutputSource<OutputSink>>
  /** Live streams of a container that does not run yet begin with its start. `signal` ends the attachment. */
  attach(id: string, options: AttachOptions, abort: AbortOptions): Promise<OutputSource<AttachIo>>
}

/** The image that is made of a container. */
export interface CommitOptions {
  /** Empty: the image gets no name. */
  readonly repository: string
  /** Empty: `latest`. */
  readonly tag: string
  readonly comment: string
  readonly author: string
  /** Freezes the processes of a running container while its files are read. */
  readonly pause: boolean
  /** Dockerfile instructions that edit the configuration. */
  readonly changes: readonly string[]
  /** Replaces the container's configuration; fields that it does not set come from the container. */
  readonly config?: ContainerConfig | undefined
}

/** A container's files as a whole. */
export interface ContainerFiles {
  /** All files as a tar stream. Resolves when the container was found. */
  export(id: string, abort: AbortOptions): Promise<AsyncIterable<Buffer>>
  /** The files that differ from those of the image. */
  changes(id: string): Promise<readonly ContainerChange[]>
  /** Makes an image of the container's files; gives the image's id. */
  commit(id: string, options: CommitOptions): Promise<string>
}

/** A path of a container, with its content. */
export interface ContainerArchive {
  readonly stat: ContainerPathStat
  /** A tar stream. It holds the container's files, so it must be read to its end or returned. */
  readonly chunks: AsyncIterable<Buffer>
}

/** How an archive is unpacked into a container. */
export interface ExtractOptions extends AbortOptions {
  /** Refuses to replace a directory by a file, or a file by a directory. */
  readonly noOverwriteDirNonDir: boolean
  /** Gives all files to the container's configured user. */
  readonly copyUidGid: boolean
}

/** Copies of single paths out of containers and into them. A path without a file rejects with `notFound`. */
export interface ContainerArchives {
  /** Does not follow a symbolic link at the path's end. */
  statPath(id: string, path: string): Promise<ContainerPathStat>
  /** The path with everything below it; the names of the entries begin with the path's last part. */
  readArchive(id: string, path: string, abort: AbortOptions): Promise<ContainerArchive>
  /** Unpacks a tar stream, plain or compressed, into the directory at `path`. */
  extract(id: string, path: string, source: AsyncIterable<Buffer>, options: ExtractOptions): Promise<void>
}

/** What the `/containers` routes call. */
export interface ContainerBackend
  extends ContainerLifecycle,
    ContainerQueries,
    ContainerStreams,
    ContainerFiles,
    ContainerArchives {}
