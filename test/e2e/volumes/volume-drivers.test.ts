/** Volumes that must be mounted: options of the local driver, and plugins. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { VolumePlugin } from '../../helpers/services/volume-plugin.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let directory = ''

before(async () => {
  directory = `/tmp/b-vp-${process.pid}`
  daemon = await TestDaemon.start({ flags: ['--plugin-dir', directory, '--plugin-timeout', '1'] })
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

interface ShownVolume {
  readonly Name: string
  readonly Driver: string
  readonly Mountpoint: string
  readonly Scope: string
  readonly Status?: unknown
  readonly Options: Readonly<Record<string, string>> | null
}

async function inspect(name: string): Promise<ShownVolume> {
  const { status, body, text } = await daemon.api<ShownVolume>('GET', `/volumes/${name}`)
  assert.equal(status, 200, text)
  return body
}

function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.inside(['--network', 'none', ...options], script)
}

/** The client's message for a command that must fail. */
async function failure(args: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(args)
  assert.notEqual(code, 0, args.join(' '))
  return stderr
}

function mountedVolumes(): string[] {
  return mountsBelow(join(daemon.dataRoot, 'volumes'))
}

async function plugin(name: string): Promise<VolumePlugin> {
  return await VolumePlugin.start({ directory, name, root: join(daemon.root, name) })
}

test('local driver: a tmpfs is mounted with its first container and unmounted with its last', async () => {
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=10m,uid=1000', 'mem'])
  const { Options, Mountpoint } = await inspect('mem')
  assert.deepEqual(Options, { device: 'tmpfs', o: 'size=10m,uid=1000', type: 'tmpfs' })
  assert.deepEqual(mountedVolumes(), [])
  const script = "grep ' /x ' /proc/mounts | grep -o 'size=[0-9k]*'; stat -c %u:%a /x"
  assert.equal(await inside(['-v', 'mem:/x'], script), 'size=10240k\n1000:1777')
  const run = ['run', '-d', '--network', 'none', '-v', 'mem:/x', 'busybox', 'sleep', '1000']
  const [one, two] = [await daemon.ok(run), await daemon.ok(run)]
  assert.deepEqual(mountedVolumes(), [Mountpoint])
  await daemon.ok(['exec', one, 'sh', '-c', 'echo shared >/x/f'])
  assert.equal(await daemon.ok(['exec', two, 'cat', '/x/f']), 'shared')
  await daemon.ok(['rm', '-f', one])
  await daemon.ok(['exec', two, 'cat', '/x/f'])
  assert.deepEqual(mountedVolumes(), [Mountpoint])
  await daemon.ok(['rm', '-f', two])
  await until(async () => mountedVolumes().length === 0)
  await daemon.ok(['volume', 'rm', 'mem'])
})

test('local driver: a directory of the host is shown and never deleted', async () => {
  const source = join(daemon.root, 'host-data')
  mkdirSync(source)
  writeFileSync(join(source, 'kept'), 'of the host\n')
  const options = `volume-opt=type=none,volume-opt=o=bind,volume-opt=device=${source}`
  const mount = ['--mount', `type=volume,src=host,dst=/x,${options}`]
  assert.equal(await inside(mount, 'cat /x/kept; echo new >/x/new'), 'of the host')
  assert.equal(readFileSync(join(source, 'new'), 'utf8'), 'new\n')
  const stopped = await daemon.ok(['create', '-v', 'host:/x:ro', 'busybox'])
  await daemon.ok(['cp', `${stopped}:/x/kept`, join(daemon.root, 'copied')])
  assert.equal(readFileSync(join(daemon.root, 'copied'), 'utf8'), 'of the host\n')
  await until(async () => mountedVolumes().length === 0)
  assert.match(await failure(['volume', 'rm', 'host']), new RegExp(`remove host: volume is in use - \\[${stopped}\\]`))
  await daemon.ok(['rm', stopped])
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'host:/x', 'busybox', 'sleep', '1000'])
  await daemon.ok(['rm', '-f', id])
  await daemon.ok(['volume', 'rm', 'host'])
  assert.deepEqual(readdirSync(source).sort(), ['kept', 'new'])
})

test('local driver: mounts survive a crash of the daemon, and are removed if their container ended meanwhile', async () => {
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'crash'])
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'crash2'])
  const run = (volume: string) => ['run', '-d', '--network', 'none', '-v', `${volume}:/x`, 'busybox', 'sleep', '1000']
  const [lives, dies] = [await daemon.ok(run('crash')), await daemon.ok(run('crash2'))]
  await daemon.ok(['exec', lives, 'sh', '-c', 'echo still >/x/f'])
  const pid = Number(await daemon.ok(['inspect', '-f', '{{.State.Pid}}', dies]))
  await daemon.kill9()
  process.kill(pid, 'SIGKILL')
  await until(async () => !existsSync(`/proc/${pid}`))
  await daemon.start()
  await until(async () => mountedVolumes().length === 1)
  assert.equal(await inside(['-v', 'crash:/y'], 'cat /y/f'), 'still')
  assert.equal(await daemon.ok(['exec', lives, 'cat', '/x/f']), 'still')
  assert.match(await failure(['volume', 'rm', 'crash']), new RegExp(lives))
  await daemon.ok(['rm', '-f', lives, dies])
  await until(async () => mountedVolumes().length === 0)
  await daemon.ok(['volume', 'rm', 'crash', 'crash2'])
})

test("local driver: a failed mount is reported with Docker's message", async () => {
  const create = (name: string, ...options: string[]) =>
    daemon.ok(['volume', 'create', ...options.flatMap((option) => ['-o', option]), name])
  await create('nowhere', 'type=none', 'o=bind', 'device=/nowhere/at/all')
  const run = (name: string) => failure(['run', '--rm', '--network', 'none', '-v', `${name}:/x`, 'busybox', 'true'])
  assert.match(
    await run('nowhere'),
    /error while mounting volume '.*\/nowhere\/_data': failed to mount local volume: mount \/nowhere\/at\/all:.*: no such file or directory/,
  )
  await create('share', 'type=nfs', 'o=addr=localhost,nfsvers=4,soft,timeo=1,retrans=0', 'device=:/export')
  assert.match(
    await run('share'),
    /failed to mount local volume: mount :\/export:.*, data: addr=127\.0\.0\.1,nfsvers=4/,
  )
  await create('unknown', 'type=nfs', 'o=addr=nobody.invalid', 'device=:/export')
  assert.match(await run('unknown'), /error resolving passed in network volume address: /)
  await create('secret', 'type=cifs', 'o=addr=127.0.0.1,username=u,password=hidden,port=1', 'device=//127.0.0.1/s')
  const said = await run('secret')
  assert.match(said, /password=\*{8}/)
  assert.doesNotMatch(said, /hidden/)
  assert.doesNotMatch(daemon.log, /hidden/)
  await create('lost', 'type=nfs', 'o=rw', 'device=192.0.2.1:/export')
  assert.match(await run('lost'), /data: rw: invalid argument: o must have addr=ADDRESS/)
  assert.deepEqual(mountedVolumes(), [])
  await daemon.ok(['volume', 'rm', 'nowhere', 'share', 'unknown', 'secret', 'lost'])
  const refused = (...options: string[]) =>
    failure(['volume', 'create', ...options.flatMap((option) => ['-o', option]), 'bad'])
  assert.match(await refused('type=tmpfs'), /create bad: missing required option: "device"/)
  assert.match(await refused('device=tmpfs'), /create bad: missing required option: "type"/)
  assert.match(await refused('o=bind'), /create bad: missing required option: "device"/)
  assert.match(await refused('colour=red'), /create bad: invalid option: "colour"/)
  assert.match(await refused('size=10m'), /create bad: quota size requested but no quota support/)
})

test('create: an existing name returns the existing volume with its options', async () => {
  const options = ['-o', 'type=tmpfs', '-o', 'device=tmpfs']
  await daemon.ok(['volume', 'create', ...options, 'same'])
  assert.equal(await daemon.ok(['volume', 'create', ...options, 'same']), 'same')
  assert.equal(await daemon.ok(['volume', 'create', 'same']), 'same')
  assert.equal(await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=other', 'same']), 'same')
  assert.deepEqual((await inspect('same')).Options, { device: 'tmpfs', type: 'tmpfs' })
  await daemon.ok(['volume', 'rm', 'same'])
})

test('local driver: a volume without a database row is adopted with its options', async () => {
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'orphan'])
  await daemon.stop()
  const db = new DatabaseSync(join(daemon.dataRoot, 'berth.db'))
  db.exec('DELETE FROM volumes')
  db.close()
  await daemon.start()
  assert.deepEqual((await inspect('orphan')).Options, { device: 'tmpfs', type: 'tmpfs' })
  await daemon.ok(['volume', 'rm', 'orphan'])
})

test('plugin: create, inspect, list, use, remove', async () => {
  await using far = await plugin('far')
  await daemon.ok(['volume', 'create', '-d', 'far', '-o', 'a=b', '--label', 'l=1', 'one'])
  assert.deepEqual(far.calls.find(({ method }) => method === 'VolumeDriver.Create')?.body, {
    Name: 'one',
    Opts: { a: 'b' },
  })
  const shown = await inspect('one')
  assert.deepEqual(
    [shown.Driver, shown.Scope, shown.Mountpoint, shown.Options, shown.Status],
    ['far', 'global', join(daemon.root, 'far/one'), { a: 'b' }, { options: { a: 'b' } }],
  )
  far.make('theirs')
  assert.equal(
    await daemon.ok(['volume', 'ls', '-f', 'driver=far', '--format', '{{.Name}} {{.Driver}} {{.Scope}}']),
    'one far global\ntheirs far global',
  )
  // Filled from the image like any other.
  assert.match(await inside(['-v', 'one:/etc'], 'cat /etc/passwd'), /root/)
  assert.equal(await inside(['-v', 'theirs:/x'], 'echo data >/x/f; cat /x/f'), 'data')
  assert.deepEqual(far.holders('one'), [])
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'one:/x', 'busybox', 'sleep', '1000'])
  assert.deepEqual(far.holders('one'), [id])
  assert.equal(
    await daemon.ok(['inspect', '-f', '{{range .Mounts}}{{.Driver}} {{.Name}} {{.Source}}{{end}}', id]),
    `far one ${join(daemon.root, 'far/one')}`,
  )
  assert.match(await failure(['volume', 'rm', 'one']), new RegExp(`volume is in use - \\[${id}\\]`))
  await daemon.ok(['rm', '-f', id])
  await until(async () => far.holders('one').length === 0)
  await daemon.ok(['volume', 'rm', 'one', 'theirs'])
  assert.equal(far.volumes.size, 0)
  assert.match(await failure(['volume', 'inspect', 'one']), /get one: no such volume/)
})

test('plugin: --volume-driver, --mount, and anonymous volumes that --rm removes', async () => {
  await using far = await plugin('drv')
  assert.equal(
    await inside(['--volume-driver', 'drv', '-v', 'named:/x', '-v', '/y'], 'echo 1 >/x/f; touch /y/f; cat /x/f'),
    '1',
  )
  await until(async () => far.volumes.size === 1)
  const mount = 'type=volume,src=opted,dst=/x,volume-driver=drv,volume-opt=size=3,volume-opt=kind=fast'
  await inside(['--mount', mount], 'true')
  assert.deepEqual(far.volumes.get('opted')?.options, { size: '3', kind: 'fast' })
  assert.deepEqual(JSON.parse(await daemon.ok(['info', '-f', '{{json .Plugins.Volume}}'])), ['local', 'drv'])
  await daemon.ok(['volume', 'rm', 'named', 'opted'])
})

test('plugin: names are unique across drivers', async () => {
  await using far = await plugin('uni')
  await daemon.ok(['volume', 'create', '-d', 'uni', 'here'])
  const taken = /create here: driver 'uni' already has volume 'here': volume name must be unique/
  assert.match(await failure(['volume', 'create', '-d', 'local', 'here']), taken)
  far.make('there')
  assert.match(await failure(['volume', 'create', '-d', 'local', 'there']), /driver 'uni' already has volume 'there'/)
  await daemon.ok(['volume', 'rm', 'here', 'there'])
})

test('plugin: its errors are passed on', async () => {
  await using far = await plugin('no')
  await daemon.ok(['volume', 'create', '-d', 'no', 'vol'])
  far.failing.set('VolumeDriver.Create', 'no create today')
  far.failing.set('VolumeDriver.Mount', 'no mount today')
  far.failing.set('VolumeDriver.Remove', 'no rm today')
  assert.match(await failure(['volume', 'create', '-d', 'no', 'other']), /create other: no create today/)
  assert.match(
    await failure(['run', '--rm', '--network', 'none', '-v', 'vol:/x', 'busybox', 'true']),
    /error while mounting volume '.*': no mount today/,
  )
  assert.match(await failure(['volume', 'rm', 'vol']), /remove vol: no rm today/)
  far.failing.clear()
  await daemon.ok(['volume', 'rm', 'vol'])
  assert.match(
    await failure(['volume', 'create', '-d', 'nothing', 'vol']),
    /create vol: error looking up volume plugin nothing: plugin "nothing" not found/,
  )
})

test('plugin: a missing one delays neither the boot nor other volumes; its mounts are released later', async () => {
  await using far = await plugin('gone')
  await daemon.ok(['volume', 'create', '-d', 'gone', 'vol'])
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'vol:/x', 'busybox', 'sleep', '1000'])
  const pid = Number(await daemon.ok(['inspect', '-f', '{{.State.Pid}}', id]))
  await daemon.kill9()
  process.kill(pid, 'SIGKILL')
  await until(async () => !existsSync(`/proc/${pid}`))
  await far.stop()
  await daemon.start()
  assert.equal(await inside(['-v', 'other:/x'], 'echo fine'), 'fine')
  const { body } = await daemon.api<{ Volumes: ShownVolume[]; Warnings: string[] | null }>('GET', '/volumes')
  assert.deepEqual(
    body.Volumes.map(({ Name }) => Name),
    ['other', 'vol'],
  )
  assert.equal(body.Warnings, null)
  assert.match(await failure(['start', id]), /error while mounting volume/)
  assert.match(await failure(['volume', 'inspect', 'vol']), /get vol: error looking up volume plugin gone/)
  // The plugin returns, and the next boot unmounts the volume of the ended container.
  await far.listen()
  assert.deepEqual(far.holders('vol'), [id])
  await daemon.restart()
  await until(async () => far.holders('vol').length === 0)
  await daemon.ok(['start', id])
  assert.deepEqual(far.holders('vol'), [id])
  await daemon.ok(['rm', '-f', id])
  await far.stop()
  assert.match(await failure(['volume', 'rm', 'vol']), /remove vol: error looking up volume plugin gone/)
  await daemon.ok(['volume', 'rm', '-f', 'vol'])
  await daemon.ok(['volume', 'rm', 'other'])
})

test('plugin: found by .spec and .json files; a broken file is named', async () => {
  await using far = await plugin('socket')
  writeFileSync(join(directory, 'spec.spec'), `unix://${join(directory, 'socket.sock')}\n`)
  const description = { Name: 'described', Addr: `unix://${join(directory, 'socket.sock')}` }
  writeFileSync(join(directory, 'described.json'), JSON.stringify(description))
  writeFileSync(join(directory, 'broken.spec'), 'nowhere')
  for (const driver of ['spec', 'described']) {
    await daemon.ok(['volume', 'create', '-d', driver, `by-${driver}`])
    assert.ok(far.volumes.has(`by-${driver}`))
  }
  assert.match(
    await failure(['volume', 'create', '-d', 'broken', 'vol']),
    /plugin file .*broken\.spec: "nowhere" is not an address of a plugin/,
  )
  const { body } = await daemon.api<{ Warnings: string[] | null }>('GET', '/volumes')
  assert.match(String(body.Warnings), /plugin "broken": plugin file/)
  for (const name of ['spec.spec', 'described.json', 'broken.spec']) rmSync(join(directory, name))
})
