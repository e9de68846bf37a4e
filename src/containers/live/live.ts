/** What runs of a container or waits for it: handles that exist in memory only. The boot makes them again. There is one
 *  `LiveContainer` per container id; it is made on first use and dropped with the container. */

import { type AbortOptions, settleAll } from '../../base/index.ts'
import type { AttachIo } from '../../contract/index.ts'
import type { LogForwarder } from '../../logs/index.ts'
import type { ExecProcess } from './exec-process.ts'
import { RemovedExits } from './removed-exits.ts'
import { Waiters, type WaitResult } from './waiters.ts'

/** A client that attached before the container was started. */
export interface PendingAttach {
  readonly streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }
  readonly io: AttachIo
  readonly detachKeys: Buffer
  /** Called at the start, with a promise that resolves when the attachment ends. */
  begin(ended: Promise<void>): void
}

/** What runs of one container: attachments, execs, timers and waiting clients. */
class LiveContainer {
  /** Attachments to connect at the next start. */
  readonly pendingAttaches = new Set<PendingAttach>()
  /** One promise per connected attachment, which resolves at its end. */
  readonly attachments = new Set<Promise<void>>()
  /** Number of clients that follow the log. */
  followers = 0
  readonly execs = new Map<string, ExecProcess>()
  /** Processes that are being made in the container, in addition to its first process. */
  readonly entering = new Set<Promise<unknown>>()
  /** The pause that is under way; it settles when the pause is done or has failed. */
  pausing: Promise<void> | undefined
  /** Resolves when the current run ends. Each run has a new promise. */
  ended: Promise<void> = Promise.resolve()
  endRun: () => void = () => {}
  /** The last run has ended, but its mounts, network and bundle are not released yet. */
  unreleased = false
  /** Number of restarts by users that are under way. While there are any, `--rm` does not remove the container at the
   *  end of a run. */
  restarts = 0
  /** A removal is under way, by a client or by `--rm`: the container can no longer be started. */
  removing = false
  /** The current run was sent SIGKILL: it can no longer be paused. */
  killed = false
  /** The control group of a run that an earlier daemon started. */
  adoptedCgroup: string | undefined
  /** Ends the health checks of the current run. */
  endHealthChecks: () => void = () => {}
  /** Delivers the log to a log server; it goes on for a while after the run. */
  forwarder: LogForwarder | undefined
  /** Cancels the planned restart; undefined if none is planned. */
  dropRestart: (() => void) | undefined
  restartDelayMs = 0
  /** Resumes a container that is frozen for a commit or a copy; otherwise does nothing. */
  thaw: () => void = () => {}
  readonly #exits = new Waiters()
  readonly #stops = new Waiters()
  readonly #ends = new Waiters()
  readonly #removals = new Waiters()

  /** Call when a run begins. */
  beginRun(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.endRun = resolve
    this.killed = false
    this.adoptedCgroup = undefined
  }

  /** Resolves at the end of the next run. As with the next three methods, an abort by the signal rejects the promise with
   *  its reason. */
  nextExit(options?: AbortOptions): Promise<WaitResult> {
    return this.#exits.wait(options)
  }

  /** Resolves when the container stops for good: at the end of a run after which no restart policy starts it again. */
  nextStop(options?: AbortOptions): Promise<WaitResult> {
    return this.#stops.wait(options)
  }

  /** Resolves at the end of the next run, whether or not a restart policy starts the container again, and when the
   *  restarts end without another run. */
  nextEnd(options?: AbortOptions): Promise<WaitResult> {
    return this.#ends.wait(options)
  }

  /** Resolves when the container is removed. */
  removal(options?: AbortOptions): Promise<WaitResult> {
    return this.#removals.wait(options)
  }

  /** Answers all clients that wait for an exit; with `final` also those that wait for a stop. */
  tellExit(result: WaitResult, final: boolean): void {
    this.endRun()
    this.#exits.tell(result)
    this.#ends.tell(result)
    if (final) this.tellStop(result)
  }

  /** Answers all clients that wait for a stop. */
  tellStop(result: WaitResult): void {
    this.#ends.tell(result)
    this.#stops.tell(result)
  }

  /** Answers all clients that wait, because the container was removed. */
  tellRemoval(result: WaitResult): void {
    this.#exits.tell(result)
    this.tellStop(result)
    this.#removals.tell(result)
    for (const attach of this.pendingAttaches) attach.begin(Promise.resolve())
    this.pendingAttaches.clear()
  }

  /** Cancels a planned restart. Gives true if there was one. */
  cancelRestart(): boolean {
    if (this.dropRestart === undefined) return false
    this.dropRestart()
    this.dropRestart = undefined
    return true
  }
}

/** The live part of all containers, by id. */
export class LiveContainers {
  /** Exit codes of containers with `--rm` that were removed within the last minute. */
  readonly removedExits = new RemovedExits()
  readonly #byId = new Map<string, LiveContainer>()

  /** The live part of one container; made if there is none yet. */
  of(id: string): LiveContainer {
    let live = this.#byId.get(id)
    if (live === undefined) {
      live = new LiveContainer()
      this.#byId.set(id, live)
    }
    return live
  }

  /** The live part of a container, or undefined. */
  find(id: string): LiveContainer | undefined {
    return this.#byId.get(id)
  }

  /** Drops the live part of a removed container: cancels a planned restart and ends health checks. */
  forget(id: string): void {
    this.#byId.get(id)?.cancelRestart()
    this.#byId.get(id)?.endHealthChecks()
    this.#byId.delete(id)
  }

  /** Called when the daemon shuts down: ends all timers, resumes containers that are frozen for a commit, and stops
   *  delivering logs. A failure for one container does not keep the others from being closed; rejects with an
   *  AggregateError of all failures. */
  async close(): Promise<void> {
    const live = [...this.#byId.values()]
    for (const one of live) {
      one.cancelRestart()
      one.endHealthChecks()
    }
    await settleAll(
      'containers were not let go',
      live.map(async (one) => {
        one.thaw()
        await one.forwarder?.abandon()
      }),
    )
  }
}
