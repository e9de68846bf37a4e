/** The runtime as the verbs of containers use it, cut by role. `ConmonRuntime` is the real one, `FakeRuntime` of the
 *  tests the one in memory; `test/suites/container-runtime.ts` says what both must do. All take the container's id. */
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
  TerminalSize,
} from '../../runtime/index.ts'

/** Makes and removes runs of containers. */
export interface RunMaker {
  /** Makes a container that waits for `start`; nothing is left when it rejects. Throws `conflict` when it exists. */
  create(options: CreateOptions): Promise<{ readonly pid: number }>
  /** Runs the program of a created container. */
  start(id: string): Promise<void>
  /** Removes what an ended run left (with `force`: ends it first). Idempotent. Throws `conflict` when it runs. */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>
}

/** Signals the first process of a container. */
export interface RunSignals {
  /** Throws `conflict` when the container does not run. */
  kill(id: string, signal: number): void
}

/** Tells what happens to a run. */
export interface RunWatch {
  /** Resolves with the end of a run, now or later. */
  waitExit(id: string): Promise<ExitInfo>
  /** Calls back each time the kernel kills in a container for want of memory. True when that has happened before. */
  watchOom(id: string, onOom: () => void): boolean
}

/** Finds runs again after a daemon restart. */
export interface RunFinder {
  /** Watches what runs; tells what ended, with its exit. */
  adopt(id: string): Promise<ContainerState>
  /** Ids of containers that left something, whether they have a record or not. */
  leftovers(): ReadonlySet<string>
  /** Ends and removes whatever there is of a container without a record. */
  clear(id: string): Promise<void>
}

/** The stdio of a container. */
export interface RunStdio {
  /** Joins a client to the container's stdio. Throws `conflict` when it does not run. */
  attach(id: string, options: AttachOptions): Promise<AttachHandle>
  /** Sets the window size of a container's terminal. */
  resize(id: string, size: TerminalSize): void
  /** Makes the log's writer open its file anew, after it was renamed. */
  reopenLog(id: string): void
}

/** Runs further processes in a container. */
export interface RunEntrance {
  /** Throws `conflict` when the container does not run. */
  exec(id: string, options: ExecOptions): Promise<ExecHandle>
  /** Starts the runtime of an exec that will probably follow; undefined where that is not possible. */
  prepareExec(id: string, plan: ExecPlan): ExecLaunch | undefined
}

/** Changes limits of a running container. */
export interface RunLimits {
  /** Limits that are not given stay. */
  update(id: string, limits: ResourceLimits): Promise<void>
}

export interface ContainerRuntime extends RunMaker, RunSignals, RunWatch, RunFinder, RunStdio, RunEntrance, RunLimits {}
