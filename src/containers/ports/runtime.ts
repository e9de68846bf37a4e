/** The runtime as the verbs of containers use it, cut by role. `ConmonRuntime` is the real one, `FakeRuntime` of the
 *  tests the one in memory; `test/suites/container-runtime.ts` says what both must do. */
import type { TerminalSize } from '../../base/index.ts'
import type {
  AttachHandle,
  AttachOptions,
  ContainerState,
  CreateOptions,
  ExecHandle,
  ExecLaunch,
  ExecOptions,
  ExecPlan,
  ExitInfo,
  ResourceLimits,
} from '../../runtime/index.ts'

/** Runs further processes in one container. Both methods throw `conflict` when the container does not run. */
export interface RunExecs {
  /** Starts the OCI runtime of an exec that will probably follow; undefined where that is not possible. */
  prepare(plan: ExecPlan): ExecLaunch | undefined
  /** Resolves when the process runs. */
  start(options: ExecOptions): Promise<ExecHandle>
}

/** One container that was created or adopted. All methods but `waitExit` and `watchOom` throw `conflict` once it has
 *  ended. */
export interface RunHandle {
  /** Process id of the first process on the host. */
  readonly pid: number
  readonly execs: RunExecs
  /** Runs the program of a created container. */
  start(): Promise<void>
  /** Sends a signal, by its number, to the first process. */
  kill(signal: number): void
  /** Resolves with the end of the run, now or later. */
  waitExit(): Promise<ExitInfo>
  /** Calls back each time the kernel kills a process because memory ran out. True when that has happened before. */
  watchOom(onOom: () => void): boolean
  /** Connects a client to the container's standard streams. */
  attach(options: AttachOptions): Promise<AttachHandle>
  /** Sets the window size of the container's terminal. */
  resize(size: TerminalSize): void
  /** Makes the log's writer open its file anew, after the file was renamed. */
  reopenLog(): void
  /** Changes limits; those that are not given stay. */
  update(limits: ResourceLimits): Promise<void>
}

/** Makes, finds and removes runs of containers. */
export interface RunMaker {
  /** Makes a container that waits for `start`. Leaves nothing when it rejects. Throws `conflict` when it exists. */
  create(options: CreateOptions): Promise<RunHandle>
  /** The run of a container that was created or adopted. Throws `notFound` when there is none. */
  get(id: string): RunHandle
  /** Removes what an ended run left; with `force`, ends the run first. Idempotent. Throws `conflict` when it runs. */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>
}

/** Finds runs again after a restart of the daemon. */
export interface RunFinder {
  /** Watches a container that runs; gives the exit of one that has ended. */
  adopt(id: string): Promise<ContainerState>
  /** Ids of containers that left something, whether they have a record or not. */
  leftovers(): ReadonlySet<string>
  /** Ends and removes whatever there is of a container without a record. */
  clear(id: string): Promise<void>
}

/** All roles of the runtime. */
export interface ContainerRuntime extends RunMaker, RunFinder {}
