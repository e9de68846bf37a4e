/** attach and exec as programs use them: many at once, in any order, and with wrong requests. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import Docker from 'dockerode'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let docker: Docker

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  docker = new Docker({ socketPath: daemon.socket })
})
after(() => daemon?.[Symbol.asyncDispose]())

function run(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '-d', '--network', 'none', ...options, 'busybox', 'sh', '-c', script])
}

/** The whole output of a stream with frames, both streams as one text. */
function textOf(stream: NodeJS.ReadWriteStream): Promise<string> {
  const out = new PassThrough()
  docker.modem.demuxStream(stream, out, out)
  return new Promise((resolve) => {
    let text = ''
    out.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    ;(stream as unknown as Readable).on('close', () => out.end())
    out.on('end', () => resolve(text))
  })
}

test('attach with logs and stream: each client gets everything once, whenever it connects', async () => {
  const id = await run([], 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; sleep 0.3; echo end')
  const container = docker.getContainer(id)
  const expected = `${Array.from({ length: 3000 }, (_, index) => index + 1).join('\n')}\nend\n`
  const clients = Array.from({ length: 5 }, async () => {
    const stream = await container.attach({ logs: true, stream: true, stdout: true, stderr: true })
    return textOf(stream)
  })
  for (const text of await Promise.all(clients)) assert.equal(text, expected)
  // A client that attaches too late gets the output from the log alone.
  const late = await container.attach({ logs: true, stream: false, stdout: true, stderr: true })
  assert.equal(await textOf(late), expected)
  await daemon.ok(['rm', id])
})

test("several clients with stdin: the container reads from all of them; one can leave without ending the others' input", async () => {
  const id = await run(['-i'], 'while read line; do echo "got $line"; [ "$line" = last ] && exit 0; done; echo eof')
  const clients = [0, 1, 2].map(() => daemon.spawnDocker(['attach', id]))
  for (const [index, client] of clients.entries()) {
    await until(
      async () => {
        client.write(`hello ${index}\n`)
        return client.stdout.includes(`got hello ${index}`)
      },
      { intervalMs: 100, what: `client ${index} to be heard` },
    )
  }
  const [first, second, third] = clients
  first?.kill('SIGKILL')
  await first?.ended
  second?.write('last\n')
  assert.equal((await second?.ended)?.code, 0)
  assert.match((await third?.ended)?.stdout ?? '', /got last\n$/)
  await daemon.ok(['rm', id])
})

test('detach keys of the client configuration', async () => {
  const config = join(daemon.root, 'config')
  mkdirSync(config)
  writeFileSync(join(config, 'config.json'), JSON.stringify({ detachKeys: 'ctrl-e,e' }))
  const client = daemon.terminal([
    '--config',
    config,
    'run',
    '-it',
    '--name',
    'cfg',
    '--network',
    'none',
    'busybox',
    'sh',
  ])
  await client.sees('/ #')
  client.write('\x05e')
  assert.equal((await client.ended).code, 0)
  assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Running}}', 'cfg']), 'true')
  const exec = daemon.terminal(['--config', config, 'exec', '-it', 'cfg', 'sh'])
  await exec.sees('/ #')
  exec.write('\x05e')
  await exec.ended
  assert.match(await daemon.ok(['top', 'cfg']), /sh[\s\S]*sh/)
  await daemon.ok(['rm', '-f', 'cfg'])
})

test('50 execs at once: each has its own output and exit code, ids are listed while they run, nothing is left', async () => {
  const id = await run([], 'sleep 1000')
  const container = docker.getContainer(id)
  const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length
  const runOne = async (index: number): Promise<[string, number | null]> => {
    const exec = await container.exec({
      Cmd: ['sh', '-c', `read go; echo out ${index}; echo err ${index} >&2; exit ${index}`],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    })
    const stream = await exec.start({ hijack: true, stdin: true })
    const text = textOf(stream)
    waiting.push(stream)
    const lines = (await text).trim().split('\n').toSorted()
    return [lines.join(' '), (await exec.inspect()).ExitCode]
  }
  const waiting: NodeJS.ReadWriteStream[] = []
  await daemon.ok(['exec', id, 'true'])
  const before = descriptors()
  const all = Promise.all(Array.from({ length: 50 }, (_, index) => runOne(index)))
  await until(() => waiting.length === 50, { timeoutMs: 30_000, what: 'all to be started' })
  await until(async () => (await container.inspect()).ExecIDs?.length === 50, { what: '50 ids' })
  for (const stream of waiting) stream.end('go\n')
  assert.deepEqual(
    await all,
    Array.from({ length: 50 }, (_, index) => [`err ${index} out ${index}`, index]),
  )
  assert.equal((await container.inspect()).ExecIDs, null)
  await until(() => descriptors() <= before + 2, { what: () => `descriptors: ${before} before, ${descriptors()} now` })
  await until(async () => (await container.top()).Processes?.length === 1, { what: 'only the first process' })
  await daemon.ok(['rm', '-f', id])
})

test('exec applies user, environment, directory and privileges', async () => {
  const id = await run(['-e', 'KEPT=1'], 'sleep 1000')
  const inside = (options: readonly string[], script: string) => daemon.ok(['exec', ...options, id, 'sh', '-c', script])
  assert.equal(await inside(['-u', 'app'], 'id -u; id -g; echo $HOME'), '1000\n1000\n/home/app')
  assert.equal(await inside(['-u', '7:8'], 'id -u; id -g'), '7\n8')
  assert.equal(await inside(['-e', 'A=b c', '-w', '/tmp'], 'echo $KEPT $A; pwd'), '1 b c\n/tmp')
  const capabilities = (options: readonly string[]) => inside(options, 'grep CapEff /proc/self/status')
  const [plain, privileged] = [await capabilities([]), await capabilities(['--privileged'])]
  const all = await daemon.inside(['--privileged', '--network', 'none'], 'grep CapEff /proc/self/status')
  assert.notEqual(plain, privileged)
  assert.equal(privileged, all)
  await daemon.ok(['rm', '-f', id])
})

test('exec: wrong requests are refused, and commands that cannot run are reported', async () => {
  const id = await run([], 'sleep 1000')
  const failed = async (args: readonly string[], code: number, message: RegExp) => {
    const result = await daemon.docker(['exec', ...args])
    assert.equal(result.code, code, result.stderr)
    assert.match(result.stdout + result.stderr, message)
  }
  await failed([id, 'no-such-program'], 127, /exec: "no-such-program": executable file not found in \$PATH/)
  await failed([id, '/etc/not-executable'], 126, /exec: "\/etc\/not-executable": permission denied/)
  await failed(
    ['-u', 'nobody-here', id, 'true'],
    126,
    /unable to find user nobody-here: no matching entries in passwd file/,
  )
  await failed(['-w', '/no/such', id, 'true'], 127, /no such file or directory/)
  await daemon.ok(['pause', id])
  await failed([id, 'true'], 1, new RegExp(`[Cc]ontainer ${id} is paused, unpause the container before exec`))
  await daemon.ok(['unpause', id])
  const unstarted = await docker.getContainer(id).exec({ Cmd: ['true'] })
  await daemon.ok(['kill', id])
  await failed([id, 'true'], 1, new RegExp(`container ${id} is not running`))
  await assert.rejects(unstarted.start({}), /No such exec instance/)
  await failed(['no-such', 'true'], 1, /No such container: no-such/)
  await daemon.ok(['rm', id])
})

test('exec: a second start reports the error in its stream; detached it is a conflict', async () => {
  const id = await run([], 'exec sleep 100')
  const wait = ['sh', '-c', 'until test -e /end; do sleep 0.05; done']
  const { id: Id } = await docker.getContainer(id).exec({ AttachStdout: true, Cmd: wait })
  const path = `/exec/${Id}/start`
  const first = docker.getExec(Id).start({})
  await until(async () => (await docker.getExec(Id).inspect()).Running)
  const again = await daemon.api('POST', path, { Detach: false })
  assert.equal(again.status, 200)
  assert.equal(again.text.slice(8), `Error: Exec command ${Id} is already running\r\n`)
  const detached = await daemon.api<{ message: string }>('POST', path, { Detach: true })
  assert.deepEqual([detached.status, detached.body.message], [409, `Error: Exec command ${Id} is already running`])
  await daemon.ok(['exec', id, 'touch', '/end'])
  await first
  await daemon.ok(['rm', '-f', id])
})

test('exec: a size that arrives before the start applies at the start', async () => {
  const id = await run([], 'sleep 1000')
  const exec = await docker.getContainer(id).exec({
    Cmd: ['sh', '-c', 'while [ "$(stty size)" != "33 77" ]; do sleep 0.05; done; echo sized'],
    AttachStdout: true,
    Tty: true,
  })
  const resized = exec.resize({ h: 33, w: 77 })
  const stream = await exec.start({ hijack: true, Tty: true })
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await resized
  await until(() => text.includes('sized'))
  await daemon.ok(['rm', '-f', id])
})

test("exec: one that is created but not started leaves nothing behind, even after a crash or the container's end", async () => {
  const id = await run([], 'sleep 1000')
  const create = () => docker.getContainer(id).exec({ Cmd: ['touch', '/ran'], AttachStdout: true })
  await create()
  await until(() => processesWith(id, '--process').length === 0, { what: 'the waiting runtime to end' })
  const late = await create()
  await until(() => processesWith(id, '--process').length === 0)
  const stream = await late.start({ hijack: true })
  await textOf(stream)
  assert.equal((await late.inspect()).ExitCode, 0)
  await daemon.ok(['exec', id, 'rm', '/ran'])
  await create()
  await daemon.kill9()
  await until(() => processesWith(id, '--process').length === 0, { what: 'the runtime to end with the daemon' })
  await daemon.start()
  assert.equal(await daemon.ok(['exec', id, 'ls', '/ran']).catch(() => 'no such file'), 'no such file')
  await create()
  await daemon.ok(['rm', '-f', id])
  assert.deepEqual(processesWith(id, '--process'), [])
})

for (const leaves of ['by the detach keys', 'killed'] as const) {
  test(`exec -t: the process and its terminal continue when the client leaves (${leaves})`, async () => {
    const id = await run([], 'sleep 1000')
    const ticks = 'trap "echo >/hup" HUP; i=0; while :; do i=$((i+1)); echo tick $i; echo $i >/tick; sleep 0.05; done'
    const client = daemon.terminal(['exec', '-it', id, 'sh', '-c', ticks])
    await client.sees('tick 2')
    if (leaves === 'killed') client.kill('SIGKILL')
    else client.write('\x10\x11')
    await client.ended
    const seen = async () => Number(await daemon.ok(['exec', id, 'cat', '/tick']))
    const left = await seen()
    await until(async () => (await seen()) > left + 10)
    assert.equal(await daemon.ok(['exec', id, 'ls', '/']).then((text) => text.includes('hup')), false)
    await daemon.ok(['rm', '-f', id])
  })
}

test('exec without a terminal: the process continues when its client is killed; its input ends', async () => {
  const id = await run([], 'sleep 1000')
  const writer = daemon.spawnDocker([
    'exec',
    id,
    'sh',
    '-c',
    'while :; do echo tick; echo x >>/ticks; sleep 0.05; done',
  ])
  const reader = daemon.spawnDocker(['exec', '-i', id, 'sh', '-c', 'cat >/input; echo over >/over'])
  reader.write('hello')
  await writer.sees('tick')
  await until(async () => (await daemon.docker(['exec', id, 'cat', '/input'])).stdout === 'hello')
  for (const client of [writer, reader]) {
    client.kill('SIGKILL')
    await client.ended
  }
  const ticks = async () => (await daemon.ok(['exec', id, 'cat', '/ticks'])).length
  const left = await ticks()
  await until(async () => (await ticks()) > left + 20)
  await until(async () => (await daemon.docker(['exec', id, 'cat', '/over'])).stdout === 'over\n')
  await daemon.ok(['rm', '-f', id])
})

/** Processes of the host whose command line contains both texts. */
function processesWith(...words: readonly string[]): string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      const all = readFileSync(path, 'utf8').split('\0')
      return words.every((word) => all.includes(word))
    } catch {
      return false // the process has just ended
    }
  })
}
