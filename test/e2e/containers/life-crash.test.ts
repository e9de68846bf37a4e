/** `kill -9` of the daemon during conflicting operations on containers, chosen by a seed: afterwards each container
 *  is in a state that the answers allow, works, and can be removed. BERTH_LIFE_SECONDS and BERTH_LIFE_SEED as in
 *  life-model.test.ts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import {
  type Answer,
  call,
  type Operation,
  operations,
  prepare,
  type Status,
  statesAfter,
  statusOf,
} from '../../helpers/daemons/life.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { Random } from '../../helpers/random.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const seconds = Number(process.env.BERTH_LIFE_SECONDS ?? 8)
const seed = Number(process.env.BERTH_LIFE_SEED ?? Date.now() % 1_000_000)
const perRound = 8

interface Subject {
  readonly id: string
  readonly before: Status
  readonly autoRemove: boolean
  readonly chosen: readonly Operation[]
}

async function subject(random: Random): Promise<Subject> {
  const autoRemove = random.below(4) === 0
  const states: readonly Status[] = autoRemove ? ['created', 'running', 'paused'] : ['created', 'running', 'paused', 'exited'] // biome-ignore format: one line
  const before = random.pick(states)
  const all = operations({ autoRemove })
  const chosen = Array.from({ length: 1 + random.below(2) }, () => random.pick(all))
  return { id: await prepare(daemon, before, {}, { AutoRemove: autoRemove }), before, autoRemove, chosen }
}

/** The answer, or a sign that none came. */
async function ask({ run }: Operation, id: string): Promise<Answer> {
  try {
    return (await run(daemon, id)) < 400 ? 'done' : 'refused'
  } catch (error) {
    if (!/ECONN|EPIPE|hang up|ENOENT/.test(String(error))) throw error
    return 'lost'
  }
}

/** The state after the next boot, by the state in which the daemon was killed. */
function afterBoot(
  states: ReadonlySet<Status>,
  { autoRemove, chosen }: Subject,
  answers: readonly Answer[],
): Set<string> {
  const found = new Set<string>(states)
  if (!autoRemove) return found
  if (found.delete('exited')) found.add('gone')
  // An interrupted start has failed.
  if (chosen.some(({ name }, index) => /start/.test(name) && answers[index] === 'lost')) found.add('gone')
  return found
}

async function round(random: Random): Promise<void> {
  const subjects: Subject[] = []
  for (let count = 0; count < perRound; count += 1) subjects.push(await subject(random))
  let answered = 0
  const work = subjects.map(({ id, chosen }) =>
    Promise.all(
      chosen.map(async (operation) => {
        const answer = await ask(operation, id)
        answered += 1
        return answer
      }),
    ),
  )
  const enough = random.below(subjects.flatMap(({ chosen }) => chosen).length)
  await until(() => answered >= enough, { intervalMs: 1, what: `${enough} answers` })
  await sleep(random.below(20))
  await daemon.kill9()
  const answers = await Promise.all(work)
  await daemon.start()
  for (const [index, one] of subjects.entries()) await assertPossible(one, answers[index] ?? [], random.seed)
  await assertExplained(daemon)
  await Promise.all(subjects.map((one) => assertUsable(one)))
  await assertExplained(daemon)
}

/** The facts in the answers. A refusal because of a removal proves nothing if the daemon died before the removal. */
function knownOf(chosen: readonly Operation[], answers: readonly Answer[]): readonly Answer[] {
  const isLost = chosen.some(({ name }, index) => name.startsWith('rm') && answers[index] === 'lost')
  const mayBeItsDoing = (name: string) => /^rm|start/.test(name)
  return answers.map((answer, index) => (isLost && mayBeItsDoing(chosen[index]?.name ?? '') ? 'lost' : answer))
}

async function assertPossible(one: Subject, answers: readonly Answer[], from: number): Promise<void> {
  const { id, before, autoRemove, chosen } = one
  const what = `seed ${from}: ${before}${autoRemove ? ' with --rm' : ''}: ${chosen.map(({ name }) => name).join(', ')}`
  const allowed = afterBoot(statesAfter(before, chosen, knownOf(chosen, answers)), one, answers)
  const seen = await statusOf(daemon, id)
  const said = `${what} (${answers.join(', ')}): ${seen}; allowed: ${[...allowed].join(', ')}; ${id}`
  assert.ok(allowed.has(seen), `${said}\n${daemon.log.slice(-1500)}`)
}

/** Stops the container, starts it again, and removes it. A signal of the dead daemon may only take effect now. */
async function assertUsable({ id, autoRemove }: Subject): Promise<void> {
  const status = await statusOf(daemon, id)
  if (status === 'gone') return
  if (status !== 'created') {
    const stopped = await call(daemon, 'POST', `/containers/${id}/stop?t=0`)
    assert.ok(stopped === 204 || stopped === 304 || (autoRemove && stopped === 404), String(stopped))
    if (autoRemove) {
      await until(async () => (await statusOf(daemon, id)) === 'gone', { what: 'the removal' })
      return
    }
  }
  assert.equal(await call(daemon, 'POST', `/containers/${id}/start`), 204)
  assert.equal(await daemon.ok(['exec', id, 'echo', 'well']), 'well')
  assert.equal(await call(daemon, 'DELETE', `/containers/${id}?force=1`), 204)
}

test('after a crash during operations the state is that of some order of them', {
  timeout: (seconds + 120) * 1000,
}, async () => {
  const end = Date.now() + seconds * 1000
  const random = new Random(seed)
  while (Date.now() < end) await round(random)
})
