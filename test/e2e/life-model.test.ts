/** The life of containers against a model: conflicting operations at the same time, chosen by a seed. The answers and
 *  the state at the end must be those of some order of their steps; at the end of all, nothing is left.
 *  BERTH_LIFE_SECONDS: how long (default 8). BERTH_LIFE_SEED: which (default: another each time, shown on failure). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../helpers/daemon.ts'
import { Random } from '../helpers/random.ts'
import { assertExplained } from '../helpers/world.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const seconds = Number(process.env.BERTH_LIFE_SECONDS ?? 8)
const seed = Number(process.env.BERTH_LIFE_SEED ?? Date.now() % 1_000_000)
const workers = 4

type Status = 'created' | 'running' | 'paused' | 'exited' | 'gone'
/** The state after a step; undefined when it is refused. */
type Step = (status: Status) => Status | undefined

const up = (status: Status) => status === 'running' || status === 'paused'
const startStep: Step = (status) => (status === 'gone' || status === 'paused' ? undefined : 'running')
/** What is to end is woken first. */
const wakeStep: Step = (status) => (status === 'gone' ? undefined : up(status) ? 'running' : status)
const wakeUpStep: Step = (status) => (up(status) ? 'running' : undefined)
/** Comes after one of these; another may have ended or removed it meanwhile. */
const endStep: Step = (status) => (up(status) ? 'exited' : status)
const removeStep: Step = (status) => (status === 'gone' || up(status) ? undefined : status)
/** Another may have removed it meanwhile. */
const goneStep: Step = (status) => (up(status) ? undefined : 'gone')
const goneForcedStep: Step = () => 'gone'
const pauseStep: Step = (status) => (status === 'running' ? 'paused' : undefined)
const unpauseStep: Step = (status) => (status === 'paused' ? 'running' : undefined)
const runningStep: Step = (status) => (status === 'running' ? status : undefined)
const anyStep: Step = (status) => (status === 'gone' ? undefined : status)

interface Operation {
  readonly name: string
  readonly steps: readonly Step[]
  /** Gives the HTTP status. */
  run(id: string): Promise<number>
}

function post(name: string, path: string, steps: readonly Step[]): Operation {
  return { name, steps, run: (id) => call('POST', `/containers/${id}/${path}`) }
}

const operations: readonly Operation[] = [
  post('start', 'start', [startStep]),
  post('stop', 'stop?t=0', [wakeStep, endStep]),
  post('kill', 'kill', [wakeUpStep, endStep]),
  post('restart', 'restart?t=0', [wakeStep, endStep, startStep]),
  post('pause', 'pause', [pauseStep]),
  post('unpause', 'unpause', [unpauseStep]),
  { name: 'rm', steps: [removeStep, goneStep], run: (id) => call('DELETE', `/containers/${id}`) },
  {
    name: 'rm -f',
    steps: [anyStep, endStep, goneForcedStep],
    run: (id) => call('DELETE', `/containers/${id}?force=1`),
  },
  { name: 'rename', steps: [anyStep], run: (id) => call('POST', `/containers/${id}/rename?name=n${newName()}`) },
  { name: 'update', steps: [anyStep], run: (id) => call('POST', `/containers/${id}/update`, { PidsLimit: 99 }) },
  { name: 'exec', steps: [runningStep, runningStep], run: execTrue },
]

let names = 0
function newName(): number {
  names += 1
  return names
}

async function call(method: string, path: string, body?: Record<string, unknown>): Promise<number> {
  const { status, text } = await daemon.api(method, path, body)
  // Docker has no better status for this one.
  if (status === 500 && text.includes('is not paused')) return 409
  if (status >= 500) throw new Error(`${method} ${path}: ${status} ${text}`)
  return status
}

async function execTrue(id: string): Promise<number> {
  const { status, body } = await daemon.api<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
  return status === 201 ? await runExec(body.Id) : status
}

/** A container may end while a process is being made in it: whatever the answer, it is no answer of success. */
async function runExec(id: string): Promise<number> {
  const { status } = await daemon.api('POST', `/exec/${id}/start`, { Detach: true })
  return status >= 400 ? 409 : status
}

/** All that may come of the operations at once: each one's success, and the state at the end. */
function outcomes(status: Status, chosen: readonly Operation[]): Set<string> {
  const found = new Set<string>()
  const walk = (now: Status, next: readonly number[], ok: readonly boolean[]): void => {
    if (next.every((step, index) => step >= (chosen[index]?.steps.length ?? 0))) {
      found.add(describe(ok, now))
      return
    }
    chosen.forEach(({ steps }, index) => {
      const step = steps[next[index] ?? 0]
      if (step === undefined) return
      const after = step(now)
      // What was refused goes no further.
      const position = after === undefined ? steps.length : (next[index] ?? 0) + 1
      walk(after ?? now, next.with(index, position), after === undefined ? ok.with(index, false) : ok)
    })
  }
  walk(
    status,
    chosen.map(() => 0),
    chosen.map(() => true),
  )
  return found
}

function describe(ok: readonly boolean[], status: Status): string {
  return `${ok.map((one) => (one ? 'yes' : 'no')).join(' ')} -> ${status}`
}

async function prepare(status: Status): Promise<string> {
  const created = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'none' },
  })
  assert.equal(created.status, 201, created.text)
  const id = created.body.Id
  if (status !== 'created') assert.equal(await call('POST', `/containers/${id}/start`), 204)
  if (status === 'exited') assert.equal(await call('POST', `/containers/${id}/kill`), 204)
  if (status === 'paused') assert.equal(await call('POST', `/containers/${id}/pause`), 204)
  return id
}

async function statusOf(id: string): Promise<Status> {
  const { status, body } = await daemon.api<{ State: { Status: Status } }>('GET', `/containers/${id}/json`)
  return status === 404 ? 'gone' : body.State.Status
}

async function round(random: Random): Promise<void> {
  const before = random.pick<Status>(['created', 'running', 'running', 'paused', 'exited'])
  const chosen = Array.from({ length: 2 + random.below(2) }, () => random.pick(operations))
  const id = await prepare(before)
  const what = `seed ${random.seed}: ${before}: ${chosen.map(({ name }) => name).join(', ')}`
  const answers = await Promise.all(chosen.map((operation) => operation.run(id))).catch((error: unknown) => {
    throw new Error(`${what}: ${String(error)}\n${daemon.log.slice(-3000)}`)
  })
  const seen = describe(
    answers.map((status) => status < 400),
    await statusOf(id),
  )
  const allowed = outcomes(before, chosen)
  assert.ok(allowed.has(seen), `${what} (${answers.join(', ')}): ${seen}; allowed: ${[...allowed].join('; ')}`)
  await daemon.api('DELETE', `/containers/${id}?force=1`)
  assert.equal(await statusOf(id), 'gone')
}

/** Two that want the same name: one gets it. */
async function sameName(): Promise<void> {
  const ids = await Promise.all([prepare('created'), prepare('created')])
  const name = `same${newName()}`
  const answers = await Promise.all(ids.map((id) => call('POST', `/containers/${id}/rename?name=${name}`)))
  assert.deepEqual(answers.toSorted(), [204, 409])
  await Promise.all(ids.map((id) => call('DELETE', `/containers/${id}`)))
}

test('operations at the same time end as some order of them does', { timeout: (seconds + 60) * 1000 }, async () => {
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
  // The others come to their ends before anything is judged or taken away.
  await Promise.allSettled(runs)
  await Promise.all(runs)
  await assertExplained(daemon)
})
