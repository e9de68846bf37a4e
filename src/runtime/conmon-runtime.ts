/** Containers as processes: made, started, watched to their end, entered and found again after a daemon restart.
 *  The truth about a container is in files that conmon and the OCI runtime keep; this class holds handles to it
 *  and nothing that could not be rebuilt by `adopt`.
 *  Invariant: an id in `#live` has a monitor that is watched, so its `ended` settles whatever happens. */
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

export interface ConmonRuntimeOptions extends RuntimeSettings {
  /** Directory for state that a reboot may lose. Short: see `paths.ts`. */
  readonly execRoot: string
  readonly logger: Logger
  /** Default: `conmon` from the PATH. */
  readonly conmonPath?: string
}

export interface CreateOptions {
  readonly id: string
  readonly spec: BuiltSpec
  readonly stdin: boolean
  /** Stdin stays open when an attached client leaves. */
  readonly leaveStdinOpen?: boolean
  /** conmon's k8s-file log; undefined for no log. */
  readonly logPath: string | undefined
  readonly runtime?: string
  /** The container is not created before this resolves; conmon starts up meanwhile. */
  readonly ready?: Promise<unknown>
  readonly trace?: Trace
}

const sigkill = 9
const noPid = -1
const monitorPatienceMs = 2_000

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

  /** Makes the directories, which only root can enter, and starts to watch for exits. */
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

  /** Takes over changed settings. Throws `invalidArgument` when a program is not there; nothing has changed then. */
  configure(settings: RuntimeSettings): Promise<void> {
    return this.#runtimes.configure(settings)
  }

  /** Makes a container that waits for `start`. Rejects with a typed error whose `details.exitCode` is 127, 126
   *  or 125; nothing is left then. */
  async create(options: CreateOptions): Promise<RunningContainer> {
    const { id, spec, trace } = options
    if (this.#live.get(id)?.exit === undefined && this.#live.has(id)) throw conflict(`container ${id} exists already`)
    const began = performance.now()
    const runtime = this.#runtimes.get(options.runtime)
    const bundle = this.bundle(id)
    // A stale exit file would be taken for the end of the new run.
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

  /** A container that was created or adopted, and not deleted since. Throws `notFound` for any other. */
  get(id: string): RunningContainer {
    const live = this.#live.get(id)
    if (live === undefined) throw notFound(`container ${id} has no process`)
    return new RunningContainer(id, live, { execRoot: this.#options.execRoot, ooms: this.#ooms })
  }

  /** Removes what an ended container left (with `force`: ends it first). Idempotent. */
  async delete(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const bundle = this.bundle(id)
    const live = this.#live.get(id)
    if (live !== undefined && live.exit === undefined && !force) throw conflict(`container ${id} is running`)
    const runtime = live?.runtime ?? this.#runtimeOfBundle(bundle)
    // Everything is gone from disk only after the runtime has let go, so that a crash in between can be repaired.
    await runtime.delete(id, { force: live?.exit === undefined || live.exit.unknown === true })
    // The monitor of what was just ended is about to write the exit file.
    if (live !== undefined && live.exit === undefined) await settlesWithin(live.ended.promise, monitorPatienceMs)
    live?.stopWatching()
    this.#ooms.remove(bundle)
    this.#live.delete(id)
    removeFile(this.#exitFile(id))
    removeBundle(bundle)
  }

  /** Finds a container again after a daemon restart, from files alone. `stopped` has its real exit code and time;
   *  when its monitor was killed, or its creation was cut short, what runs is ended and the exit is `unknown`. */
  async adopt(id: string): Promise<ContainerState> {
    const bundle = this.bundle(id)
    const runtime = this.#runtimeOfBundle(bundle)
    const startedAt = runtime.hasStarted(id) ? timeOf(bundleFiles(bundle).pid) : undefined
    const began = startedAt === undefined ? {} : { startedAt }
    if (this.#adoptLive(id, runtime)) return { ...this.get(id).state(), ...began }
    if (this.#readExit(id) === undefined) await endStrays(this.#options.execRoot, id)
    const end = this.#readExit(id) ?? unknownExit()
    if (end.unknown === true) await runtime.delete(id, { force: true })
    this.#live.set(id, endedContainer(runtime, end))
    return { ...this.get(id).state(), ...began }
  }

  /** True when the container's monitor lives, which is watched from now on. */
  #adoptLive(id: string, runtime: OciRuntime): boolean {
    const files = bundleFiles(this.bundle(id))
    const pid = readPid(files.pid)
    const conmonPid = readPid(files.conmonPid)
    if (this.#readExit(id) !== undefined || pid === undefined || conmonPid === undefined) return false
    if (!isConmonAlive(this.bundle(id))) return false
    removeExecFiles(this.bundle(id))
    // The number may be another process's by now, when the monitor is about to write the exit file.
    this.#watch(id, { pid: runtime.isFirstProcess(id, pid) ? pid : noPid, conmonPid, runtime, command: '' })
    // It may have ended before the watch began.
    this.#checkExit(id)
    return true
  }

  /** Ids of containers that left something here, whether anybody knows them or not. */
  leftovers(): ReadonlySet<string> {
    const { execRoot } = this.#options
    return new Set([join(execRoot, 'c'), exitsPath(execRoot), ...this.#runtimes.roots()].flatMap(namesIn))
  }

  /** Ends and removes whatever there is of a container that nobody knows. */
  async clear(id: string): Promise<void> {
    await endStrays(this.#options.execRoot, id)
    await this.delete(id, { force: true })
  }

  /** The directory of a container's runtime files; the root file system may be mounted below it. */
  bundle(id: string): string {
    return bundlePath(this.#options.execRoot, id)
  }

  /** Stops watching. Containers go on. Idempotent. */
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

  /** Looks for a container's exit file; called when one appeared. */
  #checkExit(id: string): void {
    const live = this.#live.get(id)
    if (live === undefined || live.exit !== undefined) return
    const exit = this.#readExit(id)
    if (exit !== undefined) settle(live, exit)
  }

  #checkAll(): void {
    for (const id of this.#live.keys()) this.#checkExit(id)
  }

  /** The monitor ends after it wrote the exit file; without one it was killed, and nobody holds the container's
   *  stdio any more: the container must end as well. */
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
