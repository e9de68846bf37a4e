/** The life of containers: create, start, stop, kill, restart, wait, rename, remove, restart policies. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface State {
  Status: string
  Running: boolean
  Pid: number
  ExitCode: number
  StartedAt: string
  FinishedAt: string
}

const never = '0001-01-01T00:00:00Z'

async function state(id: string): Promise<State & { RestartCount: number }> {
  const { body } = await daemon.api<{ State: State; RestartCount: number }>('GET', `/containers/${id}/json`)
  return { ...body.State, RestartCount: body.RestartCount }
}

/** A container that runs `script` until it is stopped; removed with the daemon. */
function detached(script: string, ...options: string[]): Promise<string> {
  return daemon.ok(['run', '-d', ...options, 'busybox', 'sh', '-c', script])
}

const obedient = 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done'

async function ready(id: string, text = 'ready'): Promise<void> {
  await until(async () => (await daemon.ok(['logs', id])).includes(text), { what: `${text} in the logs of ${id}` })
}

describe('states', () => {
  test('created, running, exited', async () => {
    const id = await daemon.ok(['create', 'busybox', 'sh', '-c', 'while [ ! -e /go ]; do sleep 0.02; done; exit 4'])
    const created = await state(id)
    assert.equal(created.Status, 'created')
    assert.equal(created.StartedAt, never)
    assert.equal(created.FinishedAt, never)
    assert.equal(await daemon.ok(['start', id]), id)
    const running = await state(id)
    assert.equal(running.Status, 'running')
    assert.ok(running.Pid > 1)
    assert.ok(Math.abs(Date.parse(running.StartedAt) - Date.now()) < 10_000)
    await daemon.ok(['exec', id, 'touch', '/go'])
    assert.equal(await daemon.ok(['wait', id]), '4')
    const exited = await state(id)
    assert.equal(exited.Status, 'exited')
    assert.equal(exited.ExitCode, 4)
    assert.equal(exited.Pid, 0)
    assert.ok(Date.parse(exited.FinishedAt) >= Date.parse(running.StartedAt))
    await daemon.ok(['rm', id])
  })

  test('start of a running container changes nothing', async () => {
    const id = await detached('sleep 1000')
    assert.equal((await daemon.api('POST', `/containers/${id}/start`)).status, 304)
    await daemon.ok(['rm', '-f', id])
  })

  test('start -a shows the output and returns the exit code', async () => {
    const id = await daemon.ok(['create', 'busybox', 'sh', '-c', 'echo out; exit 5'])
    const { code, stdout } = await daemon.docker(['start', '-a', id])
    assert.equal(code, 5)
    assert.equal(stdout, 'out\n')
    const again = await daemon.docker(['start', '-a', id])
    assert.deepEqual([again.code, again.stdout], [5, 'out\n'])
    await daemon.ok(['rm', id])
  })

  test('run --rm leaves nothing behind', async () => {
    await daemon.docker(['run', '--rm', '--name', 'gone', 'busybox', 'true'])
    assert.equal((await daemon.api('GET', '/containers/gone/json')).status, 404)
  })

  test('run -d --rm: the container is removed when it exits', async () => {
    const id = await detached('sleep 0.1', '--rm')
    await until(async () => (await daemon.api('GET', `/containers/${id}/json`)).status === 404, { what: 'its removal' })
  })
})

describe('stop and kill', () => {
  test('stop sends SIGTERM and waits', async () => {
    const id = await detached(obedient)
    await ready(id)
    assert.equal(await daemon.ok(['stop', id]), id)
    assert.equal((await state(id)).ExitCode, 3)
    assert.match(await daemon.ok(['logs', id]), /bye/)
    assert.equal((await daemon.api('POST', `/containers/${id}/stop`)).status, 304)
    await daemon.ok(['rm', id])
  })

  test('stop -t kills a container that ignores the signal', async () => {
    const id = await detached('trap "" TERM; echo ready; while :; do sleep 0.05; done')
    await ready(id)
    const started = Date.now()
    await daemon.ok(['stop', '-t', '1', id])
    const took = Date.now() - started
    // Without -t, stop would wait ten seconds.
    assert.ok(took >= 900 && took < 9500, `${took} ms`)
    assert.equal((await state(id)).ExitCode, 137)
    await daemon.ok(['rm', id])
  })

  test('--stop-signal and --stop-timeout', async () => {
    const script = 'trap "echo usr1; exit 9" USR1; echo ready; while :; do sleep 0.05; done'
    const id = await detached(script, '--stop-signal', 'SIGUSR1', '--stop-timeout', '20')
    await ready(id)
    await daemon.ok(['stop', id])
    assert.equal((await state(id)).ExitCode, 9)
    const deaf = await detached('trap "" TERM; echo ready; while :; do sleep 0.05; done', '--stop-timeout', '0')
    await ready(deaf)
    await daemon.ok(['stop', deaf])
    assert.equal((await state(deaf)).ExitCode, 137)
    await daemon.ok(['rm', id, deaf])
  })

  test('kill sends SIGKILL or the given signal', async () => {
    const id = await detached('trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done')
    await ready(id)
    await daemon.ok(['kill', '-s', 'HUP', id])
    await ready(id, 'hup')
    await daemon.ok(['kill', '--signal', '1', id])
    await until(async () => (await daemon.ok(['logs', id])).split('hup').length === 3, { what: 'the second HUP' })
    await daemon.ok(['kill', id])
    assert.equal(await daemon.ok(['wait', id]), '137')
    const dead = await daemon.docker(['kill', id])
    assert.equal(dead.code, 1)
    assert.match(dead.stderr, new RegExp(`[Cc]annot kill container: ${id}: container ${id} is not running`))
    await daemon.ok(['rm', id])
    const wrong = await daemon.docker(['kill', '-s', 'NOSUCH', id])
    assert.equal(wrong.code, 1)
  })

  test('the client forwards signals (--sig-proxy)', async () => {
    const client = daemon.spawnDocker(['run', '--rm', 'busybox', 'sh', '-c', obedient])
    await client.sees('ready')
    client.kill('SIGTERM')
    const { code, stdout } = await client.ended
    assert.equal(code, 3)
    assert.match(stdout, /bye/)
  })

  test('restart starts a new process', async () => {
    const id = await detached(obedient)
    await ready(id)
    const before = await state(id)
    await daemon.ok(['restart', id])
    const restarted = await state(id)
    assert.equal(restarted.Status, 'running')
    assert.notEqual(restarted.Pid, before.Pid)
    await until(async () => (await daemon.ok(['logs', id])).split('ready').length === 3, { what: 'the second ready' })
    await daemon.ok(['rm', '-f', id])
  })
})

describe('wait', () => {
  test('gives the exit code to all waiting clients, and to later ones', async () => {
    const id = await detached('sleep 0.3; exit 6')
    const codes = await Promise.all([1, 2, 3].map(() => daemon.ok(['wait', id])))
    assert.deepEqual(codes, ['6', '6', '6'])
    assert.equal(await daemon.ok(['wait', id]), '6')
    await daemon.ok(['rm', id])
  })

  test('next-exit waits for a later run, removed for the removal', async () => {
    const id = await daemon.ok(['create', 'busybox', 'sh', '-c', 'exit 8'])
    const next = daemon.api<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=next-exit`)
    const removed = daemon.api<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=removed`)
    const stopped = await daemon.api<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=not-running`)
    assert.equal(stopped.body.StatusCode, 0)
    await daemon.ok(['start', id])
    assert.equal((await next).body.StatusCode, 8)
    await daemon.ok(['rm', id])
    assert.equal((await removed).body.StatusCode, 8)
  })
})

describe('rename and remove', () => {
  test('rename changes the name everywhere', async () => {
    const id = await daemon.ok(['create', '--name', 'old', 'busybox'])
    await daemon.ok(['rename', 'old', 'new'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}} {{.Name}}', 'new']), `${id} /new`)
    assert.equal((await daemon.docker(['inspect', 'old'])).code, 1)
    await daemon.ok(['create', '--name', 'old', 'busybox'])
    const taken = await daemon.docker(['rename', 'new', 'old'])
    assert.match(taken.stderr, /already in use/)
    await daemon.ok(['rm', 'old', 'new'])
  })

  test('rm refuses a running container, rm -f removes it', async () => {
    const id = await detached('sleep 1000')
    const refused = await daemon.docker(['rm', id])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /container is running/)
    assert.equal(await daemon.ok(['rm', '-f', id]), id)
    const gone = await daemon.docker(['rm', id])
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, new RegExp(`No such container: ${id}`))
    assert.equal((await daemon.docker(['rm', '-f', id])).code, 0)
  })

  test('containers are found by name, id and unique id prefix', async () => {
    const id = await daemon.ok(['create', '--name', 'findme', 'busybox'])
    for (const key of ['findme', id, id.slice(0, 12), id.slice(0, 20)]) {
      assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', key]), id)
    }
    await daemon.ok(['rm', id.slice(0, 12)])
  })
})

describe('restart policies', () => {
  test('on-failure:2 restarts twice, then gives up', async () => {
    const id = await detached('echo run; exit 1', '--restart', 'on-failure:2')
    await until(async () => (await state(id)).Status === 'exited' && (await state(id)).RestartCount === 2, {
      what: 'two restarts',
    })
    assert.equal(await daemon.ok(['logs', id]), 'run\nrun\nrun')
    await daemon.ok(['rm', id])
  })

  test('on-failure does not restart after success', async () => {
    const id = await detached('echo run; exit 0', '--restart', 'on-failure')
    await daemon.ok(['wait', id])
    assert.equal((await state(id)).RestartCount, 0)
    await daemon.ok(['rm', id])
  })

  test('always restarts until the container is stopped', async () => {
    const id = await detached('echo run; sleep 0.05', '--restart', 'always')
    await until(async () => (await state(id)).RestartCount >= 2, { what: 'two restarts' })
    await daemon.ok(['stop', '-t', '0', id])
    const { RestartCount } = await state(id)
    assert.equal((await state(id)).Status, 'exited')
    await daemon.ok(['start', id])
    assert.ok((await state(id)).RestartCount <= RestartCount)
    await daemon.ok(['rm', '-f', id])
  })

  test('restart keeps a container with --rm and its files; its end removes it', async () => {
    const id = await detached('echo run >>/runs; cat /runs; exec sleep 1000', '--rm')
    await until(async () => (await daemon.ok(['logs', id])) === 'run', { what: 'the first run' })
    await daemon.ok(['restart', '-t', '0', id])
    await until(async () => (await daemon.ok(['logs', id])) === 'run\nrun\nrun', { what: 'the second run' })
    await daemon.ok(['kill', id])
    await until(async () => !(await daemon.ok(['ps', '-aq', '--no-trunc'])).includes(id), { what: 'its removal' })
  })

  test('--restart always with --rm is refused', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--restart', 'always', 'busybox', 'true'])
    assert.equal(code, 125)
    assert.match(stderr, /restart/i)
  })
})

describe('exec', () => {
  let id: string
  before(async () => {
    id = await detached('echo main; sleep 1000', '-e', 'FROM_RUN=1', '-w', '/tmp')
  })
  after(() => daemon.docker(['rm', '-f', id]))

  test('returns output, separate streams and exit codes', async () => {
    const { code, stdout, stderr } = await daemon.docker(['exec', id, 'sh', '-c', 'echo out; echo err >&2; exit 11'])
    assert.deepEqual([code, stdout, stderr], [11, 'out\n', 'err\n'])
  })

  test('a missing program gives 127, one that is not executable 126', async () => {
    const missing = await daemon.docker(['exec', id, 'no-such-program'])
    assert.equal(missing.code, 127)
    assert.match(missing.stdout + missing.stderr, /no-such-program/)
    assert.equal((await daemon.docker(['exec', id, '/etc/not-executable'])).code, 126)
  })

  test('sets environment, directory and user', async () => {
    const out = await daemon.ok([
      'exec',
      '-e',
      'MORE=2',
      '-w',
      '/home',
      '-u',
      'app',
      id,
      'sh',
      '-c',
      'echo "$FROM_RUN $MORE $(pwd) $(id -un)"',
    ])
    assert.equal(out, '1 2 /home app')
    assert.equal(await daemon.ok(['exec', id, 'pwd']), '/tmp')
  })

  test('-i passes standard input', async () => {
    const { stdout } = await daemon.docker(['exec', '-i', id, 'cat'], { input: 'through\n' })
    assert.equal(stdout, 'through\n')
  })

  test('-d returns at once', async () => {
    await daemon.ok(['exec', '-d', id, 'sh', '-c', 'sleep 0.1; echo done >/tmp/done'])
    await until(async () => (await daemon.docker(['exec', id, 'cat', '/tmp/done'])).stdout === 'done\n', { what: 'it' })
  })

  test('--privileged', async () => {
    const caps = await daemon.ok([
      'exec',
      '--privileged',
      id,
      'sh',
      '-c',
      "awk '/^CapEff/ {print $2}' /proc/self/status",
    ])
    assert.notEqual(BigInt(`0x${caps}`) & (1n << 21n), 0n)
  })

  test('inspect shows its state and exit code', async () => {
    const made = await daemon.api<{ Id: string }>('POST', `/containers/${id}/exec`, {
      Cmd: ['sh', '-c', 'exit 12'],
      AttachStdout: true,
    })
    assert.equal(made.status, 201)
    assert.equal((await daemon.api('POST', `/exec/${made.body.Id}/start`, { Detach: true })).status, 200)
    const inspected = await until(
      async () => {
        const { body } = await daemon.api<{ Running: boolean; ExitCode: number | null; ContainerID: string }>(
          'GET',
          `/exec/${made.body.Id}/json`,
        )
        return !body.Running && body.ExitCode !== null ? body : undefined
      },
      { what: 'the exec to end' },
    )
    assert.equal(inspected.ExitCode, 12)
    assert.equal(inspected.ContainerID, id)
  })

  test('is refused in a container that does not run', async () => {
    const stopped = await daemon.ok(['create', 'busybox'])
    const { code, stderr } = await daemon.docker(['exec', stopped, 'true'])
    assert.equal(code, 1)
    assert.match(stderr, /is not running/)
    await daemon.ok(['rm', stopped])
  })

  test('many execs run concurrently', async () => {
    const numbers = Array.from({ length: 20 }, (_, i) => String(i))
    assert.deepEqual(await Promise.all(numbers.map((n) => daemon.ok(['exec', id, 'echo', n]))), numbers)
  })
})

test('top shows the processes of a container', async () => {
  const id = await detached('sleep 4242')
  // The daemon answers a start before the program's first instruction runs.
  await until(async () => (await daemon.ok(['top', id])).includes('sleep 4242'), { what: 'the program' })
  assert.match(await daemon.ok(['top', id]), /^UID\s+PID\s+PPID/)
  const own = await daemon.ok(['top', id, '-o', 'pid,comm'])
  assert.match(own, /^PID\s+COMMAND/)
  await daemon.ok(['rm', '-f', id])
})

test('20 containers start concurrently and are removed concurrently', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => detached('sleep 1000', '--label', 'batch=1')))
  assert.equal((await daemon.ok(['ps', '-q', '--filter', 'label=batch=1'])).split('\n').length, 20)
  await daemon.ok(['rm', '-f', ...ids])
  assert.equal(await daemon.ok(['ps', '-aq', '--filter', 'label=batch=1']), '')
})
