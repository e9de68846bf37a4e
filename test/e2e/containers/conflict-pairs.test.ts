/** Two operations on one container at the same time: both answers and the final state are those of one of the two
 *  orders, with Docker's statuses and texts. BERTH_PAIR_ROUNDS repeats each pair. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openRequest, type RequestBody } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { EventOrder } from '../../helpers/daemons/event-order.ts'
import { newName, prepare, type Status, statusOf } from '../../helpers/daemons/life.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { patience, until } from '../../helpers/wait.ts'

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

const rounds = Number(process.env.BERTH_PAIR_ROUNDS ?? 5)

/** The result of a request: the status, and its message or body. */
type Outcome = readonly [status: number, text: string]

/** An allowed result: the status, and a pattern for the text. */
type Allowed = readonly [status: number, text?: RegExp]

type Request = (id: string) => Promise<Outcome>

function ask(method: string, path: string, body?: RequestBody): Request {
  return async (id) => {
    const response = await openRequest(daemon.socket, method, `/containers/${id}${path}`, body)
    let text = ''
    // A stream must end properly, not break.
    for await (const chunk of response) text += String(chunk)
    assert.ok(response.complete, `${method} ${path}: the answer was cut`)
    return [response.statusCode ?? 0, text]
  }
}

/** Creates and starts an exec; returns the refusal, or the last answer. */
const exec: Request = async (id) => {
  const made = await daemon.api<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
  if (made.status !== 201) return [made.status, made.text]
  const { status, text } = await daemon.api('POST', `/exec/${made.body.Id}/start`, { Detach: true })
  return [status, text]
}

/** Sends several at once; returns the first refusal. None may wait for the end of a pause. */
const execs: Request = async (id) => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => exec(id)))
  return answers.find(([status]) => status !== 200) ?? [200, '']
}

const unknown: Allowed = [404, /"No such container: [0-9a-f]{64}"/]
const goes: Allowed = [409, /removal of container [0-9a-f]{64} is already in progress|is marked for removal/]
const notRunning: Allowed = [409, /[Cc]ontainer [0-9a-f]{64} is not running/]
const isRunning: Allowed = [
  409,
  /cannot remove container \\"\/\w+\\": container is running: stop the container before removing or force remove/,
]
const paused: Allowed = [409, /container is paused and must be unpaused first/]
const ok: Allowed = [204]
const unchanged: Allowed = [304]

const start = ask('POST', '/start')
const stop = ask('POST', '/stop?t=0')
const kill = ask('POST', '/kill')
const pause = ask('POST', '/pause')
const restart = ask('POST', '/restart?t=0')
const remove = ask('DELETE', '')
const removeByForce = ask('DELETE', '?force=1')
const update = ask('POST', '/update', { PidsLimit: 77 })
const commit: Request = async (id) => {
  const { status, text } = await daemon.api('POST', `/commit?container=${id}&repo=committed`)
  return [status, text]
}
const copyOut = ask('GET', '/archive?path=/bin')
const copyIn = ask('PUT', '/archive?path=/', Buffer.alloc(1024))
const wait = ask('POST', '/wait')
const follow = ask('GET', '/logs?follow=1&stdout=1')
const attach = ask('POST', '/attach?stream=1&stdout=1')
const rename: Request = async (id) => {
  const { status, text } = await daemon.api('POST', `/containers/${id}/rename?name=pair${newName()}`)
  return [status, text]
}

/** Sends one that others follow, which may be refused; returns its answer. */
const starts: Request = async (id) => {
  const [first] = await Promise.all([start(id), rename(id), start(id), start(id)])
  return first
}

interface Pair {
  readonly name: string
  readonly from: Status
  readonly requests: readonly [Request, Request]
  /** Both answers and the final state, for each order. */
  readonly orders: readonly (readonly [Allowed, Allowed, Status])[]
}

/** A request that needs the container, against its forced removal. */
function againstRemoval(name: string, request: Request, done: Allowed, refused: readonly Allowed[] = []): Pair {
  const orders = [done, unknown, goes, ...refused].map((answer) => [answer, ok, 'gone'] as const)
  return { name: `${name} and rm -f`, from: 'running', requests: [request, removeByForce], orders }
}

const pairs: readonly Pair[] = [
  {
    name: 'start and start',
    from: 'created',
    requests: [start, start],
    orders: [
      [ok, unchanged, 'running'],
      [unchanged, ok, 'running'],
    ],
  },
  {
    name: 'start and rm',
    from: 'exited',
    requests: [start, remove],
    orders: [
      [ok, isRunning, 'running'],
      [unknown, ok, 'gone'],
      [goes, ok, 'gone'],
    ],
  },
  {
    name: 'stop and kill',
    from: 'running',
    requests: [stop, kill],
    orders: [
      [ok, ok, 'exited'],
      [ok, notRunning, 'exited'],
      [unchanged, ok, 'exited'],
    ],
  },
  {
    name: 'rename and rename',
    from: 'created',
    requests: [rename, rename],
    orders: [[ok, ok, 'created']],
  },
  {
    name: 'rm and rm',
    from: 'exited',
    requests: [remove, remove],
    orders: [unknown, goes].flatMap((answer) => [[ok, answer, 'gone'] as const, [answer, ok, 'gone'] as const]),
  },
  {
    name: 'rm -f and rm -f',
    from: 'running',
    requests: [removeByForce, removeByForce],
    orders: [ok, unknown, goes].flatMap((answer) => [[ok, answer, 'gone'] as const, [answer, ok, 'gone'] as const]),
  },
  {
    name: 'exec and stop',
    from: 'running',
    requests: [exec, stop],
    orders: [
      [[200], ok, 'exited'],
      [notRunning, ok, 'exited'],
      [[404, /No such exec instance/], ok, 'exited'],
    ],
  },
  {
    name: 'execs and pause',
    from: 'running',
    requests: [execs, pause],
    orders: [
      [[200], ok, 'paused'],
      [[409, /Container [0-9a-f]{64} is paused, unpause the container before exec/], ok, 'paused'],
    ],
  },
  {
    name: 'pause and kill',
    from: 'running',
    requests: [pause, kill],
    orders: [
      [ok, ok, 'exited'],
      [notRunning, ok, 'exited'],
    ],
  },
  {
    name: 'pause and stop',
    from: 'running',
    requests: [pause, stop],
    orders: [
      [ok, ok, 'exited'],
      [notRunning, ok, 'exited'],
    ],
  },
  {
    name: 'pause and rm',
    from: 'running',
    requests: [pause, remove],
    orders: [
      [ok, isRunning, 'paused'],
      [ok, paused, 'paused'],
    ],
  },
  {
    name: 'restart and rm',
    from: 'running',
    requests: [restart, remove],
    orders: [
      [ok, isRunning, 'running'],
      // Between the exit of one run and the start of the next.
      [unknown, ok, 'gone'],
      [goes, ok, 'gone'],
    ],
  },
  {
    name: 'starts and rm -f',
    from: 'exited',
    requests: [starts, removeByForce],
    orders: [
      [ok, ok, 'gone'],
      [unknown, ok, 'gone'],
      [goes, ok, 'gone'],
    ],
  },
  againstRemoval('restart', restart, ok),
  againstRemoval('update', update, [200]),
  againstRemoval('rename', rename, ok),
  againstRemoval('commit', commit, [201, /sha256:/]),
  againstRemoval('cp out', copyOut, [200, /bin/]),
  againstRemoval('cp in', copyIn, [200]),
  againstRemoval('wait', wait, [200, /"StatusCode":137/]),
  againstRemoval('logs -f', follow, [200]),
  againstRemoval('attach', attach, [200], [notRunning]),
  againstRemoval('exec', exec, [200], [notRunning, [404, /No such exec instance/]]),
]

function fits([status, text]: Outcome, [wanted, words]: Allowed): boolean {
  return status === wanted && (words === undefined || words.test(text))
}

async function drive({ from, requests, orders, name }: Pair): Promise<void> {
  const id = await prepare(daemon, from)
  const [first, second] = await Promise.all(requests.map((request) => request(id)))
  const state = await statusOf(daemon, id)
  const found = orders.some(
    ([a, b, last]) =>
      first !== undefined && second !== undefined && fits(first, a) && fits(second, b) && state === last,
  )
  const told = [first, second].map((one) => `${one?.[0]} ${one?.[1].slice(0, 300)}`).join(' | ')
  assert.ok(found, `${name}: ${told} -> ${state}\n${daemon.log.slice(-2000)}`)
  assert.deepEqual(events.problems, [], `${name}: ${told}`)
  if (state !== 'gone') assert.equal((await daemon.api('DELETE', `/containers/${id}?force=1`)).status, 204)
}

for (const pair of pairs) {
  test(pair.name, { timeout: 60_000 * patience * rounds }, async () => {
    for (let round = 0; round < rounds; round += 1) await drive(pair)
  })
}

test('two creates of one name: one gets it, the other an error that names the owner', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const ids = await Promise.all([prepare(daemon, 'created'), prepare(daemon, 'created')])
    const name = `pair${newName()}`
    const answers = await Promise.all(ids.map((id) => daemon.api('POST', `/containers/${id}/rename?name=${name}`)))
    const winner = answers.findIndex(({ status }) => status === 204)
    const loser = answers[1 - winner]
    assert.equal(loser?.status, 409)
    assert.ok(loser.text.includes(`The container name \\"/${name}\\" is already in use by container \\"${ids[winner]}`))
    await Promise.all(ids.map((id) => daemon.api('DELETE', `/containers/${id}`)))
  }
})

test('nothing is left afterwards', async () => {
  await until(async () => (await daemon.ok(['ps', '-aq'])) === '', { what: 'no container' })
  assert.deepEqual(events.problems, [])
  await assertExplained(daemon)
})
