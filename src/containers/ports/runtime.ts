/** The runtime as the verbs of containers use it, divided by role. `ConmonRuntime` is the real implementation, and
 *  `FakeRuntime` is the tests' in-memory one. `test/suites/container-runtime.ts` tests what both must do. */
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

/** Runs extra processes in one container. Both methods throw `conflict` if the container does not run. */
export interface RunExecs {
  /** Starts the OCI runtime for an exec that will probably follow; undefined if that is not possible. */
  prepare(plan: ExecPlan): ExecLaunch | undefined
  /** Starts a process, and resolves when it runs. */
  start(options: ExecOptions): Promise<ExecHandle>
}

/** One container that was created or adopted. After its end, all methods except `waitExit` and `watchOom` throw
 *  `conflict`. */
export interface RunHandle {
  /** Process id of the first process, on the host. */
  readonly pid: number
  readonly execs: RunExecs
  /** Runs the program of a created container. */
  start(): Promise<void>
  /** Sends a signal, given by its number, to the first process. */
  kill(signal: number): void
  /** Resolves when the run ends, or at once if it has ended. */
  waitExit(): Promise<ExitInfo>
  /** Calls back each time the kernel kills a process for lack of memory. Gives true if that has happened before. */
  watchOom(onOom: () => void): boolean
  /** Connects a client to the container's standard streams. */
  attach(options: AttachOptions): Promise<AttachHandle>
  /** Sets the window size of the container's terminal. */
  resize(size: TerminalSize): void
  /** Makes conmon reopen the log file after it was renamed. */
  reopenLog(): void
  /** Changes limits. Limits that are not given stay. */
  update(limits: ResourceLimits): Promise<void>
}

/** Makes, finds and removes runs of containers. */
export interface RunMaker {
  /** Makes a container that waits for `start`. If it rejects, nothing is left behind. Throws `conflict` if it
   *  exists. */
  create(options: CreateOptions): Promise<RunHandle>
  /** The run of a container that was created or adopted. Throws `notFound` if there is none. */
  get(id: string): RunHandle
  /** Removes what an ended run left behind; with `force`, kills the run first. Idempotent. Throws `conflict` if it
   *  runs. */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>
}

/** Finds runs again after a restart of the daemon. */
export interface RunFinder {
  /** Watches a running container again, or gives the exit of one that has ended. */
  adopt(id: string): Promise<ContainerState>
  /** Ids of the containers that left files behind, with or without a record. */
  leftovers(): ReadonlySet<string>
  /** Kills and removes everything of a container without a record. */
  clear(id: string): Promise<void>
}

/** All roles of the runtime. */
export interface ContainerRuntime extends RunMaker, RunFinder {}
