/** Backup and restore of volumes: with tar in a container, as textbooks do it, and with `berth volume backup` and
 *  `restore`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { getXattr, listXattrs, setXattr } from '../../../src/sys/index.ts'
import { RunningCommand } from '../../helpers/command.ts'
import { berthProgram, mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until as waitUntil } from '../../helpers/wait.ts'

let daemon: TestDaemon
let files = ''

before(async () => {
  files = mkdtempSync('/tmp/b-vb-')
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(files, { recursive: true, force: true })
})

function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.inside(['--network', 'none', ...options], script)
}

async function berth(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.berth(args)
  assert.equal(code, 0, `berth ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stderr } = await daemon.berth(args)
  assert.notEqual(code, 0, `berth ${args.join(' ')}`)
  return stderr
}

async function contentOf(name: string): Promise<string> {
  const { body } = await daemon.api<{ Mountpoint: string }>('GET', `/volumes/${name}`)
  return body.Mountpoint
}

async function names(): Promise<string[]> {
  const { body } = await daemon.api<{ Volumes: { Name: string }[] }>('GET', '/volumes')
  return body.Volumes.map(({ Name }) => Name)
}

/** Everything about the files of a tree except their location. */
function facts(root: string): unknown[] {
  const look = (path: string): unknown[] => {
    const stats = lstatSync(path, { bigint: true })
    const name = path.slice(root.length)
    const own = [
      name,
      stats.mode,
      stats.uid,
      stats.gid,
      stats.mtimeNs,
      stats.isDirectory() ? 0n : stats.nlink,
      stats.rdev,
    ]
    const more = stats.isFile() ? [readFileSync(path, 'base64'), stats.blocks] : []
    const xattrs = stats.isSymbolicLink() ? [] : listXattrs(path).map((key) => [key, getXattr(path, key)?.toString()])
    const below = stats.isDirectory()
      ? readdirSync(path)
          .sort()
          .flatMap((child) => look(join(path, child)))
      : []
    return [[...own, ...more, xattrs], ...below]
  }
  return look(root)
}

/** A volume with a file of every kind. */
async function makeVolume(name: string): Promise<string> {
  await daemon.ok(['volume', 'create', name])
  const root = await contentOf(name)
  const script = `set -e; cd ${root}; mkdir -p dir/deep; echo text >dir/file; ln dir/file hard; ln -s /nowhere link; mkfifo fifo;
    mknod null c 1 3; chown 12:34 dir/file; chown -h 5:6 link; chmod 4750 dir/file; chmod 1777 dir/deep; chown 77:78 .; chmod 2751 .
    truncate -s 20M holes; printf end | dd of=holes bs=1 seek=10000000 conv=notrunc status=none; truncate -s 5M nothing
    touch -d '2001-02-03 04:05:06.789' dir/file; touch -d '2002-01-01' dir; touch -d '2003-01-01' .
    long=$(printf 'n%.0s' $(seq 200)); mkdir $long; echo x >$long/$long; printf 'ünï' >'name with ünïcode'`
  const made = spawnSync('sh', ['-c', script])
  assert.equal(made.status, 0, made.stderr.toString())
  setXattr(join(root, 'dir/file'), 'user.note', Buffer.from('kept'))
  setXattr(root, 'user.tree', Buffer.from('root'))
  return root
}

test('a data-volume container can be backed up and restored with tar, as the textbooks show it', async () => {
  await daemon.ok(['create', '--name', 'dbstore', '-v', '/dbdata', 'busybox', 'true'])
  await inside(['--volumes-from', 'dbstore'], 'echo one >/dbdata/a; mkdir /dbdata/d; echo two >/dbdata/d/b')
  await daemon.ok([
    ...['run', '--rm', '--network', 'none', '--volumes-from', 'dbstore', '-v', `${files}:/backup`],
    ...['busybox', 'tar', 'cvf', '/backup/backup.tar', '/dbdata'],
  ])
  await daemon.ok(['run', '--network', 'none', '-v', '/dbdata', '--name', 'dbstore2', 'busybox', 'true'])
  const restore = 'cd /dbdata && tar xvf /backup/backup.tar --strip-components 1'
  await inside(['--volumes-from', 'dbstore2', '-v', `${files}:/backup`], restore)
  assert.equal(await inside(['--volumes-from', 'dbstore2:ro'], 'cat /dbdata/a /dbdata/d/b'), 'one\ntwo')
  await daemon.ok(['rm', '-v', 'dbstore', 'dbstore2'])
  assert.deepEqual(await names(), [])
})

test('volume backup and restore keep owners, modes, times, attributes, links, holes and devices', async () => {
  const source = await makeVolume('whole')
  for (const compress of ['zstd', 'gzip', 'none']) {
    const archive = join(files, `whole.${compress}`)
    await berth('volume', 'backup', '--compress', compress, 'whole', archive)
    assert.equal(await berth('volume', 'restore', `copy-${compress}`, archive), `copy-${compress}\n`)
    assert.deepEqual(facts(await contentOf(`copy-${compress}`)), facts(source))
    await daemon.ok(['volume', 'rm', `copy-${compress}`])
  }
  // tar can read the archive, which then has no holes.
  assert.ok(lstatSync(join(files, 'whole.none')).size < 1_000_000)
  const listed = spawnSync('tar', ['tvf', join(files, 'whole.none')])
  assert.equal(listed.status, 0, listed.stderr.toString())
  assert.match(listed.stdout.toString(), /20971520 .* \.\/holes$/m)
  await daemon.ok(['volume', 'rm', 'whole'])
})

test('volume backup writes to standard output, volume restore reads from standard input', async () => {
  await inside(['-v', 'piped:/v'], 'echo through a pipe >/v/f')
  const script = `"$0" -H ${daemon.host} volume backup piped - | "$0" -H ${daemon.host} volume restore piped2 -`
  const piped = spawnSync('sh', ['-c', script, join(import.meta.dirname, '../../../bin/berth')])
  assert.equal(piped.stdout.toString(), 'piped2\n', piped.stderr.toString())
  assert.equal(await inside(['-v', 'piped2:/v'], 'cat /v/f'), 'through a pipe')
  await daemon.ok(['volume', 'rm', 'piped', 'piped2'])
})

test('volume backup pauses the containers that use the volume, unless --pause=false', async () => {
  const writer = 'i=0; while :; do i=$((i+1)); echo $i >/v/t; mv /v/t /v/a; echo $i >/v/t; mv /v/t /v/b; done'
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'busy:/v', 'busybox', 'sh', '-c', writer])
  await waitUntil(async () => existsSync(join(await contentOf('busy'), 'b')))
  await berth('volume', 'backup', 'busy', join(files, 'busy.tar.zst'))
  await berth('volume', 'backup', '--pause=false', 'busy', join(files, 'busy2.tar.zst'))
  const until = String(Math.ceil(Date.now() / 1000) + 1)
  const format = ['--format', '{{.Action}}', '--filter', `container=${id}`]
  const events = await daemon.ok(['events', '--since', '0', '--until', until, ...format])
  assert.deepEqual(
    events.split('\n').filter((action) => action.endsWith('pause')),
    ['pause', 'unpause'],
  )
  assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}}', id]), 'running')
  await berth('volume', 'restore', 'still', join(files, 'busy.tar.zst'))
  const [a = 0, b = 0] = (await inside(['-v', 'still:/v'], 'cat /v/a; echo; cat /v/b')).split(/\s+/).map(Number)
  // The snapshot is of one moment, at most between the two writes.
  assert.ok(a === b || a === b + 1, `${a} ${b}`)
  await daemon.ok(['rm', '-f', id])
  await daemon.ok(['volume', 'rm', 'busy', 'still'])
})

test("volume restore: --force replaces a volume's content, and a running container sees the new files", async () => {
  await inside(['-v', 'old:/v'], 'echo new >/v/f; mkdir /v/d; echo deep >/v/d/f')
  await berth('volume', 'backup', 'old', join(files, 'old.tar.zst'))
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'old:/v', 'busybox', 'sleep', '1000'])
  await daemon.ok(['exec', id, 'sh', '-c', 'echo changed >/v/f; echo more >/v/more; rm -r /v/d'])
  assert.match(await refusal('volume', 'restore', 'old', join(files, 'old.tar.zst')), /volume old is not empty/)
  assert.equal(await daemon.ok(['exec', id, 'cat', '/v/more']), 'more')
  await berth('volume', 'restore', '-f', 'old', join(files, 'old.tar.zst'))
  assert.equal(await daemon.ok(['exec', id, 'sh', '-c', 'ls -A /v; cat /v/f /v/d/f']), 'd\nf\nnew\ndeep')
  assert.deepEqual(readdirSync(join(await contentOf('old'), '..')), ['_data'])
  await daemon.ok(['rm', '-f', id])
  await daemon.ok(['volume', 'rm', 'old'])
})

test('volume restore: an incomplete archive changes and creates nothing', async () => {
  await inside(['-v', 'safe:/v'], 'echo safe >/v/f; dd if=/dev/urandom of=/v/big bs=1024 count=300 2>/dev/null')
  await berth('volume', 'backup', 'safe', join(files, 'safe.tar.zst'))
  await berth('volume', 'backup', '--compress', 'none', 'safe', join(files, 'safe.tar'))
  for (const name of ['safe.tar.zst', 'safe.tar']) {
    const whole = readFileSync(join(files, name))
    writeFileSync(join(files, 'half'), whole.subarray(0, whole.length / 2))
    assert.notEqual(await refusal('volume', 'restore', '-f', 'safe', join(files, 'half')), '')
    assert.notEqual(await refusal('volume', 'restore', 'fresh', join(files, 'half')), '')
  }
  writeFileSync(join(files, 'empty'), '')
  assert.match(await refusal('volume', 'restore', '-f', 'safe', join(files, 'empty')), /the archive is empty/)
  assert.match(await refusal('volume', 'restore', 'fresh', join(files, 'nothing')), /open .*nothing: no such file/)
  assert.match(await refusal('volume', 'backup', 'nothing', join(files, 'x')), /get nothing: no such volume/)
  assert.equal(existsSync(join(files, 'x')), false)
  assert.match(
    await refusal('volume', 'backup', '--compress', 'lzma', 'safe', '-'),
    /invalid value for --compress: lzma/,
  )
  assert.equal(await inside(['-v', 'safe:/v'], 'cat /v/f; ls /v'), 'safe\nbig\nf')
  assert.deepEqual(await names(), ['safe'])
  await daemon.ok(['volume', 'rm', 'safe'])
})

test('volume restore: an archive cannot write outside of the volume', async () => {
  const bad = join(files, 'bad')
  mkdirSync(join(bad, 'd'), { recursive: true })
  writeFileSync(join(bad, 'd/f'), 'x')
  for (const [transform, shown] of [
    ['s,^d,../../escaped,', 'dotdot'],
    ['s,^d,/tmp/b-escaped,', 'absolute'],
  ]) {
    const archive = join(files, `${shown}.tar`)
    assert.equal(spawnSync('tar', ['-P', '-C', bad, '--transform', transform ?? '', '-cf', archive, 'd']).status, 0)
    await daemon.berth(['volume', 'restore', shown ?? '', archive])
  }
  assert.equal(existsSync(join(daemon.dataRoot, 'volumes/escaped')), false)
  assert.equal(existsSync('/tmp/b-escaped'), false)
  for (const name of await names()) await daemon.ok(['volume', 'rm', name])
})

test('volume restore: after a crash the volume has either the old content or the new one', async () => {
  await inside(['-v', 'crash:/v'], 'for i in $(seq 300); do echo new >/v/f$i; done')
  await berth('volume', 'backup', 'crash', join(files, 'crash.tar.zst'))
  await inside(['-v', 'crash:/v'], 'cd /v; for i in f*; do echo old >$i; done; echo old >only-old')
  const whole = new Set(['300 old 1', '300 new 0'])
  const look = async (): Promise<string> => {
    const script = 'cd /v; echo $(ls | grep -c ^f) $(cat f* | sort -u) $(ls | grep -c only-old)'
    return inside(['-v', 'crash:/v'], script)
  }
  for (const delayMs of [0, 20, 50]) {
    const restoring = daemon.berth(['volume', 'restore', '-f', 'crash', join(files, 'crash.tar.zst')])
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    await daemon.kill9()
    await restoring
    await daemon.start()
    const found = await look()
    assert.ok(whole.has(found), found)
    assert.deepEqual(
      readdirSync(join(await contentOf('crash'), '..')).filter((name) => name !== '_data' && name !== '.replacing'),
      [],
    )
  }
  await daemon.ok(['volume', 'rm', 'crash'])
})

test('volume backup and restore: a client that disconnects leaves nothing behind', async () => {
  const fill = 'for i in 1 2; do head -c 20000000 /dev/urandom >/v/$i; done'
  await inside(['-v', 'left:/v'], fill)
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'left:/v', 'busybox', 'sleep', '1000'])
  const args = ['-H', daemon.host, 'volume']
  const backup = new RunningCommand(berthProgram, [...args, 'backup', 'left', join(files, 'left.tar')])
  await waitUntil(async () => readdirSync(files).some((name) => name.includes('left')))
  backup.kill('SIGKILL')
  await backup.ended
  await waitUntil(async () => (await daemon.docker(['exec', id, 'true'])).code === 0)
  await daemon.ok(['rm', '-f', id])
  await waitUntil(async () => (await daemon.docker(['volume', 'rm', 'left'])).code === 0)
  const restore = new RunningCommand(berthProgram, [...args, 'restore', 'half', '-'], {}, true)
  restore.write(readFileSync(join(files, 'whole.none')).subarray(0, 100_000))
  await waitUntil(async () => (await names()).includes('half'))
  restore.kill('SIGKILL')
  await restore.ended
  await waitUntil(async () => (await names()).length === 0)
})

test('volume backup and restore work with volumes that have to be mounted', async () => {
  const source = join(files, 'bound')
  mkdirSync(source)
  writeFileSync(join(source, 'f'), 'bound')
  await daemon.ok(['volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${source}`, 'bound'])
  await berth('volume', 'backup', 'bound', join(files, 'bound.tar'))
  writeFileSync(join(source, 'f'), 'changed')
  await berth('volume', 'restore', '-f', 'bound', join(files, 'bound.tar'))
  assert.equal(readFileSync(join(source, 'f'), 'utf8'), 'bound')
  assert.deepEqual(readdirSync(source), ['f'])
  await daemon.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory'])
  assert.match(
    await refusal('volume', 'restore', 'memory', join(files, 'bound.tar')),
    /volume memory is a tmpfs, which keeps nothing while no container uses it/,
  )
  const id = await daemon.ok(['run', '-d', '--network', 'none', '-v', 'memory:/v', 'busybox', 'sleep', '1000'])
  await berth('volume', 'restore', 'memory', join(files, 'bound.tar'))
  assert.equal(await daemon.ok(['exec', id, 'cat', '/v/f']), 'bound')
  await daemon.ok(['rm', '-f', id])
  await waitUntil(async () => mountsBelow(join(daemon.dataRoot, 'volumes')).length === 0)
  await daemon.ok(['volume', 'rm', 'bound', 'memory'])
})
