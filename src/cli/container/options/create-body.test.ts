/** The body that `berth create` sends must mean the same as that of the official CLI. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type FakeEngine, startFakeEngine } from '../../testing/fake-engine.ts'
import { dockerPath, runBerth, runDocker } from '../../testing/run-cli.ts'

let engine: FakeEngine
let directory = ''
const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

before(async () => {
  engine = await startFakeEngine({ 'POST /containers/create': { Id: 'abc', Warnings: ['careful'] } })
  directory = await mkdtemp(join(tmpdir(), 'bc-'))
  writeFileSync(join(directory, 'env'), '# comment\nA=1\n  B=two words\n\nPASSED\n')
  writeFileSync(join(directory, 'labels'), 'x=1\ny\n')
  writeFileSync(join(directory, 'seccomp.json'), '{ "defaultAction": "SCMP_ACT_ALLOW" }')
})

after(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

const bodies: readonly (readonly string[])[] = [
  ['x'],
  ['x', 'sh', '-c', 'echo $A', '--name', 'y'],
  ['-it', '--name', 'n', '--rm', 'x'],
  ['-i', '-a', 'stdin', '-a', 'stderr', 'x'],
  ['-e', 'A=1', '-e', 'PASSED', '-e', 'UNSET', '--env-file', 'DIR/env', 'x'],
  ['-l', 'a=1', '-l', 'b', '--label-file', 'DIR/labels', 'x'],
  ['-w', '/w', '-u', '1:2', '-h', 'host', '--domainname', 'dom', '--entrypoint', '/e', 'x', 'arg'],
  ['--entrypoint', '', 'x'],
  ['-v', '/a:/b', '-v', '/c:/d:ro', '-v', 'name:/e', '-v', '/anon', '-v', './rel:/f', 'x'],
  ['--mount', 'type=bind,src=/a,dst=/b,readonly', '--mount', 'src=vol,target=/c,volume-nocopy', 'x'],
  ['--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770', '--tmpfs', '/run', '--tmpfs', '/tmp:size=64m', 'x'],
  ['--mount', 'type=bind,src=/a,dst=/b,bind-propagation=rshared,bind-recursive=disabled', 'x'],
  ['--mount', 'type=volume,dst=/b,volume-label=a=1,volume-driver=local,volume-opt=type=nfs', 'x'],
  ['-p', '80', '-p', '8080:80', '-p', '127.0.0.1:53:53/udp', '-p', '[::1]:443:443', '-P', 'x'],
  ['-p', '8000-8002:80-82', '-p', '9000-9010:90', '-p', '127.0.0.1::100', '--expose', '5000-5002/udp', 'x'],
  ['-p', 'target=80,published=8081', 'x'],
  ['--network', 'none', 'x'],
  ['--network', 'container:other', 'x'],
  ['--network', 'mine', '--network-alias', 'a', '--ip', '10.0.0.5', '--mac-address', '02:42:ac:11:00:09', 'x'],
  ['--network', 'name=mine,alias=a,ip=10.0.0.5,driver-opt=k=v', '--network', 'other', 'x'],
  ['--memory', '64m', '--memory-swap', '-1', '--memory-reservation', '32M', '--memory-swappiness', '10', 'x'],
  ['--cpus', '1.5', '--cpu-shares', '512', '--cpuset-cpus', '0-1', '--cpu-quota', '1000', '--cpu-period', '2000', 'x'],
  ['--pids-limit', '100', '--shm-size', '128m', '--oom-score-adj', '-5', '--oom-kill-disable', 'x'],
  ['--ulimit', 'nofile=1024:2048', '--ulimit', 'core=0', '--blkio-weight', '300', 'x'],
  [
    '--device',
    '/dev/null',
    '--device',
    '/dev/zero:/dev/z:r',
    '--device',
    '/dev/full:rw',
    '--device-cgroup-rule',
    'c 1:3 rwm',
    'x',
  ],
  [
    '--device-read-bps',
    '/dev/sda:1mb',
    '--device-write-iops',
    '/dev/sda:100',
    '--blkio-weight-device',
    '/dev/sda:200',
    'x',
  ],
  ['--cap-add', 'NET_ADMIN', '--cap-drop', 'ALL', '--privileged', '--read-only', '--init', 'x'],
  ['--security-opt', 'no-new-privileges', '--security-opt', 'seccomp=DIR/seccomp.json', 'x'],
  [
    '--security-opt',
    'seccomp=unconfined',
    '--security-opt',
    'systempaths=unconfined',
    '--security-opt',
    'label:disable',
    'x',
  ],
  ['--restart', 'on-failure:3', 'x'],
  ['--restart', 'always', 'x'],
  ['--dns', '1.1.1.1', '--dns-option', 'ndots:1', '--dns-search', 'example.com', '--add-host', 'a:1.2.3.4', 'x'],
  [
    '--add-host',
    'b=[::1]',
    '--add-host',
    'gw:host-gateway',
    '--group-add',
    'audio',
    '--sysctl',
    'net.core.somaxconn=1',
    'x',
  ],
  ['--pid', 'host', '--ipc', 'host', '--uts', 'host', '--userns', 'host', '--cgroupns', 'host', 'x'],
  [
    '--log-driver',
    'json-file',
    '--log-opt',
    'max-size=1m',
    '--runtime',
    'crun',
    '--stop-signal',
    'INT',
    '--stop-timeout',
    '3',
    'x',
  ],
  ['--health-cmd', 'true', '--health-interval', '1m30s', '--health-retries', '3', '--health-timeout', '500ms', 'x'],
  [
    '--no-healthcheck',
    '--annotation',
    'a=b',
    '--storage-opt',
    'size=1G',
    '--volumes-from',
    'c:ro',
    '--volume-driver',
    'd',
    'x',
  ],
  ['--cgroup-parent', '/p', '--link', 'a:b', '--kernel-memory', '10m', '--isolation', 'default', 'x'],
  ['--gpus', 'all', 'x'],
  ['--platform', 'linux/arm64', '--name=n', 'x'],
  ['--init=false', '--tty=true', '--interactive=0', '--', 'x', '-la'],
]

for (const args of bodies) {
  test(`create ${args.join(' ')}`, { skip }, async () => {
    const command = ['-H', `unix://${engine.socketPath}`, 'create', ...args.map((arg) => arg.replace('DIR', directory))]
    process.env.PASSED = 'on'
    engine.requests.length = 0
    const expected = await runDocker(command)
    const expectedRequest = engine.requests.find(({ path }) => path === '/containers/create')
    engine.requests.length = 0
    const actual = await runBerth(command, { environment: { PASSED: 'on' } })
    const request = engine.requests.find(({ path }) => path === '/containers/create')
    assert.equal(expected.exitCode, 0, expected.stderr)
    assert.deepEqual(actual, expected)
    assert.deepEqual(asked(request?.body), asked(expectedRequest?.body))
    assert.equal(request?.query.toString(), expectedRequest?.query.toString())
  })
}

/** The body without members that mean nothing: zero values, and those that Docker's CLI always sends. */
function asked(body: string | undefined): unknown {
  return withoutZeros(JSON.parse(Buffer.from(body ?? '{}', 'latin1').toString('utf8')))
}

function withoutZeros(value: unknown, name = ''): unknown {
  // Docker's CLI keeps these in a map, so their order is random.
  if ((name === 'Binds' || name === 'Env') && Array.isArray(value)) return value.toSorted()
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'object' ? withoutZeros(item) : item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([name, item]) => [name, withoutZeros(item, name)] as const)
    .filter(([name, item]) => !isZero(name, item))
  return Object.fromEntries(entries)
}

const keys = new Set(['MaskedPaths', 'ReadonlyPaths', 'Entrypoint'])

function isZero(name: string, value: unknown): boolean {
  if (value === null || value === '' || value === false || value === 0) return name !== 'Init'
  if (name === 'ConsoleSize' || (name === 'MemorySwappiness' && value === -1)) return true
  // The members of a set are empty objects.
  if (typeof value !== 'object' || /[/]/.test(name) || keys.has(name)) return value === null
  return Object.keys(value).length === 0
}
