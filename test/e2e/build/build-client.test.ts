/** `berth build` as users call it: contexts of all kinds, secrets, SSH agents, errors, progress. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { type CommandOptions, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TerminalCommand } from '../../helpers/terminal.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon[Symbol.asyncDispose]())

async function build(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await berthBuild(daemon, ['--network', 'none', '--progress', 'plain', ...args], options)).stderr
}

async function fails(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stderr } = await daemon.berth(['build', '--network', 'none', ...args], options)
  assert.equal(code, 1, stderr)
  return stderr
}

const cat = (image: string, ...paths: readonly string[]) =>
  daemon.ok(['run', '--rm', '--network', 'none', image, 'cat', ...paths])

test('a Dockerfile on stdin has no context; with -f - it has one', async () => {
  await build(['-t', 'stdin:1', '-'], { input: 'FROM busybox\nRUN echo hi > /x\n' })
  assert.equal(await cat('stdin:1', '/x'), 'hi')
  assert.match(await fails(['-'], { input: 'FROM busybox\nCOPY a /\n' }), /there is no build context/)
  using context = new TestContext({ a: 'A' })
  await build(['-t', 'stdin:2', '-f', '-', context.path], { input: 'FROM busybox\nCOPY a /\n' })
  assert.equal(await cat('stdin:2', '/a'), 'A')
})

test('an archive on stdin is the context, compressed or not', async () => {
  using context = new TestContext({
    'docker/Other': 'FROM busybox\nCOPY a /\n',
    a: 'A',
    '.dockerignore': 'b\n',
    b: 'B',
  })
  const archive = context.beside('context.tar.gz')
  await runOrThrow('tar', ['-C', context.path, '-czf', archive, '.'])
  await build(['-t', 'tar:1', '-f', 'docker/Other', '-'], { input: readFileSync(archive) })
  assert.equal(await cat('tar:1', '/a'), 'A')
})

test('a base image is a name or a whole id: a mistyped stage copies from no other image', async () => {
  // Only this machine is asked for images that are not here, and nothing answers.
  const proxy = 'http://127.0.0.1:1'
  await using daemon = await TestDaemon.start({ flags: ['--http-proxy', proxy, '--https-proxy', proxy] })
  await daemon.loadBusybox()
  const id = await daemon.ok(['image', 'inspect', '-f', '{{.Id}}', 'busybox'])
  const [, hex = ''] = id.split(':')
  const build = (from: string) =>
    daemon.berth(['build', '--network', 'none', '-'], {
      input: `FROM busybox AS builder\nFROM busybox\nCOPY --from=${from} /etc/passwd /copied\n`,
    })
  for (const from of [hex.slice(0, 1), hex.slice(0, 12)]) {
    const { code, stderr } = await build(from)
    assert.equal(code, 1, stderr)
    assert.ok(stderr.includes(`docker.io/library/${from}:latest`), stderr)
  }
  for (const from of [id, 'busybox']) {
    const { code, stderr } = await build(from)
    assert.equal(code, 0, stderr)
  }
})

test('a git repository is a context', async () => {
  using context = new TestContext({ 'sub/Dockerfile': 'FROM busybox\nCOPY a /\n', 'sub/a': 'from git' })
  const git = (...args: readonly string[]) =>
    runOrThrow('git', ['-C', context.path, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args])
  await git('init', '-q', '-b', 'main')
  await git('add', '.')
  await git('commit', '-qm', 'x')
  await runOrThrow('git', ['clone', '-q', '--bare', context.path, context.beside('repository.git')])
  const served = createStaticServer(context.root)
  await runOrThrow('git', ['-C', context.beside('repository.git'), 'update-server-info'])
  const url = `http://127.0.0.1:${await served.port}/repository.git#main:sub`
  try {
    await build(['-t', 'git:1', url])
    assert.equal(await cat('git:1', '/a'), 'from git')
  } finally {
    served.close()
  }
})

test("ignore files: the Dockerfile's own comes before the context's", async () => {
  using context = new TestContext({
    Dockerfile: 'FROM busybox\nCOPY . /c/\n',
    'Dockerfile.dockerignore': 'a\n*ockerfile*\n',
    '.dockerignore': 'b\n',
    a: 'A',
    b: 'B',
  })
  await build(['-t', 'ignore:1', context.path])
  assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'ignore:1', 'ls', '-A', '/c']), '.dockerignore\nb')
})

test('a secret is visible to the step that mounts it and leaves no trace', async () => {
  using context = new TestContext({
    Dockerfile:
      'FROM busybox\nRUN --mount=type=secret,id=one,target=/s --mount=type=secret,id=two,env=TWO wc -c < /s > /count && test ${#TWO} = 20\nRUN test ! -e /s || test ! -s /s\n',
  })
  const secret = 'a-very-secret-value-1234567890'
  writeFileSync(context.beside('one'), secret)
  const shown = await build(
    ['-t', 'secret:1', '--secret', `id=one,src=${context.beside('one')}`, '--secret', 'id=two,env=VALUE', context.path],
    {
      env: { VALUE: 'from-the-environment' },
    },
  )
  assert.equal((await cat('secret:1', '/count')).trim(), String(secret.length))
  assert.doesNotMatch(
    shown + (await daemon.ok(['history', '--no-trunc', 'secret:1'])) + daemon.log,
    /a-very-secret|from-the-environment/,
  )
  const found = await daemon
    .ok(['save', '-o', context.beside('saved.tar'), 'secret:1'])
    .then(() => readFileSync(context.beside('saved.tar')))
  assert.equal(found.includes(secret), false)
  for (const place of filesBelow(daemon.dataRoot)) assert.equal(readFileSync(place).includes(secret), false, place)
  assert.match(await fails(['--no-cache', context.path]), /exit code: 1/, 'without them')
})

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /build|content|berth\.db/.test(join(entry.parentPath, entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
}

test('the step that mounts ssh reaches the agent', async () => {
  using context = new TestContext({
    Dockerfile: 'FROM busybox\nRUN --mount=type=ssh printf ask | nc local:$SSH_AUTH_SOCK > /reply\n',
  })
  const path = context.beside('agent')
  const asked: string[] = []
  const agent = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      asked.push(data.toString())
      socket.end('told')
    })
  }).listen(path)
  await new Promise((resolve) => agent.once('listening', resolve))
  try {
    const { code, stderr } = await daemon.berth([
      'build',
      '--network',
      'none',
      '--ssh',
      `default=${path}`,
      '-t',
      'ssh:1',
      context.path,
    ])
    // Some builds of busybox lack `local:`; then the socket must at least exist.
    assert.ok(code === 0 || /nc:/.test(stderr), stderr)
    if (code === 0) assert.deepEqual([asked, await cat('ssh:1', '/reply')], [['ask'], 'told'])
  } finally {
    agent.close()
  }
})

test('errors show the lines of the Dockerfile and the log of the step', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo before it fails; exit 7\n' })
  const failed = await fails([context.path])
  assert.match(failed, / > \[2\/2\] RUN echo before it fails; exit 7:\n\S+ before it fails\n------\n/)
  assert.match(
    failed,
    /Dockerfile:2\n-{20}\n {3}1 \| {5}FROM busybox\n {3}2 \| >>> RUN echo before it fails; exit 7\n-{20}\n/,
  )
  assert.match(
    failed,
    /ERROR: failed to build: failed to solve: process "\/bin\/sh -c echo before it fails; exit 7" did not complete successfully: exit code: 7\n$/,
  )
  context.put('Dockerfile', 'FROM busybox\nCOPPY a b\n')
  const wrong = await fails([context.path])
  assert.match(wrong, /Dockerfile:2\n[\s\S]*>>> COPPY a b\n[\s\S]*unknown instruction: COPPY \(did you mean COPY\?\)/)
})

test("--progress rawjson writes BuildKit's messages, one object per line", async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo hello\n' })
  const { code, stderr } = await daemon.berth([
    'build',
    '--network',
    'none',
    '--progress',
    'rawjson',
    '--no-cache',
    context.path,
  ])
  assert.equal(code, 0, stderr)
  const objects = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const run = objects
    .flatMap(({ vertexes = [] }) => vertexes)
    .findLast(({ name }: { name: string }) => name.includes('RUN'))
  assert.match(run.digest, /^sha256:[0-9a-f]{64}$/)
  assert.ok(Date.parse(run.completed) >= Date.parse(run.started))
  const log = objects.flatMap(({ logs = [] }) => logs).find(({ vertex }: { vertex: string }) => vertex === run.digest)
  assert.equal(Buffer.from(log.data, 'base64').toString(), 'hello\n')
})

test('on a terminal the progress is redrawn in place, and Ctrl-C ends the build', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo now it waits; sleep 98713\n' })
  const terminal = new TerminalCommand([berthProgram, '-H', daemon.host, 'build', '--network', 'none', context.path])
  await until(() => terminal.stdout.includes('# now it waits'), {
    what: () => `the step's line in:\n${terminal.stdout}`,
  })
  terminal.write('\x03')
  const { code } = await terminal.ended
  assert.notEqual(code, 0)
  assert.match(terminal.stdout, /\[\+\] Building \d+\.\ds \(\d+\/\d+\)/)
  assert.match(terminal.stdout, /Canceled: context canceled|CANCELED/)
  await until(async () => !(await runOrThrow('ps', ['-eo', 'args'])).includes('sleep 98713'), {
    what: 'the step to end',
  })
})

test('only the needed files of the context are sent, and progress shows how much', async () => {
  using context = new TestContext({
    Dockerfile: 'FROM busybox\nCOPY wanted /w\n',
    'wanted/a': 'x'.repeat(3000),
    other: 'y'.repeat(100_000),
  })
  const shown = await build(['-t', 'shown:1', context.path])
  const [, amount] =
    /\[internal\] load build context\n#\d+ transferring context: ([\d.]+)kB/.exec(shown) ?? assert.fail(shown)
  assert.ok(Number(amount) < 10, shown)
  assert.doesNotMatch(await build(['-t', 'shown:1', context.path]), /transferring context: 3/)
})

test('named contexts are directories and images; hosts, limits and networks apply to the steps', async () => {
  using context = new TestContext({
    Dockerfile:
      'FROM alias AS one\nCOPY --from=extra a /a\nCOPY --from=extra . /all/\nRUN grep 1.2.3.4 /etc/hosts | cut -f2 > /host; ulimit -n > /limit\n',
  })
  using extra = new TestContext({ a: 'from the extra one', b: 'B', '.dockerignore': 'b\n' })
  const named = ['--build-context', `extra=${extra.path}`, '--build-context', 'alias=docker-image://busybox']
  await build(['-t', 'named:1', ...named, '--add-host', 'there:1.2.3.4', '--ulimit', 'nofile=77', context.path])
  assert.equal(await cat('named:1', '/a', '/host', '/limit'), 'from the extra onethere\n77')
  assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'named:1', 'ls', '-A', '/all']), '.dockerignore\na')
  assert.match(
    await fails(['--build-context', 'extra=/nonexistent/x', context.path]),
    /path "\/nonexistent\/x" not found/,
  )
})

test('--explain names the file that changed', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nCOPY src /src\nRUN true\n', 'src/a': 'A', 'src/b': 'B' })
  await build([context.path])
  context.put('src/b', 'C')
  const shown = await build(['--explain', context.path])
  assert.match(shown, /Built because not in the cache:\n COPY src \/src\n {3}- .*src\/b/)
  assert.match(await build(['--explain', context.path]), /Every step was in the cache\./)
})

test('--explain compares with the steps of a previous build, whichever client started it', async () => {
  const files = { Dockerfile: 'FROM busybox\nARG COLOUR=red\nRUN echo $COLOUR >/colour\n' }
  using first = new TestContext(files)
  using second = new TestContext(files)
  await build([first.path])
  await build([second.path])
  const shown = await build(['--explain', '--build-arg', 'COLOUR=blue', second.path])
  assert.match(shown, /RUN echo \$COLOUR >\/colour\n {3}- .*COLOUR changed from "red" to "blue"/)
})

test('builder du and prune show and remove the cache', async () => {
  assert.match(
    await daemon.berth(['builder', 'du']).then(({ stdout }) => stdout),
    /^ID +RECLAIMABLE +SIZE +LAST ACCESSED\n[\s\S]*Reclaimable: +\S+\nTotal: +\S+\n$/,
  )
  assert.match(
    await daemon.berth(['builder', 'prune', '-af']).then(({ stdout }) => stdout),
    /^Deleted build cache objects:\n[\s\S]*\nTotal reclaimed space: /,
  )
  assert.match(
    await daemon.berth(['builder', 'prune', '-af']).then(({ stdout }) => stdout),
    /^Total reclaimed space: 0B\n$/,
  )
})

/** Serves plain files, as git's old protocol requires. */
function createStaticServer(root: string): { readonly port: Promise<number>; close(): void } {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = process.getBuiltinModule('node:http').createServer((request, response) => {
    const path = join(root, new URL(request.url ?? '/', 'http://x').pathname)
    try {
      response.end(readFileSync(path))
    } catch {
      response.writeHead(404).end()
    }
  })
  server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  return {
    port: promise,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
