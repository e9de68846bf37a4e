/** Volumes as users know them: lifetime, filters, data-volume containers, sharing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setXattr } from '../../../src/sys/index.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.inside(['--network', 'none', ...options], script)
}

async function failure(args: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(args)
  assert.notEqual(code, 0, args.join(' '))
  return stderr.trim()
}

async function names(...filters: string[]): Promise<string[]> {
  const listed = await daemon.ok(['volume', 'ls', '-q', ...filters.flatMap((filter) => ['-f', filter])])
  return listed === '' ? [] : listed.split('\n')
}

/** Removes all volumes; none may be in use. */
async function clean(): Promise<void> {
  const all = await names()
  if (all.length > 0) await daemon.ok(['volume', 'rm', ...all])
}

test("containers see each other's writes at once; commit leaves volumes out; they stay when containers are removed", async () => {
  const run = ['run', '-d', '--network', 'none', '-v', 'shared:/v', 'busybox', 'sleep', '1000']
  const [one, two] = [await daemon.ok(run), await daemon.ok(run)]
  await daemon.ok(['exec', one, 'sh', '-c', 'echo first >/v/f; echo own >/own'])
  assert.equal(await daemon.ok(['exec', two, 'cat', '/v/f']), 'first')
  await daemon.ok(['exec', two, 'sh', '-c', 'echo second >>/v/f; mkfifo /v/p'])
  // Not only files: the same fifo.
  const reading = daemon.ok(['exec', one, 'cat', '/v/p'])
  await daemon.ok(['exec', two, 'sh', '-c', 'echo through >/v/p'])
  assert.equal(await reading, 'through')
  assert.equal(await daemon.ok(['exec', one, 'cat', '/v/f']), 'first\nsecond')
  await daemon.ok(['commit', one, 'committed:1'])
  assert.equal(
    await daemon.ok(['run', '--rm', '--network', 'none', 'committed:1', 'sh', '-c', 'ls -A /v; cat /own']),
    'own',
  )
  await daemon.ok(['rm', '-f', one, two])
  assert.equal(await inside(['-v', 'shared:/v'], 'cat /v/f'), 'first\nsecond')
  await daemon.ok(['rmi', 'committed:1'])
  await clean()
})

test('data-volume containers work: stopped ones, several, chains, read-only', async () => {
  await daemon.ok(['create', '--name', 'dv1', '-v', '/one', '-v', 'dvnamed:/named', 'busybox', 'true'])
  await daemon.ok(['create', '--name', 'dv2', '-v', '/two', '--tmpfs', '/tmpfs', 'busybox', 'true'])
  await daemon.ok(['create', '--name', 'dv3', '--volumes-from', 'dv1:ro', '--volumes-from', 'dv2', 'busybox', 'true'])
  await inside(['--volumes-from', 'dv1', '--volumes-from', 'dv2'], 'echo 1 >/one/f; echo 2 >/two/f; echo n >/named/f')
  const look =
    'cat /one/f /two/f /named/f; for d in one two named; do touch /$d/t 2>/dev/null || echo $d is read-only; done; ls -d /tmpfs 2>/dev/null || echo none'
  // The chain keeps a mount read-only that was read-only at its first link.
  assert.equal(await inside(['--volumes-from', 'dv3'], look), '1\n2\nn\none is read-only\nnamed is read-only\nnone')
  assert.equal(
    await inside(['--volumes-from', 'dv3:ro'], look),
    '1\n2\nn\none is read-only\ntwo is read-only\nnamed is read-only\nnone',
  )
  // The container's own mount takes precedence.
  assert.equal(await inside(['--volumes-from', 'dv1', '-v', 'other:/one'], 'ls /one | wc -l; cat /named/f'), '0\nn')
  // The volumes stay as long as one container uses them.
  await daemon.ok(['rm', '-v', 'dv1'])
  assert.equal(await inside(['--volumes-from', 'dv3'], 'cat /one/f'), '1')
  assert.equal((await names()).length, 4)
  await daemon.ok(['rm', '-v', 'dv2', 'dv3'])
  assert.deepEqual(
    await names('dangling=true'),
    ['dvnamed', 'other', ...(await names()).filter((name) => name.length === 64)].sort(),
  )
  await clean()
})

test("volumes-from and -v: malformed values are refused in Docker's words", async () => {
  await daemon.ok(['create', '--name', 'donor', '-v', '/data', 'busybox', 'true'])
  const refused = async (flag: string, value: string) => failure(['create', flag, value, 'busybox'])
  for (const [value, message] of [
    ['nobody', 'No such container: nobody'],
    ['donor:xx', 'invalid mode: xx'],
    ['donor:ro,rw', 'invalid mode: ro,rw'],
    ['donor:ro:z', 'invalid mode: ro:z'],
    [':ro', 'invalid name or ID supplied: ""'],
    ['', 'volumes-from specification cannot be an empty string'],
  ] as const) {
    assert.equal(await refused('--volumes-from', value), `Error response from daemon: ${message}`)
  }
  const spec = (text: string, why = '') =>
    `invalid volume specification: '${text}'${why && `: invalid mount config for type ${why}`}`
  for (const [value, message] of [
    ['vol:/x:ro,rw', 'invalid mode: ro,rw'],
    ['vol:/x:z,Z', 'invalid mode: z,Z'],
    ['vol:/x:foo', 'invalid mode: foo'],
    ['/x:ro', spec('/x:ro')],
    ['/tmp:x', spec('/tmp:x', `"bind": invalid mount path: 'x' mount path must be absolute`)],
    ['/tmp:/x:nocopy', spec('/tmp:/x:nocopy', '"bind": field VolumeOptions must not be specified')],
    ['vol:/x:rshared', spec('vol:/x:rshared', '"volume": field BindOptions must not be specified')],
    ['vol:/', spec('vol:/', `"volume": invalid specification: destination can't be '/'`)],
  ] as const) {
    assert.equal(await refused('-v', value), `Error response from daemon: ${message}`)
  }
  assert.match(
    await refused('--mount', 'type=volume,dst=/x,readonly'),
    /must not set ReadOnly mode when using anonymous volumes/,
  )
  assert.match(await refused('-v', 'a@b:/x'), /create a@b: "a@b" includes invalid characters for a local volume name/)
  // Docker's command line takes the letter for a Windows drive, and its daemon creates a directory named `x:`.
  const short = 'volume name is too short, names should be at least two alphanumeric characters'
  for (const option of [
    ['-v', 'x:/x'],
    ['--mount', 'type=volume,src=x,dst=/x'],
  ] satisfies [string, string][]) {
    assert.equal(await refused(...option), `Error response from daemon: create x: ${short}`)
  }
  const { body } = await daemon.api('POST', '/containers/create', { Image: 'busybox', HostConfig: { Binds: ['x:/x'] } })
  assert.deepEqual(body, { message: `create x: ${short}` })
  assert.match((await daemon.docker(['volume', 'create', 'x'])).stderr, new RegExp(`create x: ${short}`))
  await daemon.ok(['rm', '-v', 'donor'])
  assert.deepEqual(await names(), [])
})

test('-v accepts ro, nocopy, z and Z, and consistency', async () => {
  assert.equal(await inside(['-v', 'opt:/etc'], 'test -s /etc/passwd && echo filled'), 'filled')
  assert.equal(await inside(['-v', 'opt2:/etc:nocopy'], 'ls -A /etc/passwd 2>/dev/null || echo empty'), 'empty')
  for (const mode of ['ro', 'ro,z', 'Z,ro', 'ro,cached']) {
    assert.equal(await inside(['-v', `opt:/x:${mode}`], 'touch /x/t 2>/dev/null || echo read-only'), 'read-only')
  }
  for (const mode of ['rw', 'z', 'Z', 'rw,delegated']) {
    assert.equal(await inside(['-v', `opt:/x:${mode}`], 'touch /x/t && echo written'), 'written')
  }
  await clean()
})

test('a new volume is filled from the image: owners, modes, attributes, links', async () => {
  const archive = join(daemon.root, 'filled.tar')
  await writeBusyboxArchive({
    path: archive,
    reference: 'filled:1',
    prepare: (rootfs) => {
      const script = `set -e; mkdir -p $1/data/sub; echo x >$1/data/sub/f; ln $1/data/sub/f $1/data/hard; ln -s sub/f $1/data/soft
        chown 7:8 $1/data/sub/f; chmod 4711 $1/data/sub/f; chown 9:10 $1/data; chmod 1770 $1/data`
      assert.equal(spawnSync('sh', ['-c', script, 'sh', rootfs]).status, 0)
      setXattr(
        join(rootfs, 'data/sub/f'),
        'security.capability',
        Buffer.from('0100000200040000000000000000000000000000', 'hex'),
      )
    },
  })
  await daemon.ok(['load', '-q', '-i', archive])
  const look = "stat -c '%n %u:%g %a %h' /data /data/sub/f /data/hard; readlink /data/soft"
  const expected = '/data 9:10 1770 3\n/data/sub/f 7:8 4711 2\n/data/hard 7:8 4711 2\nsub/f'
  for (const options of [
    ['-v', '/data'],
    ['-v', 'filled:/data'],
    ['--mount', 'type=volume,src=filled2,dst=/data'],
  ]) {
    const run = ['run', '--rm', '--network', 'none', ...options, 'filled:1', 'sh', '-c', look]
    assert.equal(await daemon.ok(run), expected)
  }
  // Only once: deleted files do not come back.
  const again = ['run', '--rm', '--network', 'none', '-v', 'filled:/data', 'filled:1', 'sh', '-c']
  await daemon.ok([...again, 'rm /data/hard'])
  assert.equal(await daemon.ok([...again, 'ls /data']), 'soft\nsub')
  await daemon.ok(['rmi', 'filled:1'])
  await clean()
})

test('list: all filters, also together; unknown ones are refused', async () => {
  await daemon.ok(['volume', 'create', '--label', 'tier=db', '--label', 'x', 'alpha-one'])
  await daemon.ok(['volume', 'create', '--label', 'tier=web', 'alpha-two'])
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'beta'])
  const user = await daemon.ok(['create', '-v', 'alpha-one:/x', 'busybox', 'true'])
  assert.deepEqual(await names('name=alpha'), ['alpha-one', 'alpha-two'])
  assert.deepEqual(await names('name=alpha', 'name=beta'), ['alpha-one', 'alpha-two', 'beta'])
  assert.deepEqual(await names('label=tier'), ['alpha-one', 'alpha-two'])
  assert.deepEqual(await names('label=tier=db', 'label=x'), ['alpha-one'])
  assert.deepEqual(await names('label=tier=db', 'label=tier=web'), [])
  assert.deepEqual(await names('dangling=true'), ['alpha-two', 'beta'])
  assert.deepEqual(await names('dangling=0'), ['alpha-one'])
  assert.deepEqual(await names('dangling=true', 'name=alpha'), ['alpha-two'])
  assert.deepEqual(await names('driver=local'), ['alpha-one', 'alpha-two', 'beta'])
  assert.deepEqual(await names('driver=other'), [])
  assert.match(await failure(['volume', 'ls', '-f', 'dangling=perhaps']), /invalid filter 'dangling=\[perhaps\]'/)
  const both = ['volume', 'ls', '-f', 'dangling=true', '-f', 'dangling=false']
  assert.match(await failure(both), /invalid filter 'dangling=\[(true false|false true)\]'/)
  assert.match(await failure(['volume', 'prune', '-f', '--filter', 'all=some']), /invalid filter 'all=\[some\]'/)
  assert.match(await failure(['volume', 'ls', '-f', 'scope=local']), /invalid filter 'scope'/)
  await daemon.ok(['rm', user])
  await clean()
})

test('prune: anonymous volumes, all with --all, by label; volumes with options or in use stay', async () => {
  await daemon.ok(['volume', 'create', '--label', 'keep=1', 'kept'])
  await daemon.ok(['volume', 'create', 'named'])
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'optioned'])
  const anonymous = await daemon.ok(['volume', 'create'])
  const user = await daemon.ok(['create', '-v', '/used', 'busybox', 'true'])
  assert.equal(
    await daemon.ok(['volume', 'prune', '-f']),
    `Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B`,
  )
  const { body } = await daemon.api<{ VolumesDeleted: string[] }>(
    'POST',
    '/v1.41/volumes/prune?filters={"label!":["keep=1"]}',
  )
  assert.deepEqual(body.VolumesDeleted, ['named'])
  assert.match(await daemon.ok(['volume', 'prune', '-f', '-a', '--filter', 'label=keep']), /^Deleted Volumes:\nkept\n/)
  assert.equal(await daemon.ok(['volume', 'prune', '-fa']), 'Total reclaimed space: 0B')
  await daemon.ok(['rm', '-v', user])
  assert.deepEqual(await names(), ['optioned'])
  await clean()
})

test('system df shows sizes and users of volumes', async () => {
  await inside(['-v', 'sized:/v'], 'head -c 3000000 /dev/zero >/v/f')
  const users = [0, 1].map(() => daemon.ok(['create', '-v', 'sized:/v', 'busybox', 'true']))
  const ids = await Promise.all(users)
  const shown = await daemon.ok(['system', 'df', '-v'])
  assert.match(shown, /^sized +2 +3MB$/m)
  assert.match(await daemon.ok(['system', 'df']), /^Local Volumes +1 +1 +3MB +0B/m)
  const { body } = await daemon.api<Record<string, unknown>>('GET', '/volumes/sized')
  assert.equal('UsageData' in body, false)
  await daemon.ok(['rm', ...ids])
  await clean()
})

test('references survive a crash; a volume in use cannot be removed until its container is gone', async () => {
  const id = await daemon.ok(['create', '-v', 'held:/v', '-v', '/anon', 'busybox', 'true'])
  await daemon.kill9()
  await daemon.start()
  const message = `Error response from daemon: remove held: volume is in use - [${id}]`
  assert.equal(await failure(['volume', 'rm', 'held']), message)
  assert.equal(await failure(['volume', 'rm', '-f', 'held']), message)
  assert.equal((await daemon.api('DELETE', '/volumes/held')).status, 409)
  await daemon.ok(['rm', '-v', id])
  assert.deepEqual(await names(), ['held'])
  await daemon.ok(['volume', 'rm', 'held'])
  assert.equal(await failure(['volume', 'rm', 'held']), 'Error response from daemon: get held: no such volume')
  assert.equal(await daemon.ok(['volume', 'rm', '-f', 'held']), 'held')
  await until(async () => !existsSync(join(daemon.dataRoot, 'volumes/held')))
})

test('events report changes of volumes, with their drivers', async () => {
  const since = String(Date.now() / 1000 - 1)
  await inside(['-v', 'told:/v'], 'true')
  await daemon.ok(['volume', 'rm', 'told'])
  const format = ['--format', '{{.Action}} {{index .Actor.Attributes "driver"}}', '--filter', 'volume=told']
  const next = String(Math.ceil(Date.now() / 1000) + 1)
  const events = await daemon.ok(['events', '--since', since, '--until', next, ...format])
  assert.deepEqual(events.split('\n').sort(), ['create local', 'destroy local', 'mount local', 'unmount local'])
})
