/** `berth build` against a fake daemon, which plays its part of the session from a script. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { type BuildAsk, type BuildEvent, type BuildRequest, buildFrame } from '../../api/index.ts'
import { packEntries } from '../../archive/index.ts'
import { FrameParser, formatFrameHead } from '../../client/transport/build-frames.ts'
import { startFakeEngine } from '../testing/fake-engine.ts'
import { givenInput, type RunOptions, runBerth } from '../testing/run-cli.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'b-build-'))
  mkdirSync(join(directory, 'context/src'), { recursive: true })
  writeFileSync(join(directory, 'context/Dockerfile'), 'FROM scratch\nCOPY src /\n')
  writeFileSync(join(directory, 'context/.dockerignore'), '**/*.log\n')
  writeFileSync(join(directory, 'context/src/a'), 'A')
  writeFileSync(join(directory, 'context/src/b'), 'BB')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** The daemon's end of a session. */
class Daemon {
  readonly #socket: Duplex
  readonly #frames: AsyncIterator<{ readonly kind: number; readonly channel: number; readonly payload: Buffer }>

  constructor(socket: Duplex) {
    this.#socket = socket
    this.#frames = framesOf(socket)
  }

  async request(): Promise<BuildRequest> {
    const { value } = await this.#frames.next()
    return JSON.parse(value.payload.toString())
  }

  tell(...messages: readonly (BuildEvent | BuildAsk)[]): void {
    for (const message of messages) this.send(buildFrame.message, 0, Buffer.from(JSON.stringify(message)))
  }

  send(kind: number, channel: number, payload: Buffer): void {
    this.#socket.write(Buffer.concat([formatFrameHead(kind, channel, payload.length), payload]))
  }

  /** The bytes of the client's next answer, and the message at its end. */
  async answer(): Promise<{ readonly bytes: string; readonly end: string }> {
    let bytes = ''
    for (;;) {
      const { value, done } = await this.#frames.next()
      if (done === true) return { bytes, end: 'lost' }
      if (value.kind === buildFrame.end) return { bytes, end: value.payload.toString() }
      bytes += value.payload.toString('latin1')
    }
  }

  close(): void {
    this.#socket.end()
  }
}

async function* framesOf(socket: Duplex) {
  const parser = new FrameParser()
  for await (const chunk of socket) yield* parser.push(chunk as Buffer)
}

interface BuildRun extends RunOptions {
  readonly args: readonly string[]
}

async function build({ args, ...options }: BuildRun, script: (daemon: Daemon, request: BuildRequest) => Promise<void>) {
  let request: BuildRequest | undefined
  await using engine = await startFakeEngine(
    {},
    {
      'POST /build/session': (_request, socket) => {
        socket.on('error', () => undefined)
        const daemon = new Daemon(socket)
        void daemon.request().then(async (received) => {
          request = received
          await script(daemon, received)
          daemon.close()
        })
      },
    },
  )
  const result = await runBerth(['-H', `unix://${engine.socketPath}`, 'build', ...args], options)
  return { ...result, request, upgrade: engine.requests.find(({ path }) => path === '/build/session')?.headers.upgrade }
}

const succeed = async (daemon: Daemon) =>
  daemon.tell({ type: 'aux', target: 0, id: 'sha256:1234', tags: ['app:1'] }, { type: 'done' })

test('build sends the request of its flags', async () => {
  const args = [
    '-t',
    'app:1',
    '--build-arg',
    'A=1',
    '--build-arg',
    'FROM_ENV',
    '--build-arg',
    'UNSET',
    '--label',
    'l=v',
  ]
  const more = [
    '--cpus',
    '1.5',
    '-m',
    '64m',
    '--shm-size',
    '1m',
    '--ulimit',
    'nofile=5:6',
    '--add-host',
    'h=1.2.3.4',
    '--no-cache',
    '--network',
    'none',
  ]
  const others = [
    '--secret',
    'id=s,env=FROM_ENV',
    '--provenance',
    'mode=max',
    '--attest',
    'type=sbom',
    '--sbom=false',
    '--platform',
    'linux/arm64',
  ]
  const { exitCode, stderr, request, upgrade } = await build(
    { args: [...args, ...more, ...others, join(directory, 'context')], environment: { FROM_ENV: 'e' } },
    succeed,
  )
  assert.equal(exitCode, 0, stderr)
  assert.equal(upgrade, 'berth-build')
  const { context, ...rest } = request ?? assert.fail('nothing was asked for')
  assert.match(JSON.stringify(context), /^\{"kind":"local","key":"[0-9a-f]{64}"\}$/)
  assert.deepEqual(rest, {
    type: 'build',
    dockerfile: 'FROM scratch\nCOPY src /\n',
    dockerfileName: 'Dockerfile',
    targets: [{ tags: ['app:1'], outputs: [] }],
    platforms: ['linux/arm64'],
    buildArgs: { A: '1', FROM_ENV: 'e' },
    labels: { l: 'v' },
    addHosts: ['h:1.2.3.4'],
    noCache: true,
    pull: false,
    network: 'none',
    shmSizeBytes: 1048576,
    ulimits: [{ Name: 'nofile', Soft: 5, Hard: 6 }],
    memoryBytes: 67108864,
    cpuPeriod: 100000,
    cpuQuota: 150000,
    squash: false,
    explain: false,
    check: false,
    allow: [],
    secrets: [{ id: 's', value: Buffer.from('e').toString('base64') }],
    ssh: [],
    cacheFrom: [],
    cacheTo: [],
    attests: [{ type: 'provenance', attrs: { mode: 'max' } }],
  })
})

test('build lists and sends files of the context on request', async () => {
  writeFileSync(join(directory, 'context/src/c.log'), 'ignored')
  const answers: string[] = []
  const { exitCode, stderr } = await build({ args: [join(directory, 'context')] }, async (daemon) => {
    daemon.tell({ type: 'walk', channel: 1, context: 'context', roots: ['src'] })
    const { bytes } = await daemon.answer()
    answers.push(
      ...bytes
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).p),
    )
    daemon.tell({ type: 'files', channel: 2, context: 'context', paths: ['src/b', 'src/a'] })
    answers.push((await daemon.answer()).bytes)
    daemon.tell({ type: 'walk', channel: 3, context: 'other', roots: ['.'] })
    answers.push((await daemon.answer()).end)
    await succeed(daemon)
  })
  assert.deepEqual(answers, [
    'src',
    'src/a',
    'src/b',
    '\0\0\0\0\0\0\0\x02BB\0\0\0\0\0\0\0\x01A',
    '{"message":"there is no build context \\"other\\" here"}',
  ])
  assert.deepEqual([exitCode, stderr], [1, 'ERROR: failed to build: there is no build context "other" here\n'])
})

test('build writes outputs, the id and the metadata', async () => {
  const at = (name: string) => join(directory, name)
  const outputs = ['-o', at('tree'), '-o', `type=oci,dest=${at('image.tar')}`, '-o', 'type=tar,dest=-']
  const files = ['--iidfile', at('iid'), '--metadata-file', at('meta.json')]
  const result = await build({ args: ['-q', ...outputs, ...files, at('context')] }, async (daemon, { targets }) => {
    assert.deepEqual(
      targets[0]?.outputs.map(({ type }) => type),
      ['local', 'oci', 'tar'],
    )
    const tar: Buffer[] = []
    for await (const part of packEntries([{ entry: { type: 'file', path: 'dir/file' }, body: Buffer.from('text') }]))
      tar.push(part)
    for (const [output, form, bytes] of [
      [0, 'tar', Buffer.concat(tar)],
      [1, 'file', Buffer.from('OCI')],
      [2, 'file', Buffer.from('TAR')],
    ] as const) {
      daemon.tell({ type: 'output', channel: output + 1, target: 0, output, form })
      daemon.send(buildFrame.bytes, output + 1, bytes)
      daemon.send(buildFrame.end, output + 1, Buffer.alloc(0))
      assert.deepEqual(await daemon.answer(), { bytes: '', end: '' })
    }
    daemon.tell({ type: 'metadata', target: 0, values: { 'containerimage.digest': 'sha256:m' } })
    await succeed(daemon)
  })
  assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, 'TARsha256:1234\n', ''])
  const read = (name: string) => readFileSync(at(name), 'utf8')
  assert.deepEqual([read('tree/dir/file'), read('image.tar'), read('iid')], ['text', 'OCI', 'sha256:1234'])
  assert.deepEqual(JSON.parse(read('meta.json')), { 'containerimage.digest': 'sha256:m' })
})

test('build shows the error with its lines after the log', async () => {
  const excerpt = '--------------------\n   2 | >>> RUN false\n--------------------'
  const { exitCode, stdout, stderr } = await build({ args: [join(directory, 'context')] }, async (daemon) => {
    const vertex = { type: 'vertex', id: 'r', name: '[1/1] RUN false', started: '2026-01-02T03:04:05Z' } as const
    daemon.tell(
      vertex,
      { type: 'log', vertex: 'r', stream: 2, text: 'no such luck\n' },
      { ...vertex, completed: '2026-01-02T03:04:06Z', error: 'exit code: 1' },
      { type: 'warning', rule: 'StageNameCasing', message: 'use lower case', line: 1 },
      { type: 'error', message: 'process "false" failed', kind: 'internal', file: 'Dockerfile', line: 2, excerpt },
    )
  })
  assert.deepEqual([exitCode, stdout], [1, ''])
  assert.match(stderr, /#1 ERROR: exit code: 1\n------\n > \[1\/1\] RUN false:\n\S+ no such luck\n------\n/)
  const end = ` 1 warning found (use --check to see the lines):\n - StageNameCasing: use lower case (line 1)\nDockerfile:2\n${excerpt}\nERROR: failed to build: failed to solve: process "false" failed\n`
  assert.equal(stderr.slice(-end.length), end)
})

test('a failed build removes the id of an earlier one, and reports a lost daemon', async () => {
  const iidFile = join(directory, 'iid')
  writeFileSync(iidFile, 'old')
  const { exitCode, stderr } = await build(
    { args: ['--iidfile', iidFile, join(directory, 'context')] },
    async () => undefined,
  )
  assert.deepEqual(
    [exitCode, stderr],
    [1, 'ERROR: failed to build: the daemon closed the connection before the build was done\n'],
  )
  assert.throws(() => readFileSync(iidFile), /ENOENT/)
})

test('build sends a Dockerfile or an archive from stdin', async () => {
  const text = await build({ args: ['-'], input: givenInput('FROM scratch\n') }, succeed)
  assert.deepEqual([text.request?.context, text.request?.dockerfile], [{ kind: 'none' }, 'FROM scratch\n'])
  const archive = `${'x'.padEnd(257, '\0')}ustar\0`.padEnd(2048, '\0')
  let sent = ''
  const tar = await build({ args: ['-f', 'docker/Other', '-'], input: givenInput(archive) }, async (daemon) => {
    daemon.tell({ type: 'tar', channel: 1 })
    sent = (await daemon.answer()).bytes
    await succeed(daemon)
  })
  assert.deepEqual(
    [tar.request?.context, tar.request?.dockerfile, tar.request?.dockerfileName],
    [{ kind: 'tar' }, undefined, 'docker/Other'],
  )
  assert.equal(sent, archive)
  const both = await build({ args: ['-f', '-', '-'], input: givenInput('FROM scratch') }, succeed)
  assert.match(both.stderr, /can't use stdin for both build context and dockerfile/)
})

test('build connects a mount to an agent', async () => {
  const path = join(directory, 'agent')
  const agent = createServer((socket) => socket.on('data', (data) => socket.end(`reply to ${data}`))).listen(path)
  await new Promise((resolve) => agent.once('listening', resolve))
  try {
    let reply = ''
    await build({ args: ['--ssh', `git=${path}`, join(directory, 'context')] }, async (daemon, { ssh }) => {
      assert.deepEqual(ssh, [{ id: 'git' }])
      daemon.tell({ type: 'ssh', channel: 4, id: 'git' })
      daemon.send(buildFrame.bytes, 4, Buffer.from('question'))
      reply = (await daemon.answer()).bytes
      daemon.send(buildFrame.end, 4, Buffer.alloc(0))
      await succeed(daemon)
    })
    assert.equal(reply, 'reply to question')
  } finally {
    agent.close()
  }
})

test('build of several targets gives each its names and places', async () => {
  const args = [
    '--target',
    'a',
    '--target',
    'b',
    '-t',
    'a=x:1',
    '-t',
    'b=y:1',
    '-o',
    `type=local,dest=${directory}/out`,
    '--iidfile',
    join(directory, 'iid'),
  ]
  const { request, exitCode, stderr } = await build({ args: [...args, join(directory, 'context')] }, async (daemon) => {
    daemon.tell({ type: 'output', channel: 1, target: 1, output: 0, form: 'tar' })
    daemon.send(buildFrame.bytes, 1, Buffer.alloc(1024))
    daemon.send(buildFrame.end, 1, Buffer.alloc(0))
    await daemon.answer()
    daemon.tell(
      { type: 'aux', target: 0, id: 'sha256:a', tags: [] },
      { type: 'aux', target: 1, id: 'sha256:b', tags: [] },
      { type: 'done' },
    )
  })
  assert.equal(exitCode, 0, stderr)
  const local = { type: 'local', attrs: {} }
  assert.deepEqual(request?.targets, [
    { name: 'a', tags: ['x:1'], outputs: [local] },
    { name: 'b', tags: ['y:1'], outputs: [local] },
  ])
  assert.equal(readFileSync(join(directory, 'iid'), 'utf8'), 'sha256:a\nsha256:b')
  assert.ok(mkdirSync(join(directory, 'out/b'), { recursive: true }) === undefined, 'the place of target b')
  const plain = await build(
    { args: ['--target', 'a', '--target', 'b', '-t', 'x', join(directory, 'context')] },
    succeed,
  )
  assert.match(plain.stderr, /with several targets, each tag must name its target: -t a=x/)
})

test('build --check finds problems without a daemon', async () => {
  const file = join(directory, 'context/Dockerfile')
  const check = () => runBerth(['-H', 'unix:///nonexistent/s', 'build', '--check', join(directory, 'context')])
  assert.deepEqual(await check(), { exitCode: 0, stdout: 'Check complete, no warnings found.\n', stderr: '' })
  writeFileSync(file, 'FROM scratch AS Build\nCOPY src /\n')
  const { exitCode, stdout } = await check()
  assert.equal(exitCode, 1)
  assert.match(
    stdout,
    /^Check complete, 1 warning has been found!\n\nWARNING: StageNameCasing - https:\/\/docs\.docker\.com\/go\/dockerfile\/rule\/stage-name-casing\/\n/,
  )
  assert.match(stdout, /Dockerfile:1\n-{20}\n {3}1 \| >>> FROM scratch AS Build\n/)
  writeFileSync(file, 'FROM scratch\nCOPPY src /\n')
  const broken = await check()
  assert.match(
    broken.stderr,
    /^Dockerfile:2\n[\s\S]*>>> COPPY src[\s\S]*ERROR: failed to build: failed to solve: .*unknown instruction: COPPY/,
  )
})

test('build --call prints targets and arguments', async () => {
  const text =
    '# GO_VERSION version of the compiler\nARG GO_VERSION=1.22\nFROM scratch AS base\n# app the program\nFROM base AS app\nARG GO_VERSION\nRUN --mount=type=secret,id=token,required=true true\n'
  writeFileSync(join(directory, 'context/Dockerfile'), text)
  const call = async (what: string) => (await runBerth(['build', `--call=${what}`, join(directory, 'context')])).stdout
  assert.match(await call('targets'), /^TARGET +DESCRIPTION\nbase\napp \(default\) +the program\n$/)
  assert.match(
    await call('outline'),
    /^TARGET: app\n\nBUILD ARG +VALUE +DESCRIPTION\nGO_VERSION +1\.22 +version of the compiler\n\nSECRET +REQUIRED\ntoken +true\n$/,
  )
  assert.equal(JSON.parse(await call('targets,format=json'))[1].name, 'app')
})
