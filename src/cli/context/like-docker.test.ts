/** The same context commands, run by the official CLI and by `berth`, must give the same output and the same files. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startFakeEngine } from '../testing/fake-engine.ts'
import { dockerPath, runBerth } from '../testing/run-cli.ts'

const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false
let root: string

before(() => {
  root = mkdtempSync(join(tmpdir(), 'bx-'))
  for (const [side, program] of [
    ['theirs', dockerPath() ?? ''],
    ['ours', join(import.meta.dirname, '../../../bin/berth')],
  ] as const) {
    mkdirSync(join(root, side, 'bin'), { recursive: true })
    mkdirSync(join(root, side, 'config'))
    symlinkSync(program, join(root, side, 'bin/docker'))
    writeFileSync(join(root, side, 'ca.pem'), 'no certificate')
  }
})
after(() => rmSync(root, { recursive: true, force: true }))

/** These run in order: each builds on those before. */
const script = `
docker context create aa --docker host=unix:///tmp/x.sock --description 'my ctx'
docker context create aa
docker context create a
docker context create default
docker context create bb --docker host=tcp://h:2376,ca=/nope
docker context create bb --docker host=tcp://h:2376,ca=ca.pem,skip-tls-verify=true
docker context create cc --docker foo=bar
docker context create cc --docker foo
docker context create cc --docker host=bogus://x
docker context create dd --from aa
docker context create ss --docker host=ssh://u@h:2222/run/x.sock
docker context create st --docker host=ssh://u:p@h
docker context inspect -f '{{.Endpoints.docker.Host}}' ss
docker context create de --from nope
docker context create ff --docker from=bb
docker context create fg --docker from=aa
docker context ls
docker context ls -q
docker context ls --format json
docker context ls --format '{{.Name}} {{.Current}}'
docker context use aa
docker context show
docker context ls
for f in config/contexts/meta/*/meta.json; do cat $f; echo; done
docker context inspect bb
docker context inspect aa nope
docker context inspect -f '{{.Name}} {{.Endpoints.docker.Host}}' aa
docker context inspect -f json aa
docker context use nope
docker context rm aa
docker context update aa --description 'new' --docker host=unix:///y
docker context update nope
docker context update default
docker context export aa
docker context export aa
docker context export aa - | tar tv | sed 's/[0-9-]* [0-9:]* / /'
docker context export aa - | tar xO meta.json
docker context import ee2 aa.dockercontext
docker context import ee2 aa.dockercontext
docker context import gg nofile
tar xf aa.dockercontext; touch meta.json tls; python3 -m zipfile -c aa.zip meta.json tls
docker context import zz aa.zip
docker context inspect -f '{{json .Endpoints}} {{json .TLSMaterial}}' zz
docker context import zy - < aa.zip
echo x > x; python3 -m zipfile -c none.zip x; tar cf none.tar x
docker context import zx none.zip
docker context import zx none.tar
docker context ls
docker ps
docker context inspect
docker context rm -f aa
cat config/config.json | grep -c current
docker context use default
docker context rm cc nope
docker context use a b
docker context rm
docker context create
docker context create a b
docker context inspect -f '{{.Nope}}' dd
docker context export nope
docker context export dd /nope/x
docker context show x
docker --context dd ps
DOCKER_CONTEXT=dd docker context show
DOCKER_CONTEXT=nope docker context ls
DOCKER_CONTEXT=nope docker ps
DOCKER_HOST=unix:///foo docker context use dd
DOCKER_HOST=unix:///foo docker context ls
DOCKER_HOST=unix:///foo docker --context dd context show
docker -H unix:///foo --context dd ps
docker -c nope ps
docker context rm -f dd fg nope default
docker context bogus
docker context update --bogus
`
  .trim()
  .split('\n')

for (const line of script) {
  test(line, { skip }, () => assert.deepEqual(run('ours', line), run('theirs', line)))
}

function run(side: 'ours' | 'theirs', line: string) {
  const home = join(root, side)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
    cwd: home,
    encoding: 'utf8',
    env: { PATH: `${home}/bin:${process.env.PATH}`, HOME: home, DOCKER_CONFIG: join(home, 'config') },
  })
  return { status, stdout: mask(stdout, home), stderr: mask(stderr, home) }
}

/** Hides the default daemon's address, which differs, and therefore the width of its column. */
function mask(text: string, home: string): string {
  return text
    .replaceAll(home, 'HOME')
    .replaceAll('/var/run/docker.sock', '/run/berth.sock')
    .replaceAll('Berth', 'Docker')
    .replace(/\bberth(?=[: ])/g, 'docker')
    .replace(/ {2,}/g, '  ')
}

test('a context chosen by flag, by DOCKER_CONTEXT or by context use selects the daemon', async () => {
  await using engine = await startFakeEngine({ 'GET /containers/json': [] })
  const environment = { DOCKER_CONFIG: join(root, 'used') }
  const berth = (...args: string[]) => runBerth(args, { environment })
  const made = await berth('context', 'create', 'fake', '--docker', `host=unix://${engine.socketPath}`)
  assert.equal(made.exitCode, 0, made.stderr)
  const expected = { exitCode: 0, stdout: '', stderr: '' }
  assert.deepEqual(await berth('--context', 'fake', 'ps', '-q'), expected)
  assert.deepEqual(await runBerth(['ps', '-q'], { environment: { ...environment, DOCKER_CONTEXT: 'fake' } }), expected)
  assert.equal((await berth('context', 'use', 'fake')).exitCode, 0)
  assert.deepEqual(await berth('ps', '-q'), expected)
  assert.match((await berth('info')).stdout, / Context: {4}fake\n/)
  const elsewhere = { ...environment, DOCKER_HOST: 'unix:///nonexistent/s' }
  assert.equal((await runBerth(['ps', '-q'], { environment: elsewhere })).exitCode, 1)
  assert.equal(engine.requests.filter(({ path }) => path === '/containers/json').length, 3)
})
