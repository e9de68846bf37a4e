/** What must hold for the containers of an engine: after every step, and once nothing is left to happen. */
import { existsSync } from 'node:fs'
import { type ContainerRecord, snapshotKey } from '../../src/containers/record/container-record.ts'
import { type ContainerStatus, isActive, isUp } from '../../src/containers/record/state.ts'
import type { FakeEngine, Observer } from './fake-engine.ts'

const next: Readonly<Record<ContainerStatus, readonly ContainerStatus[]>> = {
  created: ['created', 'running'],
  running: ['running', 'paused', 'exited', 'restarting'],
  paused: ['paused', 'running', 'exited', 'restarting'],
  restarting: ['restarting', 'running', 'exited'],
  exited: ['exited', 'running', 'restarting'],
  removing: [],
  dead: [],
}

type Phase = 'unknown' | 'down' | 'running' | 'paused' | 'gone'

/** Events that change the phase of a container: from which, to which. */
const moves: Readonly<Record<string, readonly [from: readonly Phase[], to: Phase]>> = {
  start: [['down'], 'running'],
  pause: [['running'], 'paused'],
  unpause: [['paused'], 'running'],
  die: [['running', 'paused'], 'down'],
  destroy: [['down'], 'gone'],
}

/** What the record says by the time that an event tells of it. */
const recorded: Readonly<Record<string, readonly (ContainerStatus | undefined)[]>> = {
  start: ['running'],
  pause: ['paused'],
  unpause: ['running'],
  die: ['exited', 'restarting'],
  destroy: [undefined],
}

/** Events that need a phase. All others need a container that is there. */
const within: Readonly<Record<string, readonly Phase[]>> = {
  kill: ['running', 'paused'],
  exec_start: ['running', 'paused'],
  exec_die: ['down', 'running', 'paused', 'gone'],
}

/** Watches the writes and events of an engine, and collects what was wrong. */
export class LifeRules implements Observer {
  readonly problems: string[] = []
  readonly #phases = new Map<string, Phase>()
  readonly #actions: string[] = []
  #isBooting = false

  onWrite(before: ContainerRecord | undefined, after: ContainerRecord): void {
    if (before === undefined) return
    const [from, to] = [before.state, after.state]
    if (!next[from.status].includes(to.status)) this.problems.push(`record: ${from.status} → ${to.status}`)
    if (isUp(to.status) !== to.pid > 0) this.problems.push(`record: ${to.status} with pid ${to.pid}`)
    if (!this.#isBooting && isUp(from.status) && isUp(to.status) && from.pid !== to.pid) {
      this.problems.push('record: a run over another one')
    }
  }

  onEvent(action: string, id: string, status: ContainerStatus | undefined): void {
    this.#actions.push(action)
    const name = action.split(':', 1)[0] ?? ''
    if (recorded[name]?.includes(status) === false) {
      this.problems.push(`event ${name} while the record says ${status ?? 'nothing'}`)
    }
    const phase = this.#phases.get(id) ?? (this.#isBooting ? 'unknown' : 'down')
    const move = moves[name]
    const allowed = move?.[0] ?? within[name] ?? ['down', 'running', 'paused']
    if (phase !== 'unknown' && !allowed.includes(phase)) {
      this.problems.push(`event ${name} of a container that is ${phase}: ${this.#actions.join(', ')}`)
    }
    this.#phases.set(id, move?.[1] ?? phase)
  }

  /** Events before a crash may be missing. */
  onBoot(): void {
    this.#isBooting = true
    this.#phases.clear()
  }

  /** The events so far. */
  get actions(): readonly string[] {
    return this.#actions
  }

  /** After every step. Throws with all problems so far. */
  check(engine: FakeEngine): void {
    for (const record of engine.life.dead ? [] : engine.context.containers.all()) this.#checkRecord(engine, record)
    for (const run of engine.life.dead ? [] : engine.host.runs.values()) {
      if (run.status !== 'stopped' && isIdle(engine, run.id) && !isUp(statusOf(engine, run.id) ?? 'exited')) {
        this.problems.push(`runs while its record says ${statusOf(engine, run.id)}`)
      }
    }
    this.#throw(engine)
  }

  #checkRecord(engine: FakeEngine, { id, state }: ContainerRecord): void {
    if (!isIdle(engine, id)) return
    const run = engine.host.runs.get(id)
    if (isUp(state.status) && run === undefined) this.problems.push(`record says ${state.status}, and there is no run`)
    if (run === undefined || run.status === 'stopped') return
    if (run.pid !== state.pid) this.problems.push(`record has pid ${state.pid}, the run has ${run.pid}`)
    if (run.frozen !== (state.status === 'paused')) this.problems.push(`${state.status}, frozen: ${run.frozen}`)
    if (isUp(state.status) && !engine.runtime.awaited.has(id)) this.problems.push('nobody waits for the end of a run')
  }

  /** When nothing is left to happen: nothing was left behind, and what clients were told is so. */
  checkEnd(engine: FakeEngine): void {
    const records = engine.context.containers.all()
    this.#checkHost(engine, new Map(records.map((record) => [record.id, record])))
    for (const record of records) {
      this.#checkLive(engine, record)
      for (const [what, isTrue] of engine.told) if (!isTrue(record)) this.problems.push(`record lost its ${what}`)
    }
    this.#throw(engine)
  }

  #checkHost({ host, leases, holds }: FakeEngine, known: ReadonlyMap<string, ContainerRecord>): void {
    const up = (id: string): boolean => isUp(known.get(id)?.state.status ?? 'exited')
    const running = [...known.keys()].filter(up)
    const mounted = [...host.mounts.keys()].map((target) => target.split('/').at(-2) ?? '')
    const layers = new Set([...known.keys()].map(snapshotKey))
    const claim = (what: string, ids: Iterable<string>, isRight: (id: string) => boolean): void => {
      for (const id of ids) if (!isRight(id)) this.problems.push(`left behind: ${what} of ${id.slice(0, 4)}`)
    }
    claim('run', host.runs.keys(), up)
    claim('sandbox', leases.sandboxes.keys(), up)
    claim('mount', mounted, up)
    claim(
      'mounted volume',
      [...holds.mounted.values()].flatMap((ids) => [...ids]),
      up,
    )
    claim(
      'use of a volume',
      [...holds.users.values()].flatMap((ids) => [...ids]),
      (id) => known.has(id),
    )
    claim('bundle', known.keys(), (id) => existsSync(host.bundle(id)) === up(id))
    claim('snapshot', host.snapshots.keys(), (key) => layers.has(key))
    claim('record without a process', running, (id) => host.isAlive(id))
    claim('record without a mount', running, (id) => mounted.includes(id))
  }

  #checkLive({ context }: FakeEngine, { id, state }: ContainerRecord): void {
    const live = context.live.of(id)
    if (context.locks.isBusy(id)) this.problems.push('lock is held')
    if (state.status === 'restarting') this.problems.push('restarting, and no restart follows')
    if (live.removing) this.problems.push('marked for removal for good')
    if (!isUp(state.status) && live.execs.size > 0) this.problems.push('execs of an ended run')
    if (!isActive(state.status) && live.attachments.size > 0) this.problems.push('attachments of an ended run')
    if (live.entering.size > 0 || live.pausing !== undefined) this.problems.push('pause or exec without end')
  }

  #throw({ host }: FakeEngine): void {
    const all = [...this.problems, ...host.problems]
    if (all.length > 0) throw new Error(all.join('; '))
  }
}

function isIdle({ context }: FakeEngine, id: string): boolean {
  return !context.locks.isBusy(id)
}

function statusOf({ context }: FakeEngine, id: string): ContainerStatus | undefined {
  return context.containers.find(id)?.state.status
}
