/** `HostConfig.Mounts` and related fields, seen from inside a container. A test's title begins with the field. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Standard output of a shell script in a container without a network. */
function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '--rm', '--network', 'none', ...options, 'busybox', 'sh', '-c', script])
}

/** Message of a create that must be refused. */
async function refused(body: Readonly<Record<string, unknown>>, status = 400): Promise<string> {
  const answer = await daemon.api<{ message: string }>('POST', '/containers/create', { Image: 'busybox', ...body })
  assert.equal(answer.status, status, answer.text)
  return answer.body.message
}

function mountRefused(mount: Readonly<Record<string, unknown>>): Promise<string> {
  return refused({ HostConfig: { Mounts: [{ Target: '/x', ...mount }] } })
}

/** A directory of the host with a tmpfs mounted on its `below`. */
function nested(name: string, context: TestContext): string {
  const path = join(daemon.root, name)
  mkdirSync(join(path, 'below'), { recursive: true })
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', 'none', join(path, 'below')]).status, 0)
  context.after(() => spawnSync('umount', [join(path, 'below')]))
  writeFileSync(join(path, 'below/file'), 'deep')
  return path
}

const tryBoth = 'touch /x/a 2>/dev/null || echo top; touch /x/below/a 2>/dev/null || echo deep'

test('HostConfig.Mounts: a read-only bind is read-only at all depths, unless requested otherwise', async (context) => {
  const source = nested('ro', context)
  const mount = (more: string) => inside(['--mount', `type=bind,src=${source},dst=/x,readonly${more}`], tryBoth)
  assert.equal(await inside(['-v', `${source}:/x:ro`], tryBoth), 'top\ndeep')
  assert.equal(await mount(''), 'top\ndeep')
  assert.equal(await mount(',bind-recursive=writable'), 'top')
  assert.equal(await mount(',bind-recursive=readonly,bind-propagation=rprivate'), 'top\ndeep')
  assert.match(
    await mountRefused({
      Type: 'bind',
      Source: source,
      BindOptions: { ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true },
    }),
    /mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive/,
  )
})

test('HostConfig.Mounts: a bind without its submounts, and one whose source is created', async (context) => {
  const source = nested('flat', context)
  const flat = ['--mount', `type=bind,src=${source},dst=/x,bind-recursive=disabled`]
  assert.equal(await inside(flat, 'ls /x; ls /x/below'), 'below')
  const body = { Type: 'bind', Source: join(daemon.root, 'new/one'), Target: '/x' }
  assert.match(await mountRefused(body), /bind source path does not exist/)
  const made = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['touch', '/x/file'],
    HostConfig: { NetworkMode: 'none', Mounts: [{ ...body, BindOptions: { CreateMountpoint: true } }] },
  })
  await daemon.ok(['start', '-a', made.body.Id])
  await daemon.ok(['rm', made.body.Id])
  assert.equal(readFileSync(join(daemon.root, 'new/one/file'), 'utf8'), '')
})

test('HostConfig.Mounts: a part of a volume, and never anything outside of it', async () => {
  await inside(
    ['-v', 'parts:/v'],
    'mkdir -p /v/a/b; echo in >/v/a/b/f; ln -s /etc /v/out; ln -s a/b /v/link; echo 1 >/v/one',
  )
  const part = (subpath: string) => ['--mount', `type=volume,src=parts,dst=/x,volume-subpath=${subpath}`]
  assert.equal(await inside(part('a/b'), 'cat /x/f; echo more >/x/g'), 'in')
  assert.equal(await inside(part('link'), 'cat /x/g'), 'more')
  assert.equal(await inside(part('one'), 'cat /x'), '1')
  const stopped = await daemon.ok(['create', ...part('a/b'), 'busybox'])
  writeFileSync(join(daemon.root, 'copied'), 'copied\n')
  await daemon.ok(['cp', join(daemon.root, 'copied'), `${stopped}:/x/copied`])
  assert.equal(await inside(['-v', 'parts:/v'], 'cat /v/a/b/copied'), 'copied')
  await daemon.ok(['rm', stopped])
  const outside = await daemon.docker(['run', '--rm', ...part('out'), 'busybox', 'true'])
  assert.match(outside.stderr, /cannot access path .*\/out: no such file or directory/)
  const missing = await daemon.docker(['run', '--rm', ...part('nothing'), 'busybox', 'true'])
  assert.match(missing.stderr, /cannot access path .*\/nothing: no such file or directory/)
  assert.match(
    await mountRefused({ Type: 'volume', Source: 'parts', VolumeOptions: { Subpath: '../other' } }),
    /subpath must be a relative path within the volume/,
  )
  await daemon.ok(['volume', 'rm', 'parts'])
})

test("HostConfig.Mounts: volumes with labels, without a copy of the image's files, with a driver", async () => {
  const mount = 'type=volume,src=lab,dst=/etc,volume-nocopy,volume-label=a=b,volume-driver=local'
  const script = 'test -e /etc/passwd || echo empty'
  assert.equal(await inside(['--mount', mount], script), 'empty')
  const { body } = await daemon.api<{ Labels: object }>('GET', '/volumes/lab')
  assert.deepEqual(body.Labels, { a: 'b' })
  await daemon.ok(['volume', 'rm', 'lab'])
  const driver = { Type: 'volume', Source: 'far', VolumeOptions: { DriverConfig: { Name: 'far-away' } } }
  assert.match(await mountRefused(driver), /error looking up volume plugin far-away: plugin "far-away" not found/)
})

test('HostConfig.VolumeDriver: local works, an unknown one is refused by name', async () => {
  assert.equal(await inside(['--volume-driver', 'local', '-v', '/x'], 'touch /x/a && echo ok'), 'ok')
  const body = { HostConfig: { VolumeDriver: 'far-away', Binds: ['far:/x'] } }
  assert.match(await refused(body), /error looking up volume plugin far-away: plugin "far-away" not found/)
})

test('HostConfig.Mounts: a tmpfs has size, mode and options', async () => {
  const mount = ['--mount', 'type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=0700']
  assert.equal(
    await inside(mount, "stat -c %a /x; grep ' /x ' /proc/mounts | grep -o 'size=[0-9k]*'"),
    '700\nsize=1024k',
  )
})

test('HostConfig.Mounts: an image, whole or in part, is read-only and kept while a container uses it', async () => {
  const archive = join(daemon.root, 'data.tar')
  await writeBusyboxArchive({
    path: archive,
    reference: 'data:1',
    prepare: (rootfs) => {
      mkdirSync(join(rootfs, 'set/deep'), { recursive: true })
      writeFileSync(join(rootfs, 'set/deep/file'), 'from an image\n')
      symlinkSync('/etc/passwd', join(rootfs, 'set/out'))
    },
  })
  await daemon.ok(['load', '-q', '-i', archive])
  const mount = (more = '') => ['--mount', `type=image,src=data:1,dst=/x${more}`]
  assert.equal(
    await inside(mount(), 'cat /x/set/deep/file; touch /x/a 2>/dev/null || echo kept'),
    'from an image\nkept',
  )
  assert.equal(await inside(mount(',image-subpath=set/deep'), 'ls /x; cat /x/file'), 'file\nfrom an image')
  assert.equal(await inside(mount(',image-subpath=set/deep/file'), 'cat /x'), 'from an image')
  const id = await daemon.ok(['run', '-d', '--network', 'none', ...mount(), 'busybox', 'sleep', '1000'])
  await assertExplained(daemon)
  assert.match(
    (await daemon.docker(['rmi', 'data:1'])).stderr,
    /conflict: unable to (remove repository reference|delete)/,
  )
  await daemon.kill9()
  await daemon.start()
  await daemon.ok(['restart', '-t', '0', id])
  assert.equal(await daemon.ok(['exec', id, 'cat', '/x/set/deep/file']), 'from an image')
  assert.equal(
    await daemon.ok(['inspect', '-f', '{{range .Mounts}}{{.Type}} {{.RW}} {{.Destination}}{{end}}', id]),
    'image false /x',
  )
  await daemon.ok(['rm', '-f', id])
  assert.deepEqual(mountsBelow(daemon.execRoot), [])
  await daemon.ok(['rmi', 'data:1'])
  assert.match(await mountRefused({ Type: 'image', Source: 'data:1' }), /No such image: data:1/)
})

test('HostConfig.Mounts: types of other systems are refused by name', async () => {
  assert.match(
    await mountRefused({ Type: 'npipe', Source: '\\\\.\\pipe\\x' }),
    /invalid mount config for type "npipe": mount type unknown/,
  )
  assert.match(
    await mountRefused({ Type: 'cluster', Source: 'x' }),
    /invalid mount config for type "cluster": cluster volumes are for the services of a swarm/,
  )
  assert.match(
    await mountRefused({ Type: 'bind', Source: '/tmp', ClusterOptions: {} }),
    /invalid mount config for type "bind": field ClusterOptions must not be specified/,
  )
})
