/** Health checks: how they run, how their results change the state, and where the state is shown. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Health {
  readonly Status: string
  readonly FailingStreak: number
  readonly Log: readonly {
    readonly Start: string
    readonly End: string
    readonly ExitCode: number
    readonly Output: string
  }[]
}

async function health(id: string): Promise<Health> {
  const { body } = await daemon.api<{ State: { Health: Health } }>('GET', `/containers/${id}/json`)
  return body.State.Health
}

function running(...options: string[]): Promise<string> {
  return daemon.ok(['run', '-d', ...options, 'busybox', 'sleep', '1000'])
}

const often = ['--health-interval', '100ms']

async function becomes(id: string, status: string): Promise<Health> {
  return await until(
    async () => {
      const now = await health(id)
      return now.Status === status && now
    },
    { what: `${id} to be ${status}` },
  )
}

async function events(id: string, name: string): Promise<string[]> {
  const range = ['--since', '0', '--until', String(Date.now() / 1000 + 0.1)]
  const filters = ['-f', `container=${id}`, '-f', `event=${name}`]
  return (await daemon.ok(['events', ...range, ...filters, '--format', '{{.Action}}']))
    .split('\n')
    .filter((line) => line !== '')
}

test('a container becomes healthy, unhealthy and healthy again in inspect, ps, filters and events', async () => {
  const id = await running('--health-cmd', 'echo checked; test ! -e /sick', ...often, '--health-retries', '2')
  assert.match((await health(id)).Status, /starting|healthy/)
  const healthy = await becomes(id, 'healthy')
  assert.equal(healthy.FailingStreak, 0)
  assert.deepEqual([healthy.Log[0]?.ExitCode, healthy.Log[0]?.Output], [0, 'checked\n'])
  const status = (): Promise<string> => daemon.ok(['ps', '--format', '{{.Status}}', '-f', `id=${id}`])
  assert.match(await status(), /^Up .* \(healthy\)$/)
  await daemon.ok(['exec', id, 'touch', '/sick'])
  const sick = await becomes(id, 'unhealthy')
  assert.ok(sick.FailingStreak >= 2)
  assert.match(await status(), /\(unhealthy\)$/)
  assert.equal(await daemon.ok(['ps', '-q', '--no-trunc', '-f', 'health=unhealthy']), id)
  assert.equal(await daemon.ok(['ps', '-q', '-f', 'health=none']), '')
  await daemon.ok(['exec', id, 'rm', '/sick'])
  await becomes(id, 'healthy')
  await until(async () => (await health(id)).Log.length === 5, { what: 'five entries' })
  assert.deepEqual(await events(id, 'health_status'), [
    'health_status: healthy',
    'health_status: unhealthy',
    'health_status: healthy',
  ])
  assert.ok(
    (await events(id, 'exec_create')).some((line) => line === 'exec_create: /bin/sh -c echo checked; test ! -e /sick'),
  )
  await daemon.ok(['stop', '-t', '0', id])
  assert.equal((await health(id)).Status, 'unhealthy')
  const checks = await events(id, 'exec_create')
  const other = await running('--health-cmd', 'true', ...often)
  await until(async () => (await health(other)).Log.length >= 3, { what: "three checks of another's" })
  assert.deepEqual(await events(id, 'exec_create'), checks)
  await daemon.ok(['rm', '-f', other])
  await daemon.ok(['rm', id])
})

test('a check that takes too long is killed with all processes that it started', async () => {
  const check = 'echo begun; sleep 987 & sleep 988'
  const id = await running('--health-cmd', check, ...often, '--health-timeout', '200ms', '--health-retries', '1')
  await becomes(id, 'unhealthy')
  // On a busy machine a check may have been killed before it printed anything.
  const entry = await until(async () => (await health(id)).Log.find(({ Output }) => Output.includes('begun')))
  assert.deepEqual([entry.ExitCode, entry.Output], [-1, 'Health check exceeded timeout (200ms): begun\n'])
  await daemon.ok(['pause', id])
  await daemon.ok(['unpause', id])
  await until(async () => !/sleep 98[78]/.test(await daemon.ok(['top', id])), {
    what: 'no check to be left',
    intervalMs: 5,
  })
  await daemon.ok(['rm', '-f', id])
  await assertExplained(daemon)
})

test('failures in the start period do not count; the start interval applies there', async () => {
  const id = await running(
    ...['--health-cmd', 'test -e /ready', '--health-interval', '1h', '--health-retries', '1'],
    ...['--health-start-period', '1h', '--health-start-interval', '100ms'],
  )
  const waiting = await until(async () => {
    const now = await health(id)
    return now.Log.length >= 2 && now
  })
  assert.deepEqual([waiting.Status, waiting.FailingStreak], ['starting', 0])
  assert.match(await daemon.ok(['ps', '--format', '{{.Status}}', '-f', `id=${id}`]), /\(health: starting\)$/)
  await daemon.ok(['exec', id, 'touch', '/ready'])
  await becomes(id, 'healthy')
  await daemon.ok(['rm', '-f', id])
})

test("options override single fields of the image's health check; --no-healthcheck turns it off", async () => {
  const archive = join(daemon.root, 'checked.tar')
  const Healthcheck = { Test: ['CMD', 'echo', 'by the image'], Interval: 100_000_000, Retries: 7 }
  await writeBusyboxArchive({ path: archive, reference: 'checked:1', config: { Cmd: ['sleep', '1000'], Healthcheck } })
  await daemon.ok(['load', '-q', '-i', archive])
  const id = await daemon.ok(['run', '-d', '--health-retries', '2', 'checked:1'])
  assert.equal((await becomes(id, 'healthy')).Log[0]?.Output, 'by the image\n')
  const config = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .Config.Healthcheck}}', id])) as object
  assert.deepEqual(config, { ...Healthcheck, Retries: 2 })
  await daemon.ok(['rm', '-f', id])
  const none = await daemon.ok(['run', '-d', '--no-healthcheck', 'checked:1'])
  assert.equal(await daemon.ok(['inspect', '-f', '{{json .State.Health}}', none]), 'null')
  await daemon.ok(['rm', '-f', none])
})

test('long output is truncated; a missing program is a failure', async () => {
  const long = await running('--health-cmd', 'yes | head -c 100000', ...often)
  const [entry] = (await becomes(long, 'healthy')).Log
  assert.equal(entry?.Output.length, 4099)
  assert.ok(entry?.Output.endsWith('...'))
  await daemon.ok(['rm', '-f', long])
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    Healthcheck: { Test: ['CMD', '/no/such/program'], Interval: 100_000_000, Retries: 1 },
  })
  await daemon.ok(['start', body.Id])
  const sick = await becomes(body.Id, 'unhealthy')
  assert.notEqual(sick.Log[0]?.ExitCode, 0)
  assert.match(sick.Log[0]?.Output ?? '', /no such/i)
  await daemon.ok(['rm', '-f', body.Id])
})

test('invalid times and counts are refused', async () => {
  const { code, stderr } = await daemon.docker([
    'create',
    '--health-cmd',
    'true',
    '--health-interval',
    '1us',
    'busybox',
  ])
  assert.equal(code, 1)
  assert.match(stderr, /Interval in Healthcheck cannot be less than 1ms/)
})

test('checks stop while the container is paused, continue afterwards, and continue after a restart of the daemon', async () => {
  const id = await running('--health-cmd', 'true', ...often)
  await becomes(id, 'healthy')
  await daemon.ok(['pause', id])
  assert.match(await daemon.ok(['ps', '--format', '{{.Status}}', '-f', `id=${id}`]), /\(Paused\)$/)
  const before = await health(id)
  assert.equal(before.Status, 'unhealthy')
  await daemon.ok(['unpause', id])
  await becomes(id, 'healthy')
  for (const again of [() => daemon.restart(), () => daemon.kill9().then(() => daemon.start())]) {
    await again()
    const { Log, Status } = await health(id)
    assert.equal(Status, 'healthy')
    const last = Log.at(-1)?.Start
    await until(async () => (await health(id)).Log.at(-1)?.Start !== last, { what: 'one more check' })
  }
  await daemon.ok(['rm', '-f', id])
  await assertExplained(daemon)
})
