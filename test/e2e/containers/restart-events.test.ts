/** Restart policies between runs and across restarts of the daemon; the events of a container's life. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function show(id: string, format: string): Promise<string> {
  return daemon.ok(['inspect', '-f', format, id])
}

const status = (id: string) => show(id, '{{.State.Status}}')

function detached(policy: string, script: string): Promise<string> {
  return daemon.ok(['run', '-d', '--restart', policy, 'busybox', 'sh', '-c', script])
}

/** A container that fails at once, between two of its runs; the pauses have grown by then. */
async function betweenRuns(): Promise<string> {
  const id = await detached('always', 'exit 7')
  await until(async () => Number(await show(id, '{{.RestartCount}}')) >= 3, { what: 'three restarts' })
  await until(async () => (await status(id)) === 'restarting', { what: 'the wait', intervalMs: 1 })
  return id
}

describe('restart policies', () => {
  test('between two runs: shown as restarting; exec and rm are refused; stop ends the restarts', async () => {
    const id = await betweenRuns()
    assert.match(await daemon.ok(['ps', '--format', '{{.Status}}', '-f', `id=${id}`]), /^Restarting \(7\) |^Up /)
    await until(async () => (await status(id)) === 'restarting', { intervalMs: 1 })
    const exec = await daemon.api<{ message: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
    assert.equal(exec.status, 409)
    assert.match(exec.body.message, /is restarting, wait until the container is running/)
    await daemon.ok(['stop', '-t', '0', id])
    assert.equal(await show(id, '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}}'), 'exited 7 false')
    await daemon.ok(['rm', id])
  })

  test('between two runs: kill and rm -f end the restarts', async () => {
    const killed = await betweenRuns()
    await daemon.docker(['kill', killed])
    await until(async () => (await status(killed)) === 'exited', { what: 'its end' })
    const removed = await betweenRuns()
    await daemon.ok(['rm', '-f', killed, removed])
    await assertExplained(daemon)
  })

  test('after a restart of the daemon: always and unless-stopped start again, except one that was stopped by hand', async () => {
    const [always, stopped, unless] = await Promise.all([
      detached('always', 'sleep 1000'),
      detached('unless-stopped', 'sleep 1000'),
      detached('unless-stopped', 'sleep 1000'),
    ])
    await daemon.ok(['stop', '-t', '0', always, stopped])
    await daemon.restart()
    await until(async () => (await status(always)) === 'running', { what: 'always to come back' })
    assert.deepEqual([await status(stopped), await status(unless)], ['exited', 'running'])
    await daemon.ok(['rm', '-f', always, stopped, unless])
  })

  test('between two runs: a crash of the daemon does not end the restarts', async () => {
    const id = await betweenRuns()
    const count = Number(await show(id, '{{.RestartCount}}'))
    await daemon.kill9()
    await daemon.start()
    await until(async () => Number(await show(id, '{{.RestartCount}}')) > count, { what: 'one more run' })
    await daemon.ok(['rm', '-f', id])
    await assertExplained(daemon)
  })
})

describe('clients of a container that a restart policy starts again', () => {
  for (const { title, args } of [
    { title: 'wait', args: ['wait'] },
    { title: 'attach', args: ['attach'] },
    { title: 'attach --no-stdin', args: ['attach', '--no-stdin'] },
  ]) {
    test(`${title} returns at the end of the run, with its exit code`, async () => {
      const id = await detached('always', 'echo ready; while [ ! -e /go ]; do sleep 0.05; done; rm /go; exit 3')
      const client = daemon.spawnDocker([...args, id], { timeoutMs: 30_000 })
      // A run that ends before the client is connected does not count for it, so every run is ended.
      await until(
        async () => {
          await daemon.docker(['exec', id, 'touch', '/go'])
          return client.hasEnded
        },
        { what: `${title} to return`, timeoutMs: 15_000, intervalMs: 300 },
      ).finally(() => client.kill('SIGKILL'))
      const { code, stdout } = await client.ended
      if (title === 'wait') assert.deepEqual([code, stdout], [0, '3\n'])
      else assert.equal(code, 3)
      assert.equal(await show(id, '{{.HostConfig.RestartPolicy.Name}}'), 'always')
      await daemon.ok(['rm', '-f', id])
    })
  }

  test('wait returns when the restarts are ended between two runs', async () => {
    const id = await betweenRuns()
    const client = daemon.spawnDocker(['wait', id], { timeoutMs: 30_000 })
    await daemon.ok(['stop', '-t', '0', id])
    assert.deepEqual((await client.ended).stdout, '7\n')
    await daemon.ok(['rm', id])
  })
})

interface Event {
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

async function eventsOf(id: string): Promise<Event[]> {
  const range = ['--since', '0', '--until', String(Date.now() / 1000 + 0.2)]
  const lines = await daemon.ok([
    'events',
    ...range,
    '-f',
    `container=${id}`,
    '-f',
    'type=container',
    '--format',
    'json',
  ])
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)
}

test("events of a container's life come in order and with their attributes", async () => {
  const id = await daemon.ok(['create', '-t', '--name', 'first', '--label', 'tier=front', 'busybox', 'sleep', '1000'])
  await daemon.ok(['start', id])
  await daemon.ok(['exec', id, 'sh', '-c', 'exit 0'])
  await daemon.ok(['pause', id])
  await daemon.ok(['unpause', id])
  await daemon.ok(['rename', 'first', 'second'])
  await daemon.ok(['update', '--pids-limit', '90', id])
  await daemon.api('POST', `/containers/${id}/resize?h=30&w=90`)
  await daemon.ok(['top', id])
  await daemon.ok(['restart', '-t', '0', id])
  await daemon.ok(['rm', '-f', id])
  const events = await eventsOf(id)
  const actions = events.map(({ Action }) => Action)
  assert.deepEqual(actions, [
    'create',
    'start',
    'exec_create: sh -c exit 0',
    'exec_start: sh -c exit 0',
    'exec_die',
    'pause',
    'unpause',
    'rename',
    'update',
    'resize',
    'top',
    'kill',
    'kill',
    'die',
    'stop',
    'start',
    'restart',
    'kill',
    'die',
    'destroy',
  ])
  const attributes = (action: string) => events.find(({ Action }) => Action === action)?.Actor.Attributes ?? {}
  assert.deepEqual(attributes('create'), { image: 'busybox', name: 'first', tier: 'front' })
  assert.deepEqual(attributes('rename'), { image: 'busybox', name: 'second', oldName: '/first', tier: 'front' })
  assert.equal(attributes('kill').signal, '15')
  assert.deepEqual([attributes('resize').height, attributes('resize').width], ['30', '90'])
  assert.equal(attributes('die').exitCode, '137')
  assert.match(attributes('die').execDuration ?? '', /^\d+$/)
  assert.equal(attributes('exec_die').exitCode, '0')
  assert.match(attributes('exec_die').execID ?? '', /^[0-9a-f]{64}$/)
})
