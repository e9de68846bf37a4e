/** Many verbs on one container at once: each gets an answer with an allowed status, and nothing unexplained is left. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

async function create(body: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const request = { Image: 'busybox', Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL', ...body }
  const made = await daemon.api<{ Id: string }>('POST', '/containers/create', request)
  assert.equal(made.status, 201, made.text)
  return made.body.Id
}

async function statusOf(id: string): Promise<string | undefined> {
  const { status, body } = await daemon.api<{ State: { Status: string } }>('GET', `/containers/${id}/json`)
  return status === 404 ? undefined : body.State.Status
}

/** Sends all requests at the same time; each must be answered with one of `allowed`. */
async function volley(requests: readonly (readonly [method: string, path: string])[], allowed: readonly number[]) {
  const answers = await Promise.all(
    requests.map(async ([method, path]) => ({ path, ...(await daemon.api(method, path)) })),
  )
  for (const { path, status, text } of answers) assert.ok(allowed.includes(status), `${path}: ${status} ${text}`)
  return answers.map(({ status }) => status)
}

test('twenty starts of one container start it once', async () => {
  const id = await create()
  const statuses = await volley(
    Array.from({ length: 20 }, () => ['POST', `/containers/${id}/start`] as const),
    [204, 304],
  )
  assert.equal(statuses.filter((status) => status === 204).length, 1)
  assert.equal(await statusOf(id), 'running')
  await volley(
    Array.from({ length: 20 }, () => ['POST', `/containers/${id}/stop`] as const),
    [204, 304],
  )
  assert.equal(await statusOf(id), 'exited')
  await volley(
    Array.from({ length: 10 }, () => ['DELETE', `/containers/${id}?force=1`] as const),
    [204, 404, 409],
  )
  assert.equal(await statusOf(id), undefined)
})

test('start, stop, kill, restart, exec and inspect work in any order', async () => {
  const ids = await Promise.all([create(), create({ HostConfig: { NetworkMode: 'none' } }), create()])
  const verbs = ['start', 'stop', 'kill', 'restart', 'start', 'stop?t=0', 'restart?t=0', 'kill']
  for (let round = 0; round < 5; round += 1) {
    const requests = ids.flatMap((id) => [
      ...verbs.map((verb) => ['POST', `/containers/${id}/${verb}`] as const),
      ['GET', `/containers/${id}/json`] as const,
      ['GET', `/containers/${id}/top`] as const,
    ])
    await volley(requests, [200, 204, 304, 409])
  }
  for (const id of ids) assert.ok(['running', 'exited'].includes((await statusOf(id)) ?? ''))
  await volley(
    ids.map((id) => ['DELETE', `/containers/${id}?force=1`] as const),
    [204],
  )
})

test('removal during start leaves either nothing or a whole container', async () => {
  for (let round = 0; round < 5; round += 1) {
    const ids = await Promise.all(Array.from({ length: 4 }, () => create()))
    const starts = ids.map((id) => ['POST', `/containers/${id}/start`] as const)
    const removals = ids.map((id) => ['DELETE', `/containers/${id}?force=1`] as const)
    await volley([...starts, ...removals], [204, 304, 404, 409])
    for (const id of ids) {
      if ((await statusOf(id)) !== undefined) await volley([['DELETE', `/containers/${id}?force=1`]], [204])
    }
  }
})

test('a change of the record during the start is kept', async () => {
  const inspect = async (id: string) =>
    (await daemon.api<{ Name: string; HostConfig: { Links: unknown } }>('GET', `/containers/${id}/json`)).body
  for (let round = 0; round < 8; round += 1) {
    const linked = await create()
    await volley([['POST', `/containers/${linked}/start`]], [204])
    const id = await create({ HostConfig: { Links: [`${linked}:other`] } })
    const requests = [
      ['POST', `/containers/${id}/start`],
      ['POST', `/containers/${id}/rename?name=renamed${round}`],
      ['DELETE', `/containers/${linked}?force=1`],
    ] as const
    const [started] = await volley(requests, [204, 404])
    assert.equal((await inspect(id)).Name, `/renamed${round}`)
    assert.equal((await inspect(id)).HostConfig.Links, null)
    assert.equal(await statusOf(id), started === 204 ? 'running' : 'created')
    await volley([['DELETE', `/containers/renamed${round}?force=1`]], [204])
  }
})

test('auto-remove, kill and remove do not disturb each other', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => create({ HostConfig: { AutoRemove: true } })))
  await volley(
    ids.map((id) => ['POST', `/containers/${id}/start`] as const),
    [204],
  )
  const kills = ids.map((id) => ['POST', `/containers/${id}/kill`] as const)
  const removals = ids.map((id) => ['DELETE', `/containers/${id}?force=1`] as const)
  await volley([...kills, ...removals], [204, 404, 409])
  for (const id of ids) await until(async () => (await statusOf(id)) === undefined, { what: `${id} to go` })
})

test('all execs of a killed container end', async () => {
  const id = await create({ HostConfig: { NetworkMode: 'none' } })
  await volley([['POST', `/containers/${id}/start`]], [204])
  const execs = Array.from({ length: 6 }, () => daemon.docker(['exec', id, 'sleep', '1000']))
  await until(async () => (await daemon.ok(['top', id])).split('sleep').length > 6, { what: 'execs to run' })
  await volley([['POST', `/containers/${id}/kill`]], [204])
  for (const { code } of await Promise.all(execs)) assert.notEqual(code, 0)
  await volley([['DELETE', `/containers/${id}`]], [204])
})

test('two concurrent creates with one name make one container', async () => {
  const body = { Image: 'busybox', Cmd: ['true'] }
  const made = await Promise.all(
    Array.from({ length: 8 }, () => daemon.api('POST', '/containers/create?name=only-one', body)),
  )
  assert.deepEqual(made.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409, 409, 409])
  await daemon.ok(['rm', 'only-one'])
})

test('nothing is left that belongs to no container', async () => {
  await assertExplained(daemon)
})
