/** The life of containers against a model: conflicting operations at the same time, chosen by a seed. The answers,
 *  the final state, the events and the results of waits must be those of some order of the operations' steps. At the
 *  end nothing is left. BERTH_LIFE_SECONDS: the duration (default 8). BERTH_LIFE_SEED: the seed (default: random,
 *  shown on failure). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openRequest } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { EventOrder } from '../../helpers/daemons/event-order.ts'
import {
  type Answer,
  call,
  newName,
  type Operation,
  operations,
  prepare,
  type Status,
  statesAfter,
  statusOf,
} from '../../helpers/daemons/life.ts'
import { assertExplained, describeGroups } from '../../helpers/daemons/world.ts'
import { Random } from '../../helpers/random.ts'
import { inTime, until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let events: EventOrder

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  events = await EventOrder.follow(daemon)
})
after(async () => {
  await events?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

const seconds = Number(process.env.BERTH_LIFE_SECONDS ?? 8)
const seed = Number(process.env.BERTH_LIFE_SEED ?? Date.now() % 1_000_000)
const workers = 4

/** A running wait. */
interface Wait {
  readonly condition: string
  isOver: boolean
  readonly result: Promise<{ readonly StatusCode: number }>
}

async function openWait(id: string, condition: string): Promise<Wait> {
  const response = await openRequest(daemon.socket, 'POST', `/containers/${id}/wait?condition=${condition}`)
  assert.equal(response.statusCode, 200)
  const wait: Wait = { condition, isOver: false, result: readAll() }
  return wait

  async function readAll(): Promise<{ readonly StatusCode: number }> {
    let text = ''
    for await (const chunk of response) text += String(chunk)
    wait.isOver = true
    return JSON.parse(text)
  }
}

/** Checked every tenth of a second while the operations run. */
const checked = { Healthcheck: { Test: ['CMD', 'true'], Interval: 100_000_000 } }

interface Inspected {
  readonly Name: string
  readonly HostConfig: { readonly PidsLimit: number | null }
}

async function round(random: Random): Promise<void> {
  const autoRemove = random.below(4) === 0
  const states: readonly Status[] = [
    'created',
    'running',
    'running',
    'paused',
    ...(autoRemove ? [] : ['exited' as const]),
  ]
  const before = random.pick<Status>(states)
  const all = operations({ autoRemove })
  const chosen = Array.from({ length: 2 + random.below(2) }, () => random.pick(all))
  const kind = `${before}${autoRemove ? ' with --rm' : ''}`
  const what = `seed ${random.seed}: ${kind}: ${chosen.map(({ name }) => name).join(', ')}`
  const body = random.below(4) === 0 ? checked : {}
  const id = await prepare(daemon, before, body, { AutoRemove: autoRemove })
  const name = await nameOf(id)
  const waits = await Promise.all(['not-running', 'next-exit', 'removed'].map((condition) => openWait(id, condition)))
  const statuses = await Promise.all(
    chosen.map((operation) =>
      inTime(operation.run(daemon, id), () => describeNow(id, `the answer to ${operation.name}`)),
    ),
  ).catch((error: unknown) => {
    throw new Error(`${what}: ${String(error)}`)
  })
  const told = `${what} (${statuses.join(', ')})`
  const answers = statuses.map((status): Answer => (status < 400 ? 'done' : 'refused'))
  const allowed = statesAfter(before, chosen, answers)
  let seen = await statusOf(daemon, id)
  // A container with --rm is removed at its end.
  if (autoRemove && seen !== 'created') await until(async () => isRest((seen = await statusOf(daemon, id))))
  assert.ok(allowed.has(seen as Status), `${told}: ${seen}; allowed: ${[...allowed].join(', ') || 'none such answers'}`)
  if (seen !== 'gone') {
    await assertKept(id, name, chosen, answers, told)
    assertWaits(waits, before, chosen, told)
    await inTime(daemon.api('DELETE', `/containers/${id}?force=1`), () => describeNow(id, `the removal: ${told}`))
  }
  assert.equal(await statusOf(daemon, id), 'gone', told)
  for (const { condition, result } of waits) {
    const { StatusCode } = await inTime(result, () => describeNow(id, `${condition}: ${told}`))
    assert.equal(typeof StatusCode, 'number', condition)
  }
  await events.destroyed(id)
  assert.deepEqual(events.problems, [], told)
}

async function describeNow(id: string, wanted: string): Promise<string> {
  const { text } = await daemon.api('GET', `/containers/${id}/json`)
  const state = /"State":\{[^}]*\}/.exec(text)?.[0] ?? text
  return `${wanted}; ${events.actionsOf(id).join(', ')}; ${state}; ${describeGroups(daemon, id)}`
}

function isRest(status: string): boolean {
  return status === 'running' || status === 'paused' || status === 'gone'
}

async function nameOf(id: string): Promise<string> {
  return (await daemon.api<Inspected>('GET', `/containers/${id}/json`)).body.Name
}

/** Concurrent operations have not undone an operation that succeeded. */
async function assertKept(
  id: string,
  name: string,
  chosen: readonly Operation[],
  answers: readonly Answer[],
  told: string,
): Promise<void> {
  const { body } = await daemon.api<Inspected>('GET', `/containers/${id}/json`)
  const wasDone = (wanted: string) => chosen.some((one, index) => one.name === wanted && answers[index] === 'done')
  assert.equal(body.Name !== name, wasDone('rename'), `${told}: ${body.Name}`)
  assert.equal(body.HostConfig.PidsLimit, wasDone('update') ? 99 : null, told)
}

const ending = new Set(['stop', 'kill', 'restart', 'rm -f'])

/** A wait for something that has not happened continues. */
function assertWaits(waits: readonly Wait[], before: Status, chosen: readonly Operation[], told: string): void {
  const ranOn = (before === 'running' || before === 'paused') && !chosen.some(({ name }) => ending.has(name))
  const over = waits.filter(({ isOver }) => isOver).map(({ condition }) => condition)
  assert.equal(over.includes('removed'), false, told)
  if (ranOn) assert.deepEqual(over, [], told)
}

/** Two operations that want the same name: one gets it. */
async function sameName(): Promise<void> {
  const ids = await Promise.all([prepare(daemon, 'created'), prepare(daemon, 'created')])
  const name = `same${newName()}`
  const answers = await Promise.all(ids.map((id) => call(daemon, 'POST', `/containers/${id}/rename?name=${name}`)))
  assert.deepEqual(answers.toSorted(), [204, 409])
  await Promise.all(ids.map((id) => call(daemon, 'DELETE', `/containers/${id}`)))
}

test('concurrent operations end in the state of some order of them', { timeout: (seconds + 60) * 1000 }, async () => {
  let end = Date.now() + seconds * 1000
  const runs = Array.from({ length: workers }, async (_, index) => {
    const random = new Random(seed + index)
    try {
      while (Date.now() < end) {
        await round(random)
        if (random.below(10) === 0) await sameName()
      }
    } finally {
      end = 0
    }
  })
  // The other operations must end before anything is checked or removed.
  await Promise.allSettled(runs)
  await Promise.all(runs)
  await assertExplained(daemon)
})
