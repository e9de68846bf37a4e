/** `POST /build` from third-party clients: dockerode and docker-py, with all their parameters. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Docker from 'dockerode'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let docker: Docker
before(async () => {
  daemon = await TestDaemon.start()
  docker = new Docker({ socketPath: daemon.socket })
  await daemon.loadBusybox()
})
after(() => daemon[Symbol.asyncDispose]())

interface Message {
  readonly stream?: string
  readonly aux?: { readonly ID?: string }
  readonly error?: string
}

async function build(context: TestContext, src: readonly string[], options: object): Promise<readonly Message[]> {
  const stream = await docker.buildImage({ context: context.path, src: [...src] }, options)
  return await new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, output: Message[]) =>
      error === null ? resolve(output) : reject(error),
    )
  })
}

test('dockerode: names, arguments, labels, targets, hosts, limits', async () => {
  using context = new TestContext({
    Other: `FROM busybox AS one
ARG WORD
RUN echo "$WORD" >/word; grep -c 10.1.2.3 /etc/hosts >>/word; ulimit -n >>/word
COPY a /a
FROM one
RUN false
`,
    a: 'A',
  })
  const messages = await build(context, ['Other', 'a'], {
    dockerfile: 'Other',
    t: ['rode:1', 'rode:2'],
    buildargs: { WORD: 'hello' },
    labels: { l: 'v' },
    target: 'one',
    extrahosts: ['there:10.1.2.3'],
    networkmode: 'none',
    // The client only passes lists of objects on as strings.
    ulimits: JSON.stringify([{ Name: 'nofile', Soft: 77, Hard: 77 }]),
    memory: 64 * 1024 * 1024,
    memswap: -1,
    cpushares: 512,
    cpusetcpus: '0',
    shmsize: 8 * 1024 * 1024,
    platform: 'linux',
    cachefrom: ['rode:0'],
    nocache: true,
    pull: false,
    rm: true,
    forcerm: true,
    q: false,
  })
  const id = messages.find(({ aux }) => aux?.ID !== undefined)?.aux?.ID
  for (const name of ['rode:1', 'rode:2']) {
    const { Id, Config } = await docker.getImage(name).inspect()
    assert.deepEqual([Id, Config.Labels], [id, { l: 'v' }])
  }
  assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'rode:1', 'cat', '/word', '/a']), 'hello\n1\n77\nA')
})

test('dockerode: builds an archive from a stream, and gets the error of a failing build', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN exit 3\n' })
  const failed = await build(context, ['Dockerfile'], { networkmode: 'none' })
  assert.match(failed.at(-1)?.error ?? '', /returned a non-zero code: 3/)
  const archive = context.beside('context.tar')
  context.put('Dockerfile', 'FROM busybox\nCMD ["x"]\n')
  await runOrThrow('tar', ['-C', context.path, '-cf', archive, '.'])
  const stream = await docker.buildImage(archive, { t: 'rode:tar' })
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve))
  assert.deepEqual((await docker.getImage('rode:tar').inspect()).Config.Cmd, ['x'])
})

test('an invalid request is refused before anything is built', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN false\n' })
  const refusals: readonly (readonly [object, RegExp])[] = [
    [{ t: 'BAD' }, /must be lowercase/],
    [{ version: '3' }, /invalid version "3"/],
    [{ labels: '{"a":1}' }, /error reading labels: the value of a is no string/],
    [{ ulimits: '{}' }, /error reading ulimits/],
    [{ ulimits: '[{"Name":"foo","Soft":1,"Hard":1}]' }, /invalid ulimit type: foo/],
    [{ memory: 1 }, /Minimum memory limit allowed is 6MB/],
    [{ cpusetcpus: '999' }, /Requested CPUs are not available/],
    [{ cpuperiod: 1 }, /CPU cfs period can not be less than 1ms/],
    [{ shmsize: -1 }, /SHM size can not be less than 0/],
    [{ securityopt: 'label=disable' }, /does not support setting security options on build/],
    [{ target: 'zzz' }, /target stage "zzz" could not be found/],
    [{ isolation: 'hyperv' }, /invalid isolation: hyperv/],
  ]
  for (const [options, expected] of refusals) {
    await assert.rejects(build(context, ['Dockerfile'], options), (error: Error & { readonly statusCode?: number }) => {
      assert.equal(error.statusCode, 400, JSON.stringify(options))
      assert.match(error.message, expected)
      return true
    })
  }
})

test("networkmode: a step shares a container's network; impossible modes are refused", async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN ip addr >/seen; cat /etc/hostname >>/seen\n' })
  const start = [
    'run',
    '-d',
    '--name',
    'donor',
    '--hostname',
    'donor-host',
    '--network',
    'none',
    '--cap-add',
    'NET_ADMIN',
  ]
  await daemon.ok([...start, 'busybox', 'sleep', '1000'])
  await daemon.ok(['exec', 'donor', 'ip', 'addr', 'add', '10.9.8.7/32', 'dev', 'lo'])
  await build(context, ['Dockerfile'], { networkmode: 'container:donor', t: 'joined:1' })
  const shown = await daemon.ok(['run', '--rm', '--network', 'none', 'joined:1', 'cat', '/seen'])
  assert.match(shown, /10\.9\.8\.7\/32[\s\S]*donor-host/)
  await daemon.ok(['rm', '-f', 'donor'])
  const failed = await build(context, ['Dockerfile'], { networkmode: 'container:donor', nocache: true })
  assert.match(failed.at(-1)?.error ?? '', /No such container: donor/)
})

test("the classic stream's ids are images: they run, appear in the history, and are removed with the image", async () => {
  using context = new TestContext({
    Dockerfile: 'FROM busybox\nRUN echo one >/one\nLABEL steps=yes\nRUN echo two >/two\nCMD ["cat","/one"]\n',
  })
  const messages = await build(context, ['Dockerfile'], { t: 'steps:1', networkmode: 'none' })
  const told = messages.map(({ stream = '' }) => / ---> ([0-9a-f]{12})\n/.exec(stream)?.[1])
  const [base = '', first = '', label = '', second = '', last = ''] = told.filter((id) => id !== undefined)
  const run = (image: string, ...command: readonly string[]) =>
    daemon.ok(['run', '--rm', '--network', 'none', image, ...command])
  assert.equal(await run(first, 'cat', '/one'), 'one')
  await assert.rejects(run(first, 'cat', '/two'), /can't open '\/two'/)
  const history = await daemon.ok(['history', '--format', '{{.ID}}', 'steps:1'])
  assert.deepEqual(history.split('\n'), [last, second, label, first, base])
  assert.equal(
    await daemon.ok(['inspect', '-f', '{{.Parent}}', 'steps:1']),
    await daemon.ok(['inspect', '-f', '{{.Id}}', second]),
  )
  const ids = async (...args: readonly string[]) => (await daemon.ok(['images', '-q', ...args])).split('\n')
  assert.ok(!(await ids()).includes(first))
  const all = await ids('-a')
  for (const id of [first, label, second, last]) assert.ok(all.includes(id), id)
  assert.match(await daemon.ok(['rmi', 'steps:1']), new RegExp(`Deleted: sha256:${first}`))
  await build(context, ['Dockerfile'], { t: 'steps:1', networkmode: 'none' })
  context.put('Dockerfile', 'FROM busybox\nRUN echo one >/one\nRUN exit 1\n')
  await build(context, ['Dockerfile'], { networkmode: 'none' })
  await daemon.ok(['rmi', 'steps:1'])
  await daemon.ok(['image', 'prune', '-f'])
  assert.deepEqual(
    (await ids('-a')).filter((id) => [first, label, second, last].includes(id)),
    [],
  )
})

test('docker-py builds with every parameter that it has', async () => {
  const script = join(import.meta.dirname, '../../fixtures/docker_py_build.py')
  const scratch = join(daemon.root, 'contexts')
  mkdirSync(scratch)
  const { code, stdout, stderr } = await runCommand('python3', [script, daemon.host, scratch], { timeoutMs: 120_000 })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^\d+ checks$/m)
})
