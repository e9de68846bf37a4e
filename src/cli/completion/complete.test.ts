import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type FakeEngine, startFakeEngine } from '../testing/fake-engine.ts'
import { runBerth } from '../testing/run-cli.ts'
import { splitLine } from './words.ts'

let engine: FakeEngine
let config: string

const container = (name: string, state: string, id: string) => ({
  Id: id.repeat(64),
  Names: [`/${name}`],
  Image: 'nginx',
  ImageID: 'x',
  State: state,
  Labels: {},
  Mounts: [],
  Ports: [],
  Command: '',
  Created: 0,
})
const all = [
  container('web', 'running', 'a'),
  container('worker', 'running', 'b'),
  container('old', 'exited', 'c'),
  container('held', 'paused', 'd'),
]

before(async () => {
  config = mkdtempSync(join(tmpdir(), 'bk-'))
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { 'r.test:5000': {} } }))
  engine = await startFakeEngine({
    'GET /containers/json': (request, response) => {
      const filters = JSON.parse(request.query.get('filters') ?? '{}') as { status?: string[] | Record<string, true> }
      const states = Array.isArray(filters.status) ? filters.status : Object.keys(filters.status ?? {})
      response.end(JSON.stringify(all.filter(({ State }) => states.length === 0 || states.includes(State))))
    },
    'GET /images/json': [
      { Id: `sha256:${'1'.repeat(64)}`, RepoTags: ['nginx:latest', 'nginx:1.27'] },
      { Id: `sha256:${'2'.repeat(64)}`, RepoTags: null },
    ],
    'GET /networks': [
      { Name: 'bridge', Driver: 'bridge' },
      { Name: 'front', Driver: 'bridge' },
    ],
    'GET /volumes': { Volumes: [{ Name: 'data', Driver: 'local' }], Warnings: null },
    'GET /info': { Runtimes: { crun: {}, runc: {} }, Plugins: { Log: ['json-file', 'none'], Volume: ['local'] } },
  })
})
after(async () => {
  await engine.close()
  rmSync(config, { recursive: true })
})

async function complete(...words: string[]): Promise<{ hint: string; values: string[] }> {
  const environment = { DOCKER_CONFIG: config, DOCKER_HOST: `unix://${engine.socketPath}`, COLOR: 'x' }
  const { stdout, stderr, exitCode } = await runBerth(['__complete', 'fish', ...words], { environment })
  assert.deepEqual([exitCode, stderr], [0, ''])
  const [hint = '', ...lines] = stdout.trimEnd().split('\n')
  return { hint, values: lines.map((line) => line.split('\t')[0] ?? '') }
}

/** Words → the candidates, in any order. */
const cases: readonly (readonly [words: readonly string[], values: readonly string[], hint?: string])[] = [
  [['ru'], ['run']],
  [['sta'], ['start', 'stats']],
  [
    ['container', 'st'],
    ['start', 'stats', 'stop'],
  ],
  [
    ['stop', ''],
    ['web', 'worker'],
  ],
  [['stop', 'web', 'w'], ['worker']],
  [['start', ''], ['old']],
  [['unpause', ''], ['held']],
  [['rm', ''], ['old']],
  [
    ['rm', '-f', ''],
    ['web', 'worker', 'old', 'held'],
  ],
  [['logs', 'o'], ['old']],
  [['logs', 'old', ''], []],
  [['logs', 'ccc'], ['cccccccccccc']],
  [
    ['exec', '-it', 'w'],
    ['web', 'worker'],
  ],
  [['exec', 'web', 'l'], []],
  [
    ['run', '--rm', 'ng'],
    ['nginx', 'nginx:latest', 'nginx:1.27'],
  ],
  [['run', '-e', 'COL'], ['COLOR']],
  [['run', '--env-file', ''], [], 'files'],
  [
    ['run', '--network', ''],
    ['bridge', 'container:', 'front', 'host', 'none'],
  ],
  [['run', '--network', 'container:we'], ['container:web']],
  [['run', '--network=fr'], ['--network=front']],
  [['run', '-v', 'da'], ['data:'], 'nospace'],
  [
    ['run', '--runtime', ''],
    ['crun', 'runc'],
  ],
  [['run', '--log-driver', 'j'], ['json-file']],
  [['run', '--restart', 'u'], ['unless-stopped']],
  [
    ['run', '--cap-add', 'CAP_NET_B'],
    ['CAP_NET_BIND_SERVICE', 'CAP_NET_BROADCAST'],
  ],
  [
    ['run', '-it', '--pull', ''],
    ['always', 'missing', 'never'],
  ],
  [['run', '--oom-kill'], ['--oom-kill-disable']],
  [['rmi', 'nginx:1'], ['nginx:1.27']],
  [['tag', 'nginx', 'nginx', ''], []],
  [['volume', 'rm', ''], ['data']],
  [['volume', 'backup', ''], ['data']],
  [['volume', 'backup', '--compress', 'g'], ['gzip']],
  [['network', 'rm', ''], ['front']],
  [
    ['network', 'connect', 'front', 'w'],
    ['web', 'worker'],
  ],
  [
    ['inspect', 'd'],
    ['data', 'dddddddddddd'],
  ],
  [['ps', '--filter', 'st'], ['status='], 'nospace'],
  [['ps', '--filter', 'status=ex'], ['status=exited']],
  [['ps', '-f', 'network=f'], ['network=front']],
  [['ps', '--no'], ['--no-trunc']],
  [
    ['kill', '-s', 'SIGU'],
    ['SIGURG', 'SIGUSR1', 'SIGUSR2'],
  ],
  [['cp', 'we'], ['web:'], 'nospace'],
  [['cp', './x'], []],
  [['logout', ''], ['r.test:5000']],
  [['context', 'use', ''], ['default']],
  [['--context', 'd'], ['default']],
  [['-l', 'de'], ['debug']],
  [['--log'], ['--log-level']],
  [['completion', 'z'], ['zsh']],
  [['load', '-i', ''], [], 'files'],
  [['bogus', ''], []],
  [['network', 'bogus', ''], []],
  [['help', 'ru'], ['run']],
]

for (const [words, values, hint = '-'] of cases) {
  test(`complete() after berth ${words.join(' ')}`, async () => {
    const found = await complete(...words)
    assert.deepEqual(found, { hint, values: found.values })
    assert.deepEqual(found.values.toSorted(), values.toSorted())
  })
}

test('complete() offers and prints nothing when no daemon answers', async () => {
  const environment = { DOCKER_CONFIG: config, DOCKER_HOST: 'unix:///nonexistent/s' }
  const asked = await runBerth(['__complete', 'fish', 'stop', ''], { environment })
  assert.deepEqual(asked, { exitCode: 0, stdout: '-\n', stderr: '' })
})

test('splitLine() removes quotes and gives the word at the cursor last', () => {
  assert.deepEqual(splitLine('berth run '), ['berth', 'run', ''])
  assert.deepEqual(splitLine('berth  run -v "a b:/c"'), ['berth', 'run', '-v', 'a b:/c'])
  assert.deepEqual(splitLine(`berth x 'a"b' c\\ d "e\\"f" "open word`), [
    'berth',
    'x',
    'a"b',
    'c d',
    'e"f',
    'open word',
  ])
  assert.deepEqual(splitLine('berth ""'), ['berth', ''])
})
