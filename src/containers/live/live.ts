/** What runs of a container, or waits on it: handles that live in memory only and are rebuilt at boot.
 *  One per container id, made when first asked for, dropped with the container. */

import { type AbortOptions, settleAll } from '../../base/index.ts'
import type { AttachIo } from '../../contract/index.ts'
import type { LogForwarder } from '../../logs/index.ts'
import type { ExecProcess } from './exec-process.ts'
import { Waiters, type WaitResult } from './waiters.ts'

/** An attach that came before the start. */
export interface PendingAttach {
  readonly streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }
  readonly io: AttachIo
  readonly detachKeys: Buffer
  /** Called at the start with the promise of the attachment's end. */
  begin(ended: Promise<void>): void
}

class LiveContainer {
  /** Attachments to connect at the next start. */
  readonly pendingAttaches = new Set<PendingAttach>()
  /** Ends of the attachments that are connected. */
  readonly attachments = new Set<Promise<void>>()
  /** Clients that follow the log. */
  followers = 0
  readonly execs = new Map<string, ExecProcess>()
  /** Processes that are being made in the container, beside its first one. */
  readonly entering = new Set<Promise<unknown>>()
  /** Settles when the pause that is under way is done, or has failed. */
  pausing: Promise<void> | undefined
  /** Runs when the present run has ended; a new one for each run. */
  ended: Promise<void> = Promise.resolve()
  endRun: () => void = () => {}
  /** The last run has ended and what belonged to it is not taken away yet. */
  unreleased = false
  /** Restarts by users that are under way: the end of a run is not the container's then, whatever `--rm` says. */
  restarts = 0
  /** A removal is under way, a client's or that of `--rm`: nothing starts the container any more. */
  removing = false
  /** The present run was sent SIGKILL: it may not be paused any more. */
  killed = false
  /** Where the control group of a run that an earlier daemon began was found. */
  adoptedCgroup: string | undefined
  /** Ends the health checks of the present run. */
  endHealthChecks: () => void = () => {}
  /** Delivers the log to a log server, also for a while after the run. */
  forwarder: LogForwarder | undefined
  /** Cancels the restart that is planned. */
  dropRestart: (() => void) | undefined
  restartDelayMs = 0
  /** Lets the processes go on while they stand still for a commit. */
  thaw: () => void = () => {}
  readonly #exits = new Waiters()
  readonly #stops = new Waiters()
  readonly #removals = new Waiters()

  /** A run begins. */
  beginRun(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.endRun = resolve
    this.killed = false
    this.adoptedCgroup = undefined
  }

  /** The end of the next run to end. As with the next two, who gives up by a signal is rejected with its reason. */
  nextExit(options?: AbortOptions): Promise<WaitResult> {
    return this.#exits.wait(options)
  }

  /** The end of the last run: one after which no restart policy starts the container again. */
  nextStop(options?: AbortOptions): Promise<WaitResult> {
    return this.#stops.wait(options)
  }

  /** The removal of the container. */
  removal(options?: AbortOptions): Promise<WaitResult> {
    return this.#removals.wait(options)
  }

  /** Tells those who wait for an exit; `final` also those who wait for a stop. */
  tellExit(result: WaitResult, final: boolean): void {
    this.endRun()
    this.#exits.tell(result)
    if (final) this.tellStop(result)
  }

  tellStop(result: WaitResult): void {
    this.#stops.tell(result)
  }

  /** Tells everybody that the container is gone. */
  tellRemoval(result: WaitResult): void {
    this.#exits.tell(result)
    this.#stops.tell(result)
    this.#removals.tell(result)
    for (const attach of this.pendingAttaches) attach.begin(Promise.resolve())
    this.pendingAttaches.clear()
  }

  /** Stops a restart that was planned. True when there was one. */
  cancelRestart(): boolean {
    if (this.dropRestart === undefined) return false
    this.dropRestart()
    this.dropRestart = undefined
    return true
  }
}

/** The live side of all containers. */
export class LiveContainers {
  readonly #byId = new Map<string, LiveContainer>()

  /** The live side of one container, made when there is none yet. */
  of(id: string): LiveContainer {
    let live = this.#byId.get(id)
    if (live === undefined) {
      live = new LiveContainer()
      this.#byId.set(id, live)
    }
    return live
  }

  /** The live side of a container that has one already. */
  find(id: string): LiveContainer | undefined {
    return this.#byId.get(id)
  }

  forget(id: string): void {
    this.#byId.get(id)?.cancelRestart()
    this.#byId.get(id)?.endHealthChecks()
    this.#byId.delete(id)
  }

  /** Ends all timers, thaws what is frozen for a commit, and stops the delivery of logs, because the engine is being
   *  closed. Does so for each container, whichever fails; then rejects with an AggregateError of the failures. */
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
