/** A host in memory: what a daemon leaves there when it is killed, and what goes on without it. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ExitInfo } from '../../src/runtime/index.ts'
import type { Owner, Scheduler } from './scheduler.ts'

/** A further process in a container. */
export interface FakeExec {
  readonly pid: number
  readonly end: (exitCode: number) => void
}

/** What runs of a container, or ran and was not deleted yet. */
export interface FakeRun {
  readonly id: string
  readonly pid: number
  status: 'created' | 'running' | 'stopped'
  startedAt: Date | undefined
  exit: ExitInfo | undefined
  frozen: boolean
  killedBy: number | undefined
  readonly execs: Set<FakeExec>
  /** Resolves when its process has ended. */
  readonly ended: Promise<void>
  readonly end: () => void
  /** Those who wait until it is not frozen any more. */
  thawed: (() => void)[]
}

export interface FakeSnapshot {
  readonly number: number
  readonly kind: 'active' | 'committed'
  readonly parent: string | undefined
  readonly created: Date
  readonly sizeBytes: number | undefined
}

/** A daemon that a test can kill: from then on nothing that it does has an effect. */
export class Life implements Owner {
  readonly host: FakeHost
  dead = false

  constructor(host: FakeHost) {
    this.host = host
  }

  /** Does something that lasts. Throws when the daemon is dead, or dies just before it. */
  effect<T>(work: () => T): T {
    if (!this.dead && this.host.effects === this.host.killBefore) this.dead = true
    if (this.dead) throw new Killed()
    this.host.effects += 1
    return work()
  }

  /** The same when its turn has come, unless the test has it fail. Never settles once the daemon is dead. */
  async step<T>(name: string, work: () => T): Promise<T> {
    await this.turn(name)
    if (!this.dead && mayFail.has(name)) {
      this.host.fallible += 1
      if (this.host.fallible - 1 === this.host.failAt) throw new Failed(name)
    }
    try {
      return this.effect(work)
    } catch (error) {
      if (error instanceof Killed) return new Promise(() => {})
      throw error
    }
  }

  /** Waits for a turn. */
  turn(name: string): Promise<void> {
    return this.host.scheduler === undefined || this.dead
      ? this.dead
        ? new Promise(() => {})
        : Promise.resolve()
      : this.host.scheduler.gate(name, this)
  }
}

/** The daemon was killed here. */
export class Killed extends Error {}

/** A step that a test let fail. */
export class Failed extends Error {
  constructor(step: string) {
    super(`${step} failed by the test`)
  }
}

/** Steps that can fail without leaving anything. */
const mayFail: ReadonlySet<string> = new Set([
  ...['mounts of snapshot', 'mount volume', 'network', 'connect', 'runtime create', 'runtime start', 'runtime update'],
  ...['attach', 'exec', 'freeze'],
])

export class FakeHost {
  /** Without one every step happens at once. */
  readonly scheduler: Scheduler | undefined
  readonly root: string
  readonly runs = new Map<string, FakeRun>()
  readonly mounts = new Map<string, string>()
  readonly records = new Map<string, { readonly name: string; readonly json: string }>()
  readonly snapshots = new Map<string, FakeSnapshot>()
  /** What must never happen, and did. */
  readonly problems: string[] = []
  /** Lasting things that were done so far; a daemon dies before the one with the number `killBefore`. */
  effects = 0
  killBefore = -1
  /** Steps that could have failed so far; the one with the number `failAt` does. */
  fallible = 0
  failAt = -1
  /** Whether programs end by SIGTERM. */
  obeysTerm = true
  #lastPid = 1_000_000_000

  constructor(root: string, scheduler?: Scheduler) {
    this.root = root
    this.scheduler = scheduler
  }

  bundle(id: string): string {
    return join(this.root, 'x', 'c', id)
  }

  newPid(): number {
    this.#lastPid += 1
    return this.#lastPid
  }

  /** A container that waits for its start. */
  addRun(id: string): FakeRun {
    if (this.isAlive(id)) this.problems.push(`second run of ${id}`)
    const { promise, resolve } = Promise.withResolvers<void>()
    const run: FakeRun = {
      id,
      pid: this.newPid(),
      status: 'created',
      startedAt: undefined,
      exit: undefined,
      frozen: false,
      killedBy: undefined,
      execs: new Set(),
      ended: promise,
      end: resolve,
      thawed: [],
    }
    this.runs.set(id, run)
    mkdirSync(this.bundle(id), { recursive: true })
    return run
  }

  isAlive(id: string): boolean {
    const run = this.runs.get(id)
    return run !== undefined && run.status !== 'stopped'
  }

  /** A process ends. */
  exit(run: FakeRun, exitCode: number): void {
    if (run.status === 'stopped') return
    run.status = 'stopped'
    run.frozen = false
    run.exit = { exitCode, finishedAt: new Date(Number(this.nowMs)), oomKilled: false }
    for (const exec of run.execs) exec.end(137)
    run.execs.clear()
    this.#wake(run)
    run.end()
  }

  /** A process gets a signal; it dies of it in a later step. */
  signal(run: FakeRun, signal: number): void {
    if (signal !== 9 && !(signal === 15 && this.obeysTerm)) return
    const first = run.killedBy === undefined
    run.killedBy = signal === 9 ? 9 : (run.killedBy ?? signal)
    if (first && !run.frozen) this.#die(run)
  }

  freeze(run: FakeRun): void {
    run.frozen = true
  }

  thaw(run: FakeRun): void {
    if (!run.frozen) return
    run.frozen = false
    this.#wake(run)
    if (run.killedBy !== undefined) this.#die(run)
  }

  /** Waits for a turn of the host's own. */
  turn(name: string): Promise<void> {
    return this.scheduler?.gate(name) ?? Promise.resolve()
  }

  get nowMs(): bigint {
    return (this.scheduler?.nowNs ?? BigInt(Date.now()) * 1_000_000n) / 1_000_000n
  }

  removeRun(id: string): void {
    this.runs.delete(id)
    // As the real one: the root file system may still be mounted below.
    if (existsSync(this.bundle(id)) && readdirSync(this.bundle(id)).length === 0) rmdirSync(this.bundle(id))
  }

  /** What was mounted is no longer seen there. */
  unmount(target: string): void {
    if (!this.mounts.delete(target)) return
    for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true, force: true })
  }

  #wake(run: FakeRun): void {
    for (const wake of run.thawed) wake()
    run.thawed = []
  }

  #die(run: FakeRun): void {
    void this.turn(`death of ${run.id.slice(0, 4)}`).then(() => {
      // It may have been frozen before the signal took effect.
      if (!run.frozen) this.exit(run, 128 + (run.killedBy ?? 9))
    })
  }
}
