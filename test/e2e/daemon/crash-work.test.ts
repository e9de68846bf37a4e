/** `kill -9` of the daemon during work on many containers, at random moments: each piece of work is done completely
 *  or not at all, and nothing is left that belongs to no record. BERTH_CRASH_ROUNDS repeats each scenario. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

const rounds = Array.from({ length: Number(process.env.BERTH_CRASH_ROUNDS ?? 1) }, (_, i) => i + 1)
const many = 20
let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Created {
  readonly Id: string
}

async function create(body: Record<string, unknown> = {}): Promise<string> {
  const sleeper = { Image: 'busybox', Cmd: ['sleep', '1000'], ...body }
  const { status, text, body: made } = await daemon.api<Created>('POST', '/containers/create', sleeper)
  assert.equal(status, 201, text)
  return made.Id
}

const published = {
  ExposedPorts: { '80/tcp': {} },
  HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
}

function createMany(body: Record<string, unknown> = {}): Promise<string[]> {
  return Promise.all(Array.from({ length: many }, () => create(body)))
}

/** A request that may never get an answer. */
async function ask(method: string, path: string, body?: Record<string, unknown>): Promise<number> {
  return (await daemon.api(method, path, body).catch(() => undefined))?.status ?? 0
}

async function start(id: string): Promise<void> {
  const { status, text } = await daemon.api('POST', `/containers/${id}/start`)
  assert.ok(status === 204 || status === 304, text)
}

async function statusOf(id: string): Promise<string> {
  const { status, body } = await daemon.api<{ State: { Status: string } }>('GET', `/containers/${id}/json`)
  return status === 404 ? 'gone' : body.State.Status
}

/** Kills the daemon during `work`, when a random part of it has been answered, and starts it again.
 *  Returns the answers; 0 for a request without one. */
async function crashAmid(
  work: readonly Promise<number>[],
  signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
): Promise<number[]> {
  let answered = 0
  for (const one of work) void one.then(() => (answered += 1))
  const enough = Math.floor(Math.random() * work.length)
  await until(() => answered >= enough, { intervalMs: 1, timeoutMs: 120_000, what: `${enough} answers` })
  await sleep(Math.random() * 30)
  await daemon.stop(signal)
  const answers = await Promise.all(work)
  await daemon.start()
  return answers
}

async function assertStatuses(ids: readonly string[], answers: readonly number[], done: RegExp, undone: RegExp) {
  for (const [index, id] of ids.entries()) {
    const status = await statusOf(id)
    const isDone = (answers[index] ?? 0) !== 0
    assert.match(status, isDone ? done : new RegExp(`${done.source}|${undone.source}`), `answer ${answers[index]}`)
  }
}

async function removeAll(): Promise<void> {
  const { body } = await daemon.api<Created[]>('GET', '/containers/json?all=1')
  const answers = await Promise.all(body.map(({ Id }) => ask('DELETE', `/containers/${Id}?force=1&v=1`)))
  assert.deepEqual(answers, body.map(() => 204)) // biome-ignore format: one line
  await assertExplained(daemon)
}

for (const round of rounds) {
  describe(`round ${round}: a crash in the middle of ${many}`, () => {
    test('starts', async () => {
      const ids = await createMany(published)
      const answers = await crashAmid(ids.map((id) => ask('POST', `/containers/${id}/start`)))
      await assertStatuses(ids, answers, /running/, /created/)
      await assertExplained(daemon)
      await Promise.all(ids.map(start))
      await assertStatuses(ids, answers, /running/, /running/)
      await assertExplained(daemon)
      await removeAll()
    })

    test('starts, with a clean stop instead of a kill', async () => {
      const ids = await createMany(published)
      const answers = await crashAmid(ids.map((id) => ask('POST', `/containers/${id}/start`)), 'SIGTERM') // biome-ignore format: one line
      await assertStatuses(ids, answers.map((status) => (status === 204 ? status : 0)), /running/, /created/) // biome-ignore format: one line
      await removeAll()
    })

    test('creates, with volumes to fill', async () => {
      const body = { Image: 'busybox', Volumes: { '/bin': {} } }
      const work = Array.from({ length: many }, () => ask('POST', '/containers/create', body))
      const answers = await crashAmid(work)
      const { body: found } = await daemon.api<Created[]>('GET', '/containers/json?all=1')
      assert.ok(found.length >= answers.filter((status) => status === 201).length)
      await assertExplained(daemon)
      const volumes = await daemon.api<{ Volumes: { Name: string }[] }>('GET', '/volumes')
      assert.equal(volumes.body.Volumes.length, found.length)
      await removeAll()
      assert.equal((await daemon.api<{ Volumes: unknown[] }>('GET', '/volumes')).body.Volumes.length, 0)
    })

    test('forced removals of running containers', async () => {
      const ids = await createMany(published)
      await Promise.all(ids.map(start))
      const answers = await crashAmid(ids.map((id) => ask('DELETE', `/containers/${id}?force=1`)))
      await assertStatuses(ids, answers, /gone/, /running|exited/)
      await removeAll()
    })

    test('stops and restarts', async () => {
      const ids = await createMany({ Cmd: ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.01; done'] })
      await Promise.all(ids.map(start))
      const verb = (index: number) => (index % 2 === 0 ? 'stop' : 'restart')
      const work = ids.map((id, index) => ask('POST', `/containers/${id}/${verb(index)}?t=2`))
      const answers = await crashAmid(work)
      const even = <T>(all: readonly T[]) => all.filter((_, index) => index % 2 === 0)
      await assertStatuses(even(ids), even(answers), /exited/, /running/)
      await assertExplained(daemon)
      await Promise.all(ids.map(start))
      await removeAll()
    })

    test('runs of containers with --rm', async () => {
      const body = { Cmd: ['sh', '-c', 'sleep 0.1; exit 3'], HostConfig: { AutoRemove: true } }
      const run = async () => {
        const { body: made } = await daemon.api<Created>('POST', '/containers/create', { Image: 'busybox', ...body })
        return daemon.api('POST', `/containers/${made.Id}/start`).then(({ status }) => status)
      }
      await crashAmid(Array.from({ length: many }, () => run().catch(() => 0)))
      const left = async () => (await daemon.api<{ State: string }[]>('GET', '/containers/json?all=1')).body
      // A container whose start had not begun is removed only by its user.
      await until(async () => (await left()).every(({ State }) => State === 'created'), { what: 'the removals' })
      await removeAll()
    })

    test('execs: their container keeps running, and new execs work', async () => {
      const id = await create()
      await start(id)
      const run = (flags: readonly string[]) =>
        daemon.spawnDocker(['exec', ...flags, id, 'sh', '-c', 'sleep 0.2; echo said; sleep 1000'], {
          timeoutMs: 30_000,
        })
      const execs = Array.from({ length: 8 }, (_, index) => run([[], ['-d'], ['-i']][index % 3] ?? []))
      await sleep(Math.random() * 500)
      await daemon.kill9()
      await Promise.all(execs.map(({ ended }) => ended))
      await daemon.start()
      assert.equal(await statusOf(id), 'running')
      await assertExplained(daemon)
      assert.equal(await daemon.ok(['exec', id, 'echo', 'again'], { timeoutMs: 30_000 }), 'again')
      await removeAll()
    })
  })

  test(`round ${round}: a second crash during the start`, async () => {
    const ids = await createMany({ ...published, HostConfig: { ...published.HostConfig, RestartPolicy: { Name: 'always' } } }) // biome-ignore format: one line
    await Promise.all(ids.slice(0, 10).map(start))
    const { body: pids } = await daemon.api<{ State: { Pid: number } }>('GET', `/containers/${ids[0]}/json`)
    const starts = ids.slice(10).map((id) => ask('POST', `/containers/${id}/start`))
    await sleep(Math.random() * 100)
    await daemon.kill9()
    await Promise.all(starts)
    for (let times = 0; times < 3; times += 1) await daemon.startAndKill(Math.random() * 500)
    await daemon.start()
    for (const id of ids.slice(0, 10)) assert.equal(await statusOf(id), 'running')
    const { body } = await daemon.api<{ State: { Pid: number } }>('GET', `/containers/${ids[0]}/json`)
    assert.equal(body.State.Pid, pids.State.Pid)
    await assertExplained(daemon)
    await removeAll()
  })

  test(`round ${round}: a crash in the middle of everything`, async () => {
    const end = Date.now() + 600 + Math.random() * 600
    const verbs = [
      (id: string) => ask('POST', `/containers/${id}/start`),
      (id: string) => ask('POST', `/containers/${id}/stop?t=0`),
      (id: string) => ask('POST', `/containers/${id}/restart?t=0`),
      (id: string) => ask('POST', `/containers/${id}/kill`),
      (id: string) => ask('POST', `/containers/${id}/rename?name=n${Math.floor(Math.random() * 1e9)}`),
      (id: string) => ask('DELETE', `/containers/${id}?force=1&v=1`),
    ]
    const kinds = [
      { ...published, HostConfig: { ...published.HostConfig, RestartPolicy: { Name: 'always' } } },
      { ...published, HostConfig: { ...published.HostConfig, RestartPolicy: { Name: 'unless-stopped' } }, Tty: true },
      { HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } },
      { HostConfig: { NetworkMode: 'host' }, Volumes: { '/etc': {} } },
      { ...published, HostConfig: { ...published.HostConfig, AutoRemove: true }, Volumes: { '/data': {} } },
      { Cmd: ['sh', '-c', 'sleep 0.02; exit 1'], HostConfig: { RestartPolicy: { Name: 'always' } }, OpenStdin: true },
    ]
    const worker = async (number: number) => {
      while (Date.now() < end) {
        const id = await create(kinds[number % kinds.length])
        for (let step = 0; step < 6; step += 1) await verbs[Math.floor(Math.random() * verbs.length)]?.(id)
      }
    }
    const workers = Array.from({ length: 8 }, (_, number) => worker(number).catch(() => {}))
    await sleep(end - Date.now() - Math.random() * 200)
    await daemon.kill9()
    await Promise.all(workers)
    await daemon.start()
    await assertExplained(daemon)
    await removeAll()
    // Containers with --rm have removed their volumes; those removed without `v` before the crash have not.
    assert.deepEqual((await daemon.api<{ Volumes: unknown[] }>('GET', '/volumes')).body.Volumes, [])
  })
}
