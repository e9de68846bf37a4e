/** One container that `ConmonRuntime` made or found: signals, streams, limits and further processes.
 *  It is a view on the files and descriptors of one run. After the container was deleted, or created anew, ask the
 *  runtime for a new one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { conflict, errnoOf, type TerminalSize } from '../base/index.ts'
import { pidfdSendSignal } from '../sys/index.ts'
import { bundleFiles, bundlePath } from './bundle/paths.ts'
import { type AttachHandle, type AttachOptions, attachToConmon } from './conmon/conmon-attach.ts'
import { reopenLog, resizeTerminal } from './conmon/conmon-control.ts'
import type { ExitInfo } from './conmon/exit-info.ts'
import type { LiveContainer } from './conmon/live-container.ts'
import type { OomWatch } from './conmon/oom-watch.ts'
import { ContainerExecs } from './exec/container-execs.ts'
import type { ResourceLimits } from './spec/spec-input.ts'
import { resourcesOf } from './spec/spec-resources.ts'

/** Called with the duration of each step of a start, in milliseconds. */
export type Trace = (step: string, ms: number) => void

/** Whether a container runs, and how it ended. */
export interface ContainerState {
  /** `created`: waits for `start`. `unknown`: neither created nor adopted, or deleted. */
  readonly status: 'created' | 'running' | 'stopped' | 'unknown'
  /** Process id of the first process on the host, while there is one. */
  readonly pid?: number
  /** Present when `stopped`. */
  readonly exit?: ExitInfo
  /** Only for an adopted container whose program was started: about when that was. */
  readonly startedAt?: Date
}

/** conmon accepts one waiting client per round of its loop, and reads output between rounds. The first client is always
 *  accepted before the output. A second client needs one more round, so `start` gives it this many milliseconds. */
const acceptMs = 4

/** A container that is created, runs or has ended. All methods but `state`, `waitExit` and `watchOom` throw `conflict`
 *  once it has ended. Two views of the same run are interchangeable. */
export class RunningContainer {
  readonly id: string
  /** Process id of its first process on the host; 0 or less when that had ended before it was adopted. */
  readonly pid: number
  /** Starts further processes in it. */
  readonly execs: ContainerExecs
  readonly #live: LiveContainer
  readonly #bundle: string
  readonly #ooms: OomWatch

  /** For `ConmonRuntime` alone. */
  constructor(id: string, live: LiveContainer, { execRoot, ooms }: { readonly execRoot: string; ooms: OomWatch }) {
    this.id = id
    this.pid = live.pid
    this.#live = live
    this.#bundle = bundlePath(execRoot, id)
    this.#ooms = ooms
    this.execs = new ContainerExecs(id, { execRoot, runtime: () => this.#running().runtime })
  }

  /** Runs the program of a created container. Rejects with `invalidArgument` or `internal` when the OCI runtime can't
   *  start it. */
  async start({ trace }: { readonly trace?: Trace } = {}): Promise<void> {
    const began = performance.now()
    const { runtime, command, early } = this.#running()
    const waitMs = early.clients > 1 ? acceptMs - (began - early.at) : 0
    if (waitMs > 0) await sleep(waitMs)
    await runtime.start(this.id, command)
    trace?.('runtime start', performance.now() - began)
  }

  /** Sends a signal, by its number, to the first process. */
  kill(signal: number): void {
    const { pidfd } = this.#running()
    if (pidfd === -1) throw this.#notRunning()
    try {
      pidfdSendSignal(pidfd, signal)
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') throw this.#notRunning(error)
      throw error
    }
  }

  /** The present state. */
  state(): ContainerState {
    const { exit, runtime, pid } = this.#live
    if (exit !== undefined) return { status: 'stopped', exit }
    return { status: runtime.state.isWaiting(this.id) ? 'created' : 'running', pid }
  }

  /** Resolves when the container ends, or at once when it has ended. Any number of callers may wait. */
  waitExit(): Promise<ExitInfo> {
    return this.#live.ended.promise
  }

  /** Calls `onOom` each time the kernel kills a process of the container because memory ran out, until the container is
   *  deleted. Returns true when that has happened earlier in this run. */
  watchOom(onOom: () => void): boolean {
    return this.#ooms.add(this.#bundle, onOom)
  }

  /** Connects a client to the container's standard streams. A client that attaches between `create` and `start` misses
   *  no output. */
  async attach(options: AttachOptions): Promise<AttachHandle> {
    const live = this.#running()
    try {
      const attached = await attachToConmon(bundleFiles(this.#bundle).attach, options)
      live.early = { clients: live.early.clients + 1, at: performance.now() }
      return attached
    } catch (error) {
      const code = errnoOf(error)
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error
      throw this.#notRunning(error)
    }
  }

  /** Sets the window size of the container's terminal. */
  resize(size: TerminalSize): void {
    resizeTerminal(this.#bundle, size)
  }

  /** Makes conmon open the log file anew, after the file was renamed. */
  reopenLog(): void {
    reopenLog(this.#bundle)
  }

  /** Changes limits; those that are not given stay. Rejects with `internal` and the OCI runtime's own message; some
   *  limits may have changed by then. */
  async update(limits: ResourceLimits): Promise<void> {
    await this.#running().runtime.update(this.id, resourcesOf(limits), bundleFiles(this.#bundle).update)
  }

  #running(): LiveContainer {
    if (this.#live.exit !== undefined) throw this.#notRunning()
    return this.#live
  }

  #notRunning(cause?: unknown): Error {
    return conflict(`container ${this.id} is not running`, cause === undefined ? {} : { cause })
  }
}
