/** The runtime in memory. Passes the same suite as the real one (`test/suites/container-runtime.ts`). */
import { conflict, notFound } from '../../src/base/index.ts'
import type { ContainerRuntime, RunHandle } from '../../src/containers/ports/runtime.ts'
import type { AttachHandle, ContainerState, CreateOptions, ExecHandle, ExitInfo } from '../../src/runtime/index.ts'
import type { FakeHost, FakeRun, Life } from './fake-host.ts'

/** What this daemon knows of a run. */
interface Watched {
  readonly run: FakeRun
  readonly ended: PromiseWithResolvers<ExitInfo>
  exit: ExitInfo | undefined
}

export class FakeRuntime implements ContainerRuntime {
  /** Ids of the runs whose end a caller awaits. */
  readonly awaited = new Set<string>()
  readonly #life: Life
  readonly #host: FakeHost
  readonly #watched = new Map<string, Watched>()

  constructor(life: Life) {
    this.#life = life
    this.#host = life.host
  }

  async create({ id, ready }: CreateOptions): Promise<RunHandle> {
    const known = this.#watched.get(id)
    if (known !== undefined && known.exit === undefined) throw conflict(`container ${id} exists already`)
    try {
      await ready
      return await this.#life.step('runtime create', () => {
        const run = this.#host.addRun(id)
        this.#watch(run)
        return this.#handle(id, run.pid)
      })
    } catch (error) {
      await this.delete(id, { force: true })
      throw error
    }
  }

  get(id: string): RunHandle {
    return this.#handle(id, this.#find(id).run.pid)
  }

  #handle(id: string, pid: number): RunHandle {
    return {
      pid,
      execs: { prepare: () => undefined, start: () => this.#exec(id) },
      start: () => this.#start(id),
      kill: (signal) => this.#kill(id, signal),
      waitExit: () => this.#waitExit(id),
      watchOom: () => false,
      attach: () => this.#attach(id),
      resize: () => void this.#running(id),
      // Nothing writes a log.
      reopenLog: () => {},
      update: () => this.#update(id),
    }
  }

  async #start(id: string): Promise<void> {
    this.#running(id)
    await this.#life.step('runtime start', () => {
      const { run } = this.#running(id)
      run.status = 'running'
      run.startedAt = new Date(Number(this.#host.nowMs))
    })
  }

  #kill(id: string, signal: number): void {
    const { run } = this.#running(id)
    if (run.status === 'stopped') throw conflict(`container ${id} is not running`)
    this.#life.effect(() => this.#host.signal(run, signal))
  }

  async delete(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const watched = this.#watched.get(id)
    if (watched !== undefined && watched.exit === undefined && !force) throw conflict(`container ${id} is running`)
    if (!this.#host.runs.has(id)) {
      this.#host.removeRun(id)
      this.#forget(id)
      return
    }
    await this.#life.step('runtime delete', () => {
      const run = this.#host.runs.get(id)
      if (run !== undefined) this.#host.exit(run, 137)
      if (watched !== undefined) settle(watched)
      this.#host.removeRun(id)
      this.#forget(id)
    })
  }

  #waitExit(id: string): Promise<ExitInfo> {
    this.awaited.add(id)
    return this.#find(id).ended.promise
  }

  async adopt(id: string): Promise<ContainerState> {
    return this.#life.step('adopt', () => {
      const run = this.#host.runs.get(id) ?? this.#host.addRun(id)
      // A container whose creation was cut short has no monitor that could be found.
      if (run.status === 'created') this.#host.exit(run, 255)
      const began = run.startedAt === undefined ? {} : { startedAt: run.startedAt }
      const watched = this.#watch(run)
      if (run.status !== 'stopped') return { status: 'running' as const, pid: run.pid, ...began }
      if (run.startedAt === undefined && run.exit !== undefined) run.exit = { ...run.exit, unknown: true }
      settle(watched)
      return { status: 'stopped' as const, ...(run.exit === undefined ? {} : { exit: run.exit }), ...began }
    })
  }

  leftovers(): ReadonlySet<string> {
    return new Set(this.#host.runs.keys())
  }

  clear(id: string): Promise<void> {
    return this.delete(id, { force: true })
  }

  async #attach(id: string): Promise<AttachHandle> {
    this.#running(id)
    return this.#life.step('attach', () => {
      const run = this.#host.runs.get(id)
      if (run === undefined || run.status === 'stopped') throw conflict(`container ${id} is not running`)
      const left = Promise.withResolvers<void>()
      return {
        write: () => true,
        onDrain() {},
        endStdin() {},
        close: left.resolve,
        stalledMs: 0,
        closed: Promise.race([run.ended, left.promise]),
      }
    })
  }

  async #exec(id: string): Promise<ExecHandle> {
    this.#running(id)
    await this.#life.step('exec', () => {})
    const { run } = this.#running(id)
    // What is frozen on its way in waits for the thaw.
    if (run.frozen) await new Promise<void>((thawed) => run.thawed.push(thawed))
    if (run.status !== 'running') throw conflict(`container ${id} is not running`)
    return this.#life.effect(() => this.#addExec(run))
  }

  async #update(id: string): Promise<void> {
    this.#running(id)
    await this.#life.step('runtime update', () => this.#running(id))
  }

  #addExec(run: FakeRun): ExecHandle {
    const { promise, resolve } = Promise.withResolvers<ExitInfo>()
    const end = (exitCode: number): void =>
      resolve({ exitCode, finishedAt: new Date(Number(this.#host.nowMs)), oomKilled: false })
    const exec = { pid: this.#host.newPid(), end }
    run.execs.add(exec)
    void this.#host.turn('end of exec').then(() => {
      run.execs.delete(exec)
      end(0)
    })
    return { pid: exec.pid, exited: promise, write: () => true, onDrain() {}, endStdin() {}, resize() {}, close() {} }
  }

  /** The end of a run is seen in a step of its own. */
  #watch(run: FakeRun): Watched {
    const watched: Watched = { run, ended: Promise.withResolvers(), exit: undefined }
    this.#watched.set(run.id, watched)
    void run.ended.then(() => this.#life.turn(`exit of ${run.id.slice(0, 4)} seen`)).then(() => settle(watched))
    return watched
  }

  #forget(id: string): void {
    this.#watched.delete(id)
    this.awaited.delete(id)
  }

  #running(id: string): Watched {
    const watched = this.#find(id)
    if (watched.exit !== undefined || watched.run.status === 'stopped') {
      throw conflict(`container ${id} is not running`)
    }
    return watched
  }

  #find(id: string): Watched {
    const watched = this.#watched.get(id)
    if (watched === undefined) throw notFound(`container ${id} has no process`)
    return watched
  }
}

function settle(watched: Watched): void {
  if (watched.exit !== undefined || watched.run.exit === undefined) return
  watched.exit = watched.run.exit
  watched.ended.resolve(watched.exit)
}
