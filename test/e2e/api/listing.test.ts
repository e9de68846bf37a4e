/** What the daemon reports about containers: ps, inspect, events, info. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
const ids: Record<string, string> = {}

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  ids.up = await daemon.ok([
    'run',
    '-d',
    '--name',
    'up',
    '--label',
    'tier=web',
    '--label',
    'x',
    '-p',
    '127.0.0.1::80',
    'busybox',
    'sleep',
    '1000',
  ])
  ids.done = await daemon.ok([
    'run',
    '-d',
    '--name',
    'done',
    '--label',
    'tier=db',
    '-v',
    'vol:/data',
    'busybox',
    'sh',
    '-c',
    'exit 3',
  ])
  await daemon.ok(['wait', 'done'])
  ids.made = await daemon.ok(['create', '--name', 'made', '--network', 'none', 'busybox'])
})
after(() => daemon?.[Symbol.asyncDispose]())

async function names(...args: string[]): Promise<string[]> {
  const out = await daemon.ok(['ps', '--format', '{{.Names}}', ...args])
  return out === '' ? [] : out.split('\n').sort()
}

describe('ps', () => {
  test('running containers, all, the last one, the latest two', async () => {
    assert.deepEqual(await names(), ['up'])
    assert.deepEqual(await names('-a'), ['done', 'made', 'up'])
    assert.deepEqual(await names('-l'), ['made'])
    assert.deepEqual(await names('-n', '2'), ['done', 'made'])
  })

  const filters: [filter: string, expected: string[]][] = [
    ['status=exited', ['done']],
    ['status=created', ['made']],
    ['exited=3', ['done']],
    ['exited=4', []],
    ['name=u', ['up']],
    ['name=^/up$', ['up']],
    ['label=tier', ['done', 'up']],
    ['label=tier=web', ['up']],
    ['ancestor=busybox', ['done', 'made', 'up']],
    ['ancestor=no-such', []],
    ['volume=vol', ['done']],
    ['volume=/data', ['done']],
    ['network=none', ['made']],
    ['before=done', ['up']],
    ['since=done', ['made']],
    ['publish=80', []],
    ['publish=1024-65535', ['up']],
    ['expose=80/tcp', ['up']],
    ['expose=70-90', ['up']],
    ['expose=81', []],
    ['isolation=hyperv', ['done', 'made', 'up']],
    ['name=[(', []],
    ['ancestor=NO-IMAGE', []],
    ['health=none', ['done', 'made', 'up']],
    ['is-task=false', ['done', 'made', 'up']],
  ]
  for (const [filter, expected] of filters) {
    test(`--filter ${filter}`, async () => {
      assert.deepEqual(await names('-a', '--filter', filter), expected)
    })
  }

  test('only the status filter includes stopped containers', async () => {
    assert.deepEqual(await names('--filter', 'status=exited'), ['done'])
    assert.deepEqual(await names('--filter', 'exited=3'), [])
    assert.deepEqual(await names('--filter', 'since=up'), [])
  })

  test('--filter id, and several filters together', async () => {
    assert.deepEqual(await names('-a', '--filter', `id=${ids.done?.slice(0, 8)}`), ['done'])
    assert.deepEqual(await names('-a', '--filter', 'status=exited', '--filter', 'status=created'), ['done', 'made'])
    assert.deepEqual(await names('-a', '--filter', 'label=tier', '--filter', 'status=running'), ['up'])
  })

  test('an unknown filter is an error', async () => {
    const { code, stderr } = await daemon.docker(['ps', '--filter', 'no-such=1'])
    assert.equal(code, 1)
    assert.match(stderr, /invalid filter 'no-such'/)
  })

  test("the table has Docker's columns", async () => {
    const table = await daemon.ok(['ps', '-a'])
    assert.match(table, /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/m)
    assert.match(
      table,
      new RegExp(
        `^${ids.up?.slice(0, 12)} +busybox +"sleep 1000" +.* ago +Up .+ +127\\.0\\.0\\.1:\\d+->80/tcp +up$`,
        'm',
      ),
    )
    assert.match(table, /Exited \(3\) .* ago/)
    assert.match(table, / Created /)
    assert.equal(await daemon.ok(['ps', '-q', '--no-trunc']), ids.up)
    assert.match(await daemon.ok(['ps', '-s', '--format', '{{.Size}}']), /^\S+ \(virtual \S+\)$/)
  })
})

describe('inspect', () => {
  test('describes a running container', async () => {
    const [up] = JSON.parse(await daemon.ok(['inspect', 'up']))
    assert.equal(up.Id, ids.up)
    assert.equal(up.Name, '/up')
    assert.equal(up.Path, 'sleep')
    assert.deepEqual(up.Args, ['1000'])
    assert.equal(up.State.Status, 'running')
    assert.equal(up.Config.Labels.tier, 'web')
    assert.equal(up.HostConfig.NetworkMode, 'bridge')
    assert.equal(up.HostConfig.PortBindings['80/tcp'][0].HostIp, '127.0.0.1')
    assert.match(up.NetworkSettings.Ports['80/tcp'][0].HostPort, /^\d+$/)
    assert.equal(up.Platform, 'linux')
    assert.equal(up.GraphDriver.Name.startsWith('overlay'), true)
  })

  test('a container with its size', async () => {
    await daemon.ok(['exec', 'up', 'sh', '-c', 'head -c 300000 /dev/zero >/big'])
    const [up] = JSON.parse(await daemon.ok(['inspect', '-s', 'up']))
    assert.ok(up.SizeRw >= 300_000, `SizeRw ${up.SizeRw}`)
    assert.ok(up.SizeRootFs > up.SizeRw)
  })

  test('a missing object gives an error', async () => {
    const { code, stdout, stderr } = await daemon.docker(['inspect', 'no-such'])
    assert.equal(code, 1)
    assert.equal(stdout.trim(), '[]')
    assert.match(stderr, /No such object: no-such/)
  })
})

describe('events', () => {
  test("the events of a container's life arrive live and from the history", async () => {
    const since = String(Math.floor(Date.now() / 1000))
    const format = '{{.Actor.Attributes.name}} {{.Action}}'
    const live = daemon.spawnDocker(['events', '--filter', 'type=container', '--format', format])
    // The stream is open once it sends an event.
    await until(
      async () => {
        await daemon.ok(['rm', await daemon.ok(['create', '--name', 'before', 'busybox'])])
        return live.stdout.includes('before ')
      },
      { what: 'the first event' },
    )
    await daemon.docker(['run', '--name', 'watched', 'busybox', 'sh', '-c', 'exit 2'])
    await daemon.ok(['rm', 'watched'])
    await live.sees('watched destroy')
    live.kill('SIGKILL')
    await live.ended
    const seen = [...live.stdout.matchAll(/^watched (create|start|die|destroy)$/gm)]
    assert.deepEqual(
      seen.map(([, action]) => action),
      ['create', 'start', 'die', 'destroy'],
    )
    const history = await daemon.ok([
      'events',
      '--since',
      since,
      '--until',
      String(Math.ceil(Date.now() / 1000) + 1),
      '--filter',
      'container=watched',
      '--filter',
      'event=die',
      '--format',
      '{{json .Actor.Attributes}}',
    ])
    const attributes = JSON.parse(history)
    assert.equal(attributes.exitCode, '2')
    assert.equal(attributes.image, 'busybox')
    assert.equal(attributes.name, 'watched')
  })

  test('filters by type and label', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 3600)
    const until = String(Math.ceil(Date.now() / 1000) + 1)
    const range = ['--since', since, '--until', until, '--format', '{{.Type}}']
    const images = await daemon.ok(['events', ...range, '--filter', 'type=image'])
    assert.deepEqual([...new Set(images.split('\n'))], ['image'])
    const labelled = await daemon.ok(['events', ...range, '--filter', 'label=tier=web'])
    assert.ok(labelled.split('\n').every((type) => type === 'container'))
  })
})

describe('version and info', () => {
  test('version names client and server', async () => {
    assert.equal(
      await daemon.ok(['version', '--format', '{{.Server.Os}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}}']),
      'linux 1.51 1.24',
    )
  })

  test('info counts containers and images', async () => {
    await until(async () => (await daemon.ok(['info', '--format', '{{.ContainersRunning}}'])) === '1', {
      what: 'one running',
    })
    assert.equal(
      await daemon.ok(['info', '--format', '{{.Containers}} {{.ContainersStopped}} {{.OSType}}']),
      '3 2 linux',
    )
    const text = await daemon.ok(['info'])
    assert.match(text, /Storage Driver: overlay/)
    assert.match(text, /Cgroup Version: [12]/)
    assert.match(text, new RegExp(`(Docker|Berth) Root Dir: ${daemon.dataRoot}`))
  })
})
