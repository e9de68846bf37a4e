/** Runs verbs of containers against each other in every order of their steps, on a host in memory, and holds each step
 *  against the rules of `life-rules.ts`. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isKind, messageOf } from '../../src/base/index.ts'
import { type ContainerRecord, withChanges } from '../../src/containers/record/container-record.ts'
import { isActive } from '../../src/containers/record/state.ts'
import { pauseContainer } from '../../src/containers/run/pause.ts'
import { startContainer } from '../../src/containers/run/start.ts'
import { waitContainer } from '../../src/containers/run/wait.ts'
import { FakeEngine } from './fake-engine.ts'
import { LifeRules } from './life-rules.ts'
import { type Choose, Scheduler } from './scheduler.ts'

/** The container that all verbs act on. */
export const id = 'a'.repeat(64)

/** Something that happens to the container: a client's request, or the end of its program. */
export type Action = (engine: FakeEngine) => Promise<unknown>

export interface Scene {
  /** The container's state when the actions begin. */
  readonly from: 'created' | 'running' | 'paused' | 'exited' | 'restarting'
  readonly hostConfig?: ContainerRecord['hostConfig']
  /** The container has a volume. */
  readonly volume?: boolean
  /** The program goes on when it gets SIGTERM. */
  readonly ignoresTerm?: boolean
  readonly actions: readonly Action[]
}

/** What a scene took, after its begin. */
export interface Outcome {
  /** Lasting things that were done. */
  readonly effects: number
  /** Steps that could have failed. */
  readonly fallible: number
}

const first: Choose = () => 0
/** In memory where the host has such a place: thousands of small directories are made. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const volume: ContainerRecord['mounts'][number] = {
  type: 'volume',
  name: 'data',
  source: '',
  destination: '/data',
  readOnly: false,
  mode: '',
  propagation: '',
}

/** What goes wrong while a scene is played, counted from its begin. */
export interface Mishap {
  /** The daemon is killed before the lasting thing of this number, and another one boots. */
  readonly killAt?: number | undefined
  /** The step of this number fails, of those that can. */
  readonly failAt?: number | undefined
}

/** Plays a scene once. Throws when a rule is broken. */
export async function play(scene: Scene, choose: Choose, { killAt, failAt }: Mishap = {}): Promise<Outcome> {
  const root = mkdtempSync(join(place, 'bt-il-'))
  const scheduler = new Scheduler()
  const rules = new LifeRules()
  try {
    const engine = new FakeEngine(root, scheduler, rules)
    await prepare(engine, scheduler, scene)
    const begin = engine.host.effects
    const beginOfFallible = engine.host.fallible
    if (killAt !== undefined) engine.host.killBefore = begin + killAt
    if (failAt !== undefined) engine.host.failAt = beginOfFallible + failAt
    const failures: string[] = []
    const left = waiting(engine)
    for (const [number, action] of scene.actions.entries()) void act(engine, action, number, failures)
    const check = (): void => rules.check(engine)
    await scheduler.run(choose, { check, until: () => engine.life.dead })
    const wasKilled = engine.life.dead
    if (wasKilled) {
      const booted = engine.reboot()
      await scheduler.run(choose)
      await booted
      rules.check(engine)
    } else {
      checkWaiting(engine, left, failures)
    }
    rules.checkEnd(engine)
    if (!wasKilled && failures.length > 0) throw new Error(failures.join('; '))
    return { effects: engine.host.effects - begin, fallible: engine.host.fallible - beginOfFallible }
  } catch (cause) {
    throw new Error(`${messageOf(cause)}; events: ${rules.actions.join(', ')}; steps: ${scheduler.trace.join(', ')}`, {
      cause,
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Brings the container into the state that the scene begins in. */
async function prepare(engine: FakeEngine, scheduler: Scheduler, scene: Scene): Promise<void> {
  const { context, host } = engine
  engine.add(id, {
    ...(scene.hostConfig === undefined ? {} : { hostConfig: scene.hostConfig }),
    ...(scene.volume === true ? { mounts: [volume] } : {}),
  })
  host.obeysTerm = scene.ignoresTerm !== true
  if (scene.from === 'created') return
  const hostConfig = context.containers.get(id).hostConfig
  const setUp = async (work: Promise<unknown>, until?: () => boolean): Promise<void> => {
    await Promise.all([work, scheduler.run(first, until === undefined ? {} : { until })])
  }
  // The end of a run is not to remove it yet.
  context.containers.save(withChanges(context.containers.get(id), { hostConfig: { ...hostConfig, AutoRemove: false } }))
  await setUp(startContainer(context, id))
  if (scene.from === 'paused') await setUp(pauseContainer(context, id))
  if (scene.from === 'exited' || scene.from === 'restarting') {
    const run = host.runs.get(id)
    if (run !== undefined) host.exit(run, 1)
    const { from } = scene
    const isDown = (): boolean => !context.locks.isBusy(id) && context.containers.get(id).state.status === from
    await setUp(Promise.resolve(), isDown)
  }
  context.containers.save(withChanges(context.containers.get(id), { hostConfig }))
}

/** An action begins in a step of its own. It may be refused as Docker refuses verbs, and must end. */
async function act(engine: FakeEngine, action: Action, number: number, failures: string[]): Promise<void> {
  const pending = `action ${number} does not end`
  failures.push(pending)
  try {
    await engine.life.turn(`action ${number}`)
    await action(engine)
  } catch (error) {
    if (engine.life.dead) return
    const isRefusal =
      refusals.some((kind) => isKind(error, kind)) || /is not paused$|failed by the test/.test(messageOf(error))
    if (!isRefusal) failures.push(`action ${number}: ${messageOf(error)}`)
  } finally {
    failures.splice(failures.indexOf(pending), 1)
  }
}

const refusals = ['conflict', 'notFound', 'notModified', 'forbidden'] as const

interface Waiting {
  readonly condition: 'not-running' | 'removed'
  isReleased: boolean
}

/** Clients that wait from the scene's begin on. */
function waiting(engine: FakeEngine): readonly Waiting[] {
  return (['not-running', 'removed'] as const).map((condition) => {
    const one: Waiting = { condition, isReleased: false }
    void waitContainer(engine.context, id, condition).result.then(() => {
      one.isReleased = true
    })
    return one
  })
}

function checkWaiting(engine: FakeEngine, all: readonly Waiting[], failures: string[]): void {
  const status = engine.context.containers.find(id)?.state.status
  for (const { condition, isReleased } of all) {
    const isDue = status === undefined || (condition === 'not-running' && !isActive(status))
    if (isDue && !isReleased) failures.push(`a client still waits for ${condition}`)
    if (condition === 'removed' && status !== undefined && isReleased) failures.push('removal was told too early')
  }
}
