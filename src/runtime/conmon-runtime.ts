/** Containers as processes: creates them, watches them to their end, and finds them again after a daemon restart.
 *  The truth about a container is in files that conmon and the OCI runtime keep. This class holds only descriptors and
 *  watches, which `adopt` can rebuild from those files.
 *  Invariant: the monitor of every id in `#live` is watched, so its `ended` always settles. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, errnoOf, type Logger, notFound, settlesWithin } from '../base/index.ts'
import {
  awaitCgroupMove,
  type DirectoryWatch,
  makePrivateDirectory,
  pidfdSendSignal,
  watchDirectory,
} from '../sys/index.ts'
import { namesIn, readPid, readText, removeBundle, removeExecFiles, removeFile, writeBundle } from './bundle/bundle.ts'
import { restoreNullOwner } from './bundle/null-owner.ts'
import { bundleFiles, bundlePath, exitsPath } from './bundle/paths.ts'
import { startConmon } from './conmon/conmon.ts'
import { isConmonAlive } from './conmon/conmon-control.ts'
import { type ExitInfo, readExitFile, unknownExit } from './conmon/exit-info.ts'
import {
  endedContainer,
  type FoundContainer,
  type LiveContainer,
  settle,
  watchContainer,
} from './conmon/live-container.ts'
import { OomWatch } from './conmon/oom-watch.ts'
import type { OciRuntime } from './oci-runtime/oci-runtime.ts'
import { OciRuntimes, type RuntimeSettings } from './oci-runtime/oci-runtimes.ts'
import { type ContainerState, RunningContainer, type Trace } from './running-container.ts'
import { type BuiltSpec, formatSpec } from './spec/build-spec.ts'
import { endStrays } from './stray-processes.ts'

/** What `ConmonRuntime.open` needs. */
export interface ConmonRuntimeOptions extends RuntimeSettings {
  /** Directory for state that a reboot may lose. Its path must be short: see `bundle/paths.ts`. */
  readonly execRoot: string
  readonly logger: Logger
  /** Default: `conmon` from the PATH. */
  readonly conmonPath?: string
}

/** A container to be created. */
export interface CreateOptions {
  readonly id: string
  /** See `buildSpec`. */
  readonly spec: BuiltSpec
  /** True when attached clients can write to the container's stdin. Otherwise stdin is /dev/null. */
  readonly stdin: boolean
  /** Stdin stays open when an attached client leaves. Default: false. */
  readonly leaveStdinOpen?: boolean
  /** File to which conmon writes the output, in its k8s-file format; undefined for no log. */
  readonly logPath: string | undefined
  /** Name of a configured OCI runtime. Default: the default runtime. */
  readonly runtime?: string
  /** The container is created only after this resolves; conmon starts up in the meantime. If it rejects, `create`
   *  rejects with the same error. */
  readonly ready?: Promise<unknown>
  readonly trace?: Trace
}

const sigkill = 9
const noPid = -1
const monitorPatienceMs = 2_000

/** All containers of one exec root. */
export class ConmonRuntime {
  readonly #options: ConmonRuntimeOptions
  readonly #runtimes: OciRuntimes
  readonly #live = new Map<string, LiveContainer>()
  readonly #exits: DirectoryWatch
  readonly #ooms: OomWatch

  private constructor(options: ConmonRuntimeOptions) {
    this.#options = options
    this.#runtimes = new OciRuntimes(options.execRoot)
    this.#exits = watchDirectory(
      exitsPath(options.execRoot),
      { onFile: (name) => this.#checkExit(name), onLost: () => this.#checkAll() },
      { unref: true },
    )
    this.#ooms = new OomWatch(options.logger)
  }

  /** Creates the directories, which only root can enter, and starts to watch for exits. Throws `invalidArgument` when a
   *  configured OCI runtime is not installed. */
  static async open(options: ConmonRuntimeOptions): Promise<ConmonRuntime> {
    for (const path of [join(options.execRoot, 'c'), exitsPath(options.execRoot)]) makePrivateDirectory(path)
    const runtime = new ConmonRuntime(options)
    try {
      await runtime.configure(options)
      return runtime
    } catch (error) {
      runtime.close()
      throw error
    }
  }

  /** Applies changed settings. Throws `invalidArgument`, and changes nothing, when a program is not installed. Existing
   *  containers keep the program that created them. */
  configure(settings: RuntimeSettings): Promise<void> {
    return this.#runtimes.configure(settings)
  }

  /** Creates a container that waits for `start`. Throws `conflict` when the id is in use, and `invalidArgument` or
   *  `internal` when the OCI runtime refuses (`details.exitCode` is then 127, 126 or 125, if the runtime's message
   *  tells). After a failure nothing of the container is left. */
  async create(options: CreateOptions): Promise<RunningContainer> {
    const { id, spec, trace } = options
    if (this.#live.get(id)?.exit === undefined && this.#live.has(id)) throw conflict(`container ${id} exists already`)
    const began = performance.now()
    const runtime = this.#runtimes.get(options.runtime)
    const bundle = this.bundle(id)
    // A stale exit file would look like the end of the new run.
    removeFile(this.#exitFile(id))
    writeBundle(bundle, formatSpec(spec, runtime.compiledFilter(spec.seccompJson)), options.runtime)
    const command = spec.spec.process.args[0] ?? ''
    trace?.('bundle', performance.now() - began)
    using _moving = awaitCgroupMove()
    try {
      const started = await startConmon(
        {
          id,
          bundle,
          command,
          exitDir: exitsPath(this.#options.execRoot),
          conmonPath: this.#options.conmonPath ?? 'conmon',
          runtimePath: runtime.program,
          runtimeArgs: runtime.createArgs(spec.spec.linux.cgroupsPath),
          terminal: spec.spec.process.terminal,
          stdin: options.stdin,
          leaveStdinOpen: options.leaveStdinOpen === true,
          logPath: options.logPath,
        },
        options.ready,
      )
      trace?.('conmon and runtime create', performance.now() - began)
      if (runtime.isCrun && !options.stdin) restoreNullOwner(started.pid, spec.spec)
      this.#watch(id, { ...started, runtime, command })
      return this.get(id)
    } catch (error) {
      await this.delete(id, { force: true })
      throw error
    }
  }

  /** A container that was created or adopted, and not deleted since. Throws `notFound` for any other id. */
  get(id: string): RunningContainer {
    const live = this.#live.get(id)
    if (live === undefined) throw notFound(`container ${id} has no process`)
    return new RunningContainer(id, live, { execRoot: this.#options.execRoot, ooms: this.#ooms })
  }

  /** Removes what an ended container left behind; with `force`, kills a running container first. Idempotent, and no
   *  error for an id that never existed. Throws `conflict` for a running container without `force`. */
  async delete(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const bundle = this.bundle(id)
    const live = this.#live.get(id)
    if (live !== undefined && live.exit === undefined && !force) throw conflict(`container ${id} is running`)
    const runtime = live?.runtime ?? this.#runtimeOfBundle(bundle)
    // Files are removed only after the runtime has let go, so that the next boot can repair a crash in between.
    await runtime.delete(id, { force: live?.exit === undefined || live.exit.unknown === true })
    // The monitor of a container that was just killed is about to write the exit file.
    if (live !== undefined && live.exit === undefined) await settlesWithin(live.ended.promise, monitorPatienceMs)
    live?.stopWatching()
    this.#ooms.remove(bundle)
    this.#live.delete(id)
    removeFile(this.#exitFile(id))
    removeBundle(bundle)
  }

  /** Finds a container again after a daemon restart, from files alone. A container that ended meanwhile is `stopped`
   *  with its real exit code and time. If its monitor was killed, or its creation was cut short, its processes are
   *  killed and the exit is marked `unknown`. */
  async adopt(id: string): Promise<ContainerState> {
    const bundle = this.bundle(id)
    const runtime = this.#runtimeOfBundle(bundle)
    const startedAt = runtime.state.hasStarted(id) ? timeOf(bundleFiles(bundle).pid) : undefined
    const began = startedAt === undefined ? {} : { startedAt }
    if (this.#adoptLive(id, runtime)) return { ...this.get(id).state(), ...began }
    if (this.#readExit(id) === undefined) await endStrays(this.#options.execRoot, id)
    const end = this.#readExit(id) ?? unknownExit()
    if (end.unknown === true) await runtime.delete(id, { force: true })
    this.#live.set(id, endedContainer(runtime, end))
    return { ...this.get(id).state(), ...began }
  }

  /** Starts to watch the container's monitor. Returns false when no monitor is alive. */
  #adoptLive(id: string, runtime: OciRuntime): boolean {
    const files = bundleFiles(this.bundle(id))
    const pid = readPid(files.pid)
    const conmonPid = readPid(files.conmonPid)
    if (this.#readExit(id) !== undefined || pid === undefined || conmonPid === undefined) return false
    if (!isConmonAlive(this.bundle(id))) return false
    removeExecFiles(this.bundle(id))
    // If the container has just ended, its pid may already belong to another process.
    this.#watch(id, { pid: runtime.state.isFirstProcess(id, pid) ? pid : noPid, conmonPid, runtime, command: '' })
    // It may have ended before the watch began.
    this.#checkExit(id)
    return true
  }

  /** Ids of all containers that left files in the exec root, also of those without a record. */
  leftovers(): ReadonlySet<string> {
    const { execRoot } = this.#options
    return new Set([join(execRoot, 'c'), exitsPath(execRoot), ...this.#runtimes.roots()].flatMap(namesIn))
  }

  /** Kills and removes a container that has no record, whatever is left of it. */
  async clear(id: string): Promise<void> {
    await endStrays(this.#options.execRoot, id)
    await this.delete(id, { force: true })
  }

  /** Path of the directory with a container's runtime files. Callers may mount the root file system below it. */
  bundle(id: string): string {
    return bundlePath(this.#options.execRoot, id)
  }

  /** Stops watching; containers keep running. Idempotent. */
  close(): void {
    this.#exits.close()
    this.#ooms.close()
    for (const live of this.#live.values()) live.stopWatching()
    this.#runtimes.close()
    this.#live.clear()
  }

  #watch(id: string, found: FoundContainer): void {
    this.#live.get(id)?.stopWatching()
    this.#live.set(
      id,
      watchContainer(found, (live) => this.#monitorEnded(id, live)),
    )
  }

  /** Called when an exit file appeared. */
  #checkExit(id: string): void {
    const live = this.#live.get(id)
    if (live === undefined || live.exit !== undefined) return
    const exit = this.#readExit(id)
    if (exit !== undefined) settle(live, exit)
  }

  #checkAll(): void {
    for (const id of this.#live.keys()) this.#checkExit(id)
  }

  /** A monitor writes the exit file before it ends. If there is no exit file, the monitor was killed. The container has
   *  then lost its stdio, so it is killed as well. */
  #monitorEnded(id: string, live: LiveContainer): void {
    if (live.exit !== undefined) return
    this.#checkExit(id)
    if (live.exit !== undefined || this.#live.get(id) !== live) return
    this.#options.logger.warn('monitor of a container was killed', { container: id })
    try {
      if (live.pidfd !== -1) pidfdSendSignal(live.pidfd, sigkill)
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error
    }
    settle(live, unknownExit(128 + sigkill))
  }

  #runtimeOfBundle(bundle: string): OciRuntime {
    return this.#runtimes.getOrDefault(readText(bundleFiles(bundle).runtime))
  }

  #readExit(id: string): ExitInfo | undefined {
    return readExitFile(this.#exitFile(id), bundleFiles(this.bundle(id)).oom)
  }

  #exitFile(id: string): string {
    return join(exitsPath(this.#options.execRoot), id)
  }
}

function timeOf(path: string): Date | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtime
}
