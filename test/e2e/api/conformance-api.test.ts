/** Responses of the API as Docker gives them: status codes and texts, fields of inspect, order of events, prune, df. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Failure {
  readonly message: string
}

function run(name: string, ...command: string[]): Promise<string> {
  return daemon.ok(['run', '-d', '--network', 'none', '--name', name, 'busybox', ...command])
}

describe('errors', () => {
  let id = ''
  before(async () => {
    id = await run('stopped', 'true')
    await daemon.ok(['wait', 'stopped'])
    await run('running', 'sleep', '1000')
  })
  after(() => daemon.ok(['rm', '-f', 'stopped', 'running']))

  const cases: [name: string, method: string, path: string, status: number, message?: RegExp][] = [
    [
      'kill of a stopped one',
      'POST',
      '/containers/stopped/kill',
      409,
      /^cannot kill container: stopped: container [0-9a-f]{64} is not running$/,
    ],
    [
      'kill of an unknown one',
      'POST',
      '/containers/nope/kill',
      404,
      /^cannot kill container: nope: No such container: nope$/,
    ],
    ['kill with a wrong signal', 'POST', '/containers/running/kill?signal=NO', 400, /invalid signal: NO/],
    ['stop of a stopped one', 'POST', '/containers/stopped/stop', 304],
    ['start of a running one', 'POST', '/containers/running/start', 304],
    ['restart of an unknown one', 'POST', '/containers/nope/restart', 404, /^No such container: nope$/],
    [
      'remove of a running one',
      'DELETE',
      '/containers/running',
      409,
      /cannot remove container "\/running": container is running/,
    ],
    [
      'rename to a name in use',
      'POST',
      '/containers/stopped/rename?name=running',
      409,
      /^Error when allocating new name: Conflict\. The container name "\/running" is already in use/,
    ],
    ['top of a stopped one', 'GET', '/containers/stopped/top', 409, /is not running/],
    ['top with wrong arguments', 'GET', '/containers/running/top?ps_args=-zzz', 500, /^ps: [^\n]+$/],
    [
      'top without a PID column',
      'GET',
      '/containers/running/top?ps_args=-o%20comm',
      500,
      /Couldn't find PID field in ps output/,
    ],
    ['resize of a stopped one', 'POST', '/containers/stopped/resize?h=1&w=1', 409, /is not running/],
    ['an unknown path', 'GET', '/nothing', 404, /^page not found$/],
  ]
  for (const version of ['', '/v1.24', '/v1.40', '/v1.44', '/v1.51']) {
    test(`status codes and texts, ${version === '' ? 'without a version' : version}`, async () => {
      for (const [name, method, path, status, message] of cases) {
        const { status: got, body, text } = await daemon.api<Failure>(method, `${version}${path}`)
        assert.equal(got, status, `${name}: ${text}`)
        if (message !== undefined) assert.match(body.message, message, name)
      }
    })
  }

  test("a stopped container keeps its network's name but has no address", async () => {
    const { body } = await daemon.api<Inspected>('GET', `/containers/${id}/json`)
    const { body: network } = await daemon.api<{ Id: string }>('GET', '/networks/none')
    assert.deepEqual(body.NetworkSettings.Ports, {})
    assert.equal(body.NetworkSettings.SandboxID, '')
    assert.equal(body.NetworkSettings.Networks.none?.NetworkID, network.Id)
    assert.equal(body.NetworkSettings.Networks.none?.EndpointID, '')
  })
})

interface Inspected {
  readonly LogPath: string
  readonly ExecIDs: readonly string[] | null
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Error: string }
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly NetworkSettings: {
    readonly SandboxID: string
    readonly IPAddress: string
    readonly Ports: object
    readonly Networks: Readonly<Record<string, { NetworkID: string; EndpointID: string; IPAddress: string }>>
  }
}

describe('inspect', () => {
  test('a created container has no root directory yet', async () => {
    const id = await daemon.ok(['create', '--network', 'none', 'busybox', 'true'])
    const { body } = await daemon.api<Inspected>('GET', `/containers/${id}/json`)
    assert.equal(body.LogPath, '')
    assert.equal(body.HostConfig.MemorySwappiness, null)
    assert.equal(body.ExecIDs, null)
    await daemon.ok(['rm', id])
  })

  test("a container on a network given by id is shown with the network's name", async () => {
    const { body: bridge } = await daemon.api<{ Id: string }>('GET', '/networks/bridge')
    const id = await daemon.ok(['run', '-d', '--name', 'byid', '--network', bridge.Id, 'busybox', 'sleep', '1000'])
    const { body } = await daemon.api<Inspected>('GET', `/containers/${id}/json`)
    assert.deepEqual(Object.keys(body.NetworkSettings.Networks), ['bridge'])
    assert.equal(body.NetworkSettings.IPAddress, body.NetworkSettings.Networks.bridge?.IPAddress)
    for (const filter of ['bridge', bridge.Id]) {
      assert.equal(await daemon.ok(['ps', '-q', '--no-trunc', '--filter', `network=${filter}`]), id)
    }
    await daemon.ok(['rename', 'byid', 'byname'])
    const { body: after } = await daemon.api<{ Containers: Record<string, { Name: string }> }>(
      'GET',
      '/networks/bridge',
    )
    assert.equal(after.Containers[id]?.Name, 'byname')
    await daemon.ok(['rm', '-f', id])
  })

  test('a failed start keeps its error, and does not end a wait', async () => {
    const { code, stderr } = await daemon.docker(['run', '--name', 'failed', '--network', 'none', 'busybox', ''])
    assert.equal(code, 127)
    assert.match(stderr, /exec: "": executable file not found in \$PATH/)
    assert.doesNotMatch(stderr, /waiting for container/)
    const { body } = await daemon.api<Inspected>('GET', '/containers/failed/json')
    assert.equal(body.State.Status, 'created')
    assert.equal(body.State.ExitCode, 127)
    assert.match(body.State.Error, /executable file not found/)
    await daemon.ok(['rm', 'failed'])
  })
})

describe('exec', () => {
  test('a command that cannot run is reported on stdout with Docker’s exit codes', async () => {
    await run('exec', 'sleep', '1000')
    const cases: [args: string[], code: number, message: RegExp][] = [
      [['exec', 'no-such-program'], 127, /"no-such-program": executable file not found in \$PATH/],
      [['exec', '/etc/passwd'], 126, /permission denied/],
      [['-w', '/no-such-dir', 'exec', 'pwd'], 127, /chdir to cwd \("\/no-such-dir"\).*no such file or directory/],
      [['-w', 'etc', 'exec', 'pwd'], 126, /Cwd must be an absolute path/],
      [['-u', 'nobody-here', 'exec', 'id'], 126, /unable to find user nobody-here/],
    ]
    for (const [args, expected, message] of cases) {
      const { code, stdout, stderr } = await daemon.docker(['exec', ...args])
      assert.equal(code, expected, `${args.join(' ')}: ${stdout}${stderr}`)
      assert.match(stdout, message)
      assert.equal(stderr, '')
    }
    await daemon.ok(['rm', '-f', 'exec'])
  })
})

interface Message {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

describe('events', () => {
  test('events of a run with a network and a volume come in Docker’s order', async () => {
    const since = Math.floor(Date.now() / 1000)
    await daemon.ok(['run', '--rm', '--name', 'told', '-v', 'toldvolume:/a', '-v', '/b', 'busybox', 'true'])
    await daemon.ok(['volume', 'rm', 'toldvolume'])
    const until = Math.floor(Date.now() / 1000) + 1
    const { text } = await daemon.api('GET', `/events?since=${since}&until=${until}`)
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Message)
    const all = events.map(({ Type, Action }) => `${Type} ${Action}`)
    // `since` counts in seconds, so earlier events of other tests come first.
    const told = all.slice(all.indexOf('volume create'))
    assert.deepEqual(told.slice(0, 2), ['volume create', 'volume create'])
    assert.deepEqual(told.slice(2, 9), [
      'container create',
      'container attach',
      'network connect',
      'volume mount',
      'volume mount',
      'container start',
      'container die',
    ])
    assert.deepEqual(told.slice(9).sort(), [
      'container destroy',
      'network disconnect',
      'volume destroy',
      'volume destroy',
      'volume unmount',
      'volume unmount',
    ])
    const connect = events.findLast(({ Action }) => Action === 'connect')
    assert.deepEqual(Object.keys(connect?.Actor.Attributes ?? {}).sort(), ['container', 'name', 'type'])
    const mount = events.find(({ Action, Actor }) => Action === 'mount' && Actor.ID === 'toldvolume')
    assert.equal(mount?.Actor.Attributes.destination, '/a')
    assert.equal(mount?.Actor.Attributes['read/write'], 'true')
  })

  test('events of execs contain the command', async () => {
    await run('execevents', 'sleep', '1000')
    const since = Math.floor(Date.now() / 1000)
    await daemon.ok(['exec', 'execevents', 'true'])
    await daemon.docker(['exec', 'execevents', 'no-such-program'])
    const until = Math.floor(Date.now() / 1000) + 1
    const filters = encodeURIComponent(JSON.stringify({ container: ['execevents'] }))
    const { text } = await daemon.api('GET', `/events?since=${since}&until=${until}&filters=${filters}`)
    const actions = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Message).Action)
    assert.deepEqual(
      actions.filter((action) => action.startsWith('exec')),
      [
        'exec_create: true ',
        'exec_start: true ',
        'exec_die',
        'exec_create: no-such-program ',
        'exec_start: no-such-program ',
      ],
    )
    await daemon.ok(['rm', '-f', 'execevents'])
  })
})

describe('prune and df', () => {
  test('container prune removes stopped containers, by label and age', async () => {
    const keep = await daemon.ok(['create', '--network', 'none', '--label', 'keep', 'busybox', 'true'])
    const old = await daemon.ok(['create', '--network', 'none', 'busybox', 'true'])
    const running = await run('stays', 'sleep', '1000')
    const prune = async (filters: object) => {
      const query = encodeURIComponent(JSON.stringify(filters))
      return daemon.api<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>(
        'POST',
        `/containers/prune?filters=${query}`,
      )
    }
    assert.deepEqual((await prune({ until: ['1h'] })).body, { ContainersDeleted: null, SpaceReclaimed: 0 })
    assert.deepEqual((await prune({ 'label!': ['keep'] })).body.ContainersDeleted, [old])
    assert.deepEqual((await prune({})).body.ContainersDeleted, [keep])
    assert.equal((await prune({ nonsense: ['x'] })).status, 400)
    assert.equal(await daemon.ok(['ps', '-aq', '--no-trunc']), running)
    await daemon.ok(['rm', '-f', running])
  })

  test('system df counts images, containers and volumes', async () => {
    const id = await daemon.ok([
      'run',
      '-d',
      '--network',
      'none',
      '-v',
      'dfvolume:/a',
      'busybox',
      'sh',
      '-c',
      'head -c 5000 /dev/zero > /f; head -c 3000 /dev/zero > /a/f',
    ])
    await daemon.ok(['wait', id])
    const { body } = await daemon.api<{
      LayersSize: number
      Images: { Containers: number; SharedSize: number }[]
      Containers: { SizeRw: number }[]
      Volumes: { Name: string; UsageData: { Size: number; RefCount: number } }[]
    }>('GET', '/system/df')
    assert.ok(body.LayersSize > 0)
    assert.equal(body.Images[0]?.Containers, 1)
    assert.equal(body.Containers[0]?.SizeRw, 5000)
    const volume = body.Volumes.find(({ Name }) => Name === 'dfvolume')
    assert.equal(volume?.UsageData.RefCount, 1)
    assert.ok((volume?.UsageData.Size ?? 0) >= 3000)
    assert.match(await daemon.ok(['system', 'df']), /^Images +1 +1/m)
    await daemon.ok(['rm', id])
    await daemon.ok(['volume', 'rm', 'dfvolume'])
  })

  test('logs --details leaves room for attributes', async () => {
    const id = await daemon.ok(['run', '-d', '--network', 'none', 'busybox', 'echo', 'text'])
    await daemon.ok(['wait', id])
    assert.equal((await daemon.docker(['logs', '--details', id])).stdout, ' text\n')
    await daemon.ok(['rm', id])
  })
})
