/** Requests that Docker's command line never sends but libraries do: single streams of an exec, attach without a
 *  stream, missing values. Each answer was compared with dockerd 26.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { clientProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  await daemon.ok(['run', '-d', '--network', 'none', '--name', 'up', 'busybox', 'sleep', '1000'])
})
after(() => daemon?.[Symbol.asyncDispose]())

/** A frame of the stream, for texts of less than 256 bytes. */
function frame(stream: 1 | 2, text: string): string {
  return `${String.fromCharCode(stream)}\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`
}

async function exec(config: Readonly<Record<string, unknown>>, start = {}): Promise<string> {
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/up/exec', config)
  const { status, text } = await daemon.api('POST', `/exec/${body.Id}/start`, start)
  assert.equal(status, 200)
  return text
}

const both = ['sh', '-c', 'echo out; echo err >&2']

test('exec: sends only the streams that the client asked for', async () => {
  assert.equal(await exec({ Cmd: both, AttachStdout: true }), frame(1, 'out\n'))
  assert.equal(await exec({ Cmd: both, AttachStderr: true }), frame(2, 'err\n'))
  assert.equal(await exec({ Cmd: ['echo', 'x'], Tty: true, AttachStderr: true }, { Tty: true }), '')
})

test('exec: without any stream the response ends at once and the process keeps running', async () => {
  const script = 'while [ ! -e /tmp/go ]; do sleep 0.05; done; echo out; echo done >/tmp/ran'
  assert.equal(await exec({ Cmd: ['sh', '-c', script] }), '')
  await exec({ Cmd: ['touch', '/tmp/go'], AttachStdout: true })
  const wait = 'until [ -e /tmp/ran ]; do sleep 0.05; done; cat /tmp/ran'
  assert.equal(await exec({ Cmd: ['sh', '-c', wait], AttachStdout: true }), frame(1, 'done\n'))
})

test('exec: the start decides whether the stream has frames, not the creation', async () => {
  const all = { AttachStdout: true, AttachStderr: true }
  assert.equal(await exec({ Cmd: ['echo', 'x'], Tty: true, ...all }, { Tty: false }), frame(1, 'x\r\n'))
  assert.equal(await exec({ Cmd: both, ...all }, { Tty: true }), 'out\n')
})

test('exec: a second start is refused; inspect shows detach keys as bytes', async () => {
  const config = { Cmd: ['true'], AttachStdout: true, DetachKeys: 'ctrl-a,x' }
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/up/exec', config)
  await daemon.api('POST', `/exec/${body.Id}/start`, {})
  const again = await daemon.api('POST', `/exec/${body.Id}/start`, { Detach: true })
  assert.deepEqual([again.status, again.body], [409, { message: `Error: Exec command ${body.Id} has already run` }])
  const shown = await daemon.api<{ DetachKeys: string }>('GET', `/exec/${body.Id}/json`)
  assert.equal(shown.body.DetachKeys, Buffer.from([1, 'x'.charCodeAt(0)]).toString('base64'))
})

test('attach: without any stream the response ends at once', async () => {
  for (const query of ['', '?stream=1', '?stream=1&stdin=1', '?logs=1']) {
    const { status, text } = await daemon.api('POST', `/containers/up/attach${query}`)
    assert.deepEqual([status, text], [200, ''], query)
  }
})

async function refused(method: string, path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown[]> {
  const answer = await daemon.api<{ message: string }>(method, path, body)
  return [answer.status, answer.body.message]
}

test('paths with empty parts, whole URLs, and invalid queries are handled as in dockerd', async () => {
  for (const path of ['//containers/json', '/v1.45//containers/json', 'http://docker/v1.45/containers/./json']) {
    const { status, body } = await daemon.api<readonly object[]>('GET', path)
    assert.deepEqual([status, body.length], [200, 1], path)
  }
  assert.deepEqual(await refused('GET', '/containers/json?all=%zz'), [400, 'invalid URL escape "%zz"'])
  assert.deepEqual(await refused('GET', '/containers/json?a=1;b=2'), [400, 'invalid semicolon separator in query'])
  assert.equal((await daemon.api('OPTIONS', '/containers/json')).status, 200)
})

test('requests without a body: a volume, a network and a container get default names', async () => {
  const volume = await daemon.api<{ Name: string; Labels: object }>('POST', '/volumes/create')
  assert.equal(volume.status, 201)
  assert.deepEqual(volume.body.Labels, { 'com.docker.volume.anonymous': '' })
  assert.equal((await daemon.api('DELETE', `/volumes/${volume.body.Name}`)).status, 204)
  assert.deepEqual(await refused('POST', '/networks/bridge/connect'), [400, 'invalid name or ID supplied: ""'])
  assert.deepEqual(await refused('POST', '/commit'), [400, 'invalid name or ID supplied: ""'])
})

test('load: an archive that is not valid is reported in the stream', async () => {
  const { status, body } = await daemon.api<{ error: string }>('POST', '/images/load', Buffer.from('no archive'))
  assert.deepEqual([status, /invalid tar archive/.test(body.error)], [200, true])
})

test('HostConfig shows null for what was not set; lists leave out zeros', async () => {
  interface Shown {
    readonly HostConfig: Readonly<Record<string, unknown>>
  }
  const given = { Dns: [], DnsSearch: ['a'], PortBindings: {}, Annotations: {} }
  for (const [name, hostConfig, shown] of [
    ['bare', {}, [null, null, null, null, undefined]],
    ['empty', given, [[], ['a'], null, {}, undefined]],
  ] as const) {
    const body = { Image: 'busybox', HostConfig: hostConfig }
    assert.equal((await daemon.api('POST', `/containers/create?name=${name}`, body)).status, 201)
    const { HostConfig: config } = (await daemon.api<Shown>('GET', `/containers/${name}/json`)).body
    const { Dns, DnsSearch, DnsOptions, PortBindings, Annotations } = config
    assert.deepEqual([Dns, DnsSearch, DnsOptions, PortBindings, Annotations], shown)
  }
  const filters = encodeURIComponent('{"name":["^/empty$"]}')
  const [listed] = (
    await daemon.api<readonly Shown[]>('GET', `/containers/json?all=1&size=1&filters=${filters}`)
  ).body.map((one) => ['SizeRw' in one, 'SizeRootFs' in one, 'Annotations' in one.HostConfig])
  assert.deepEqual(listed, [false, true, false])
  await daemon.ok(['rm', 'bare', 'empty'])
  // The mount points that the engine itself creates in a root do not count.
  await daemon.ok(['run', '--name', 'wrote', '--network', 'none', 'busybox', 'sh', '-c', 'printf abc >/a'])
  const { body } = await daemon.api<{ SizeRw: number }>('GET', '/containers/wrote/json?size=1')
  assert.equal(body.SizeRw, 3)
  await daemon.ok(['rm', 'wrote'])
})

test('old API versions get the members of their time', async () => {
  interface Shown {
    readonly ExecutionDriver?: string
    readonly Images: readonly { readonly VirtualSize?: number; readonly Size: number }[]
  }
  const of = async (path: string) => (await daemon.api<Shown>('GET', path)).body
  assert.equal((await of('/v1.24/info')).ExecutionDriver, '<not supported>')
  assert.equal((await of('/v1.25/info')).ExecutionDriver, undefined)
  const [before, since] = [(await of('/v1.43/system/df')).Images[0], (await of('/v1.44/system/df')).Images[0]]
  assert.deepEqual([before?.VirtualSize, since?.VirtualSize], [before?.Size, undefined])
  const members = async (version: string) => {
    const { body } = await daemon.api<readonly { Name: string; Containers: object }[]>('GET', `/v${version}/networks`)
    return Object.keys(body.find(({ Name }) => Name === 'none')?.Containers ?? {}).length
  }
  assert.deepEqual([await members('1.27'), await members('1.28')], [1, 0])
})

test('a tmpfs is listed if it was requested as a mount', async () => {
  const HostConfig = { Mounts: [{ Type: 'tmpfs', Target: '/t' }], Tmpfs: { '/u': '' } }
  assert.equal((await daemon.api('POST', '/containers/create?name=tmp', { Image: 'busybox', HostConfig })).status, 201)
  const filters = encodeURIComponent('{"name":["^/tmp$"]}')
  const { body } = await daemon.api<readonly { readonly Mounts: readonly { readonly Destination: string }[] }[]>(
    'GET',
    `/containers/json?all=1&filters=${filters}`,
  )
  assert.deepEqual(body[0]?.Mounts, [
    { Type: 'tmpfs', Source: '', Destination: '/t', Mode: '', RW: true, Propagation: '' },
  ])
  await daemon.ok(['rm', 'tmp'])
})

test('an invalid name server address fails the start', async () => {
  const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Dns: ['fe80::1%eth0', 'bad'] } }
  assert.equal((await daemon.api('POST', '/containers/create?name=lost', body)).status, 201)
  const message = 'bad nameserver address bad: ParseAddr("bad"): unable to parse IP'
  assert.deepEqual(await refused('POST', '/containers/lost/start'), [400, message])
  await daemon.ok(['rm', 'lost'])
})

test('an invalid filter value is refused even if there is nothing to filter', async () => {
  const filters = encodeURIComponent('{"dangling":["x"]}')
  assert.deepEqual(await refused('GET', `/volumes?filters=${filters}`), [400, "invalid filter 'dangling=[x]'"])
  assert.deepEqual(await refused('GET', `/images/json?filters=${filters}`), [400, "invalid filter 'dangling=[x]'"])
})

test('df: types that were not requested are null', async () => {
  const { body } = await daemon.api<Readonly<Record<string, unknown>>>('GET', '/v1.45/system/df?type=volume')
  assert.deepEqual(body, { LayersSize: 0, Images: null, Containers: null, Volumes: [], BuildCache: null })
  assert.equal((await daemon.api('GET', '/v1.41/system/df?type=unknown')).status, 200)
})

test('checkpoints are refused by name; stats sends one reading or a stream', async () => {
  const [status, message] = await refused('POST', '/containers/up/start?checkpoint=x')
  assert.deepEqual([status, /^checkpoint is not implemented/.test(String(message))], [501, true])
  for (const [method, path] of [
    ['GET', '/containers/up/checkpoints'],
    ['DELETE', '/containers/up/checkpoints/x'],
  ] as const) {
    assert.equal((await refused(method, path))[0], 501)
  }
  const both = await refused('GET', '/containers/up/stats?one-shot=1')
  assert.deepEqual(both, [400, 'cannot have stream=true and one-shot=true'])
})

test("an archive of a running container's root leaves out the kernel's file systems", async () => {
  const cp = `"$0" -H ${daemon.host} cp up:/ - | tar -t`
  const { stdout } = await runCommand('bash', ['-o', 'pipefail', '-c', cp, clientProgram])
  const names = stdout.split('\n').map((name) => name.replace(/^\.?\//, ''))
  assert.ok(['etc/passwd', 'proc/', 'dev/'].every((name) => names.includes(name)))
  assert.deepEqual(
    names.filter((name) => /^(proc|sys|dev)\/./.test(name)),
    [],
  )
})

test('top: shows all processes of the container, whatever the ps arguments select', async () => {
  const { body } = await daemon.api<{ Processes: readonly string[][] }>(
    'GET',
    '/containers/up/top?ps_args=-o%20pid,args',
  )
  assert.deepEqual(
    body.Processes.map(([, command]) => command),
    ['sleep 1000'],
  )
})

interface Attached {
  readonly Config: { readonly MacAddress?: string }
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly Aliases: readonly string[] | null; readonly MacAddress: string }>
    >
  }
}

test('MAC addresses stay with their networks; old clients see names and addresses in the old members', async () => {
  await daemon.ok(['network', 'create', 'one'])
  await daemon.ok(['network', 'create', 'two'])
  const mac = '02:00:00:00:00:03'
  const networks = { EndpointsConfig: { one: { Aliases: ['al'] }, two: { MacAddress: mac } } }
  const config = { Image: 'busybox', Cmd: ['sleep', '1000'], Hostname: 'host', HostConfig: { NetworkMode: 'one' } }
  const made = await daemon.api<{ Id: string }>('POST', '/v1.45/containers/create?name=macs', {
    ...config,
    NetworkingConfig: networks,
  })
  await daemon.ok(['start', 'macs'])
  const now = (await daemon.api<Attached>('GET', '/v1.45/containers/macs/json')).body
  assert.equal(now.NetworkSettings.Networks.two?.MacAddress, mac)
  assert.notEqual(now.NetworkSettings.Networks.one?.MacAddress, mac)
  assert.deepEqual([now.Config.MacAddress, now.NetworkSettings.Networks.one?.Aliases], [undefined, ['al']])
  const old = (await daemon.api<Attached>('GET', '/v1.44/containers/macs/json')).body
  assert.deepEqual(old.NetworkSettings.Networks.one?.Aliases, ['al', made.body.Id.slice(0, 12), 'host'])
  const wide = await daemon.api<{ Warnings: readonly string[] }>('POST', '/v1.45/containers/create?name=wide', {
    ...config,
    MacAddress: mac,
  })
  assert.match(wide.body.Warnings.join(), /container-wide MacAddress field is now deprecated/)
  const shown = (await daemon.api<Attached>('GET', '/v1.45/containers/wide/json')).body
  assert.deepEqual([shown.Config.MacAddress, shown.NetworkSettings.Networks.one?.MacAddress], [mac, mac])
  // A second stop does not change a stopped container.
  assert.equal((await daemon.api('POST', '/networks/one/connect', { Container: 'wide' })).status, 200)
  await daemon.ok(['rm', '-f', 'macs', 'wide'])
  await daemon.ok(['network', 'rm', 'one', 'two'])
})

test('events: unknown filters are ignored, all labels must match, and a prune of builds is an event', async () => {
  const since = Math.floor(Date.now() / 1000)
  await daemon.api('POST', '/build/prune')
  const of = async (filters: string) =>
    (await daemon.api('GET', `/events?since=${since}&until=${Math.ceil(Date.now() / 1000)}&filters=${filters}`)).text
  const builder = await of('{"type":["builder"],"unknown":["x"]}')
  assert.match(builder, /"Action":"prune".*"reclaimed":"\d+"/)
  assert.equal(await of('{"label":["reclaimed","other"]}'), '')
})

test('tags: a tag overrides the one in the name; invalid names are refused before a build', async () => {
  assert.equal((await daemon.api('POST', '/images/busybox/tag?repo=t1:y&tag=z')).status, 201)
  assert.equal(await daemon.ok(['images', '--format', '{{.Repository}}:{{.Tag}}', 't1']), 't1:z')
  await daemon.ok(['rmi', 't1:z'])
  assert.deepEqual(await refused('POST', '/images/busybox/tag?repo=t1&tag=a%20b'), [400, 'invalid tag format'])
  assert.equal((await refused('POST', '/build?t=UPPER'))[0], 400)
  assert.deepEqual(await refused('POST', '/build?version=3'), [400, 'invalid version "3"'])
})

test('create: member names match in any case at every depth, so no port is open wider than requested', async () => {
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/create?name=cases', {
    image: 'busybox',
    CMD: ['sleep', '1000'],
    hostConfig: {
      portBindings: { '80/tcp': [{ HostIP: '127.0.0.1', hostport: '0' }], '81/tcp': [{ HostIp: '127.0.0.1' }] },
      mounts: [{ type: 'tmpfs', TARGET: '/t', tmpfsOptions: { sizebytes: 65536 } }],
      restartPolicy: { name: 'on-failure', maximumRetryCount: 2 },
    },
  })
  await daemon.ok(['start', 'cases'])
  interface Shown {
    readonly HostConfig: { readonly PortBindings: object; readonly RestartPolicy: object; readonly Mounts: object }
    readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string }[]>> }
  }
  const { HostConfig: config, NetworkSettings: settings } = (
    await daemon.api<Shown>('GET', `/containers/${body.Id}/json`)
  ).body
  assert.deepEqual(config.PortBindings, {
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }],
    '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
  })
  assert.deepEqual(config.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 2 })
  assert.deepEqual(config.Mounts, [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 65536 } }])
  assert.deepEqual(
    Object.values(settings.Ports).map((ports) => ports.map(({ HostIp }) => HostIp)),
    [['127.0.0.1'], ['127.0.0.1']],
  )
  await daemon.ok(['rm', '-f', 'cases'])
})
