import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { frame, startFakeEngine } from './testing/fake-engine.ts'
import { runBerth } from './testing/run-cli.ts'

test('main() prints the version', async () => {
  const result = await runBerth(['--version'])
  assert.equal(result.exitCode, 0)
  assert.match(result.stdout, /^Berth version \d+\.\d+\.\d+\n$/)
})

test('main() reads the host from -H, then BERTH_HOST, then DOCKER_HOST', async () => {
  await using engine = await startFakeEngine({ 'GET /containers/json': [] })
  const url = `unix://${engine.socketPath}`
  const nowhere = 'unix:///nonexistent/s'
  assert.equal((await runBerth(['-H', url, 'ps'], { environment: { BERTH_HOST: nowhere } })).exitCode, 0)
  assert.equal((await runBerth(['ps'], { environment: { BERTH_HOST: url, DOCKER_HOST: nowhere } })).exitCode, 0)
  assert.equal((await runBerth(['ps'], { environment: { DOCKER_HOST: url } })).exitCode, 0)
  const failed = await runBerth(['ps'], { environment: { DOCKER_HOST: nowhere } })
  assert.deepEqual(failed, {
    exitCode: 1,
    stdout: '',
    stderr: `Cannot connect to the Berth daemon at ${nowhere}. Is the berth daemon running?\n`,
  })
})

test('main() starts a daemon only for the default socket', async () => {
  const asked: string[] = []
  const onNoDaemon = async (path: string): Promise<void> => {
    asked.push(path)
    throw new Error('cannot be started here')
  }
  await runBerth(['-H', 'unix:///nonexistent/s', 'ps'], { onNoDaemon })
  assert.deepEqual(asked, [])
})

test('main() reads formats from the configuration file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cm-'))
  try {
    await writeFile(join(directory, 'config.json'), '{"psFormat": "{{.Names}}!"}')
    const container = {
      Id: 'a',
      Names: ['/x'],
      Image: 'i',
      ImageID: 'i',
      Command: 'c',
      Created: 0,
      Ports: [],
      Labels: {},
      Mounts: [],
    }
    await using engine = await startFakeEngine({ 'GET /containers/json': [container] })
    const result = await runBerth(['--config', directory, '-H', `unix://${engine.socketPath}`, 'ps'])
    assert.equal(result.stdout, 'x!\n')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test('logs separates the streams and sends its flags', async () => {
  await using engine = await startFakeEngine({
    'GET /containers/x/json': { Id: 'x', Config: { Tty: false } },
    'GET /containers/x/logs': (_, response) => response.end(Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n')])),
  })
  const result = await runBerth([
    '-H',
    `unix://${engine.socketPath}`,
    'logs',
    '-ft',
    '--tail',
    '5',
    '--since',
    '2026-01-01T00:00:00Z',
    'x',
  ])
  assert.deepEqual(result, { exitCode: 0, stdout: 'out\n', stderr: 'err\n' })
  const query = engine.requests.at(-1)?.query.toString()
  assert.equal(query, 'stdout=1&stderr=1&follow=1&timestamps=1&tail=5&since=1767225600.000000000')
})

test('events prints one line per event', async () => {
  await using engine = await startFakeEngine({
    'GET /events': (_, response) =>
      response.end(
        '{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"name":"x","image":"i"}},"scope":"local","time":1767323045,"timeNano":1767323045123456789}\n',
      ),
  })
  const host = ['-H', `unix://${engine.socketPath}`]
  const plain = await runBerth([...host, 'events'])
  assert.match(plain.stdout, /^2026-01-0\dT\d\d:04:05\.123456789\S+ container start abc \(image=i, name=x\)\n$/)
  const template = await runBerth([
    ...host,
    'events',
    '--format',
    '{{.Type}} {{.Actor.Attributes.name}} {{.TimeNano}} {{.ID}}',
  ])
  assert.equal(template.stdout, 'container x 1767323045123456789 \n')
  const json = await runBerth([...host, 'events', '--format', 'json'])
  assert.match(json.stdout, /"timeNano":1767323045123456789/)
})

test('rm -f ignores containers that do not exist', async () => {
  await using engine = await startFakeEngine({ 'DELETE /containers/x': (_, response) => response.writeHead(204).end() })
  const result = await runBerth(['-H', `unix://${engine.socketPath}`, 'rm', '-f', 'x', 'gone'])
  assert.equal(result.exitCode, 0)
  assert.equal(result.stdout, 'x\n')
  assert.match(result.stderr, /page not found/)
})

test('main() sends the HTTP headers of the configuration file, and gives its proxies to containers', async () => {
  await using engine = await startFakeEngine({ 'POST /containers/create': { Id: 'abc', Warnings: null } })
  const directory = await mkdtemp(join(tmpdir(), 'bm-'))
  const host = `unix://${engine.socketPath}`
  const proxies = {
    default: { httpProxy: 'http://other:1' },
    [host]: { httpProxy: 'http://p:3128', noProxy: '*.test', bogus: 'x' },
  }
  await writeFile(join(directory, 'config.json'), JSON.stringify({ HttpHeaders: { 'X-Team': 'a' }, proxies }))
  const environment = { DOCKER_CONFIG: directory }
  try {
    await runBerth(['-H', host, 'create', '-e', 'NO_PROXY=mine', 'x'], { environment })
    const create = engine.requests.find(({ path }) => path === '/containers/create')
    assert.equal(create?.headers['x-team'], 'a')
    const { Env } = JSON.parse(create?.body ?? '') as { Env: string[] }
    assert.deepEqual(Env, ['NO_PROXY=mine', 'HTTP_PROXY=http://p:3128', 'http_proxy=http://p:3128', 'no_proxy=*.test'])
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('main() refuses to verify content trust', async () => {
  const environment = { DOCKER_HOST: 'unix:///nonexistent/s', DOCKER_CONTENT_TRUST: '1' }
  for (const command of [
    ['pull', 'x'],
    ['push', 'x'],
    ['run', 'x'],
    ['create', 'x'],
    ['build', '.'],
  ]) {
    assert.match((await runBerth(command, { environment })).stderr, /content trust is not supported/, command.join(' '))
  }
  const flag = await runBerth(['pull', '--disable-content-trust=false', 'x'], { environment: {} })
  assert.match(flag.stderr, /content trust is not supported/)
  const off = await runBerth(['pull', '--disable-content-trust', 'x'], { environment })
  assert.match(off.stderr, /Cannot connect/)
})

test('main() names features that Berth does not have', async () => {
  const { exitCode, stderr } = await runBerth(['service', 'ls'])
  assert.deepEqual([exitCode, stderr], [1, 'berth service: Berth does not have swarm\n'])
})

test('main() warns about an invalid config.json, and continues', async () => {
  await using engine = await startFakeEngine({ 'GET /containers/json': [] })
  const directory = await mkdtemp(join(tmpdir(), 'b-'))
  try {
    await writeFile(join(directory, 'config.json'), '{')
    const { exitCode, stderr } = await runBerth([
      '--config',
      directory,
      '-H',
      `unix://${engine.socketPath}`,
      'ps',
      '-q',
    ])
    assert.equal(exitCode, 0)
    assert.ok(stderr.startsWith(`WARNING: Error parsing config file (${directory}/config.json): `), stderr)
  } finally {
    await rm(directory, { recursive: true })
  }
})
