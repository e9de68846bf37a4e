/** A disk that is full does not keep a user from freeing it: containers are listed, stopped, killed and removed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { SmallDisk } from '../../helpers/disks/small-disk.ts'
import { until } from '../../helpers/wait.ts'

const fillDisk = 'while :; do cat /dev/zero >> /fill; sleep 0.1; done'

async function statusOf(daemon: TestDaemon, name: string): Promise<string> {
  return daemon.ok(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name])
}

test('a container that fills the disk is stopped, and others are killed, waited for, removed and pruned', async () => {
  await using disk = await SmallDisk.make()
  await using daemon = await TestDaemon.start({ dataRoot: disk.dataRoot })
  await daemon.loadBusybox()
  const run = (name: string, ...command: string[]) =>
    daemon.ok(['run', '-d', '--name', name, '--network', 'none', 'busybox', ...command])
  for (const name of ['stopped', 'killed', 'removed']) await run(name, 'sleep', '1000')
  await run('ends', 'sh', '-c', 'while [ ! -e /go ]; do sleep 0.1; done; exit 7')
  for (let n = 0; n < 20; n += 1)
    await daemon.ok(['create', '--name', `old-${n}`, '--network', 'none', 'busybox', 'true'])
  await daemon.ok(['volume', 'create', 'vol'])
  await daemon.ok(['exec', 'ends', 'touch', '/go.later'])
  await run('fills', 'sh', '-c', fillDisk)
  await until(async () => (await daemon.inside([], 'true').catch(() => 'full')) === 'full', {
    what: () => 'the disk to be full',
    timeoutMs: 30_000,
  })
  disk.fill()

  await daemon.ok(['exec', 'ends', 'mv', '/go.later', '/go'])
  assert.equal(await daemon.ok(['wait', 'ends']), '7')
  assert.equal(await statusOf(daemon, 'ends'), 'exited 7')
  await daemon.ok(['kill', 'killed'])
  assert.equal(await statusOf(daemon, 'killed'), 'exited 137')
  await daemon.ok(['stop', '-t', '0', 'stopped'])
  assert.equal(await statusOf(daemon, 'stopped'), 'exited 137')
  await daemon.ok(['rm', '-f', 'removed'])
  await daemon.ok(['rename', 'stopped', 'renamed'])
  await daemon.ok(['volume', 'rm', 'vol'])
  await daemon.ok(['container', 'prune', '-f'])
  assert.equal(await daemon.ok(['ps', '-aq', '--filter', 'name=old-']), '')
  await daemon.ok(['system', 'prune', '-f'])
  await daemon.ok(['rm', '-f', 'fills'])
  disk.free()
  assert.equal(await daemon.inside(['--network', 'none'], 'echo again'), 'again')
})

test('the daemon boots on a full disk, after a stop and after a kill, and removes containers there', async () => {
  await using disk = await SmallDisk.make()
  await using daemon = await TestDaemon.start({ dataRoot: disk.dataRoot })
  await daemon.loadBusybox()
  const run = (name: string) =>
    daemon.ok(['run', '-d', '--name', name, '--network', 'none', 'busybox', 'sleep', '1000'])
  for (const name of ['ends', 'runs', 'removed']) await run(name)
  const pid = Number(await daemon.ok(['inspect', '--format', '{{.State.Pid}}', 'ends']))

  await daemon.stop()
  process.kill(pid, 'SIGKILL')
  disk.takeInodes()
  disk.fill()
  await daemon.start()
  assert.equal(await statusOf(daemon, 'ends'), 'exited 137')
  assert.equal(await statusOf(daemon, 'runs'), 'running 0')
  await daemon.ok(['rm', '-f', 'removed'])
  disk.fill()
  await daemon.kill9()
  await daemon.start()
  await daemon.ok(['stop', '-t', '0', 'runs'])
  await daemon.ok(['container', 'prune', '-f'])
  assert.equal(await daemon.ok(['ps', '-aq']), '')
  disk.free()
  assert.equal(await daemon.inside(['--network', 'none'], 'echo again'), 'again')
})

test('what fills the disk is refused at once on a full disk, with what to do, and works again after a removal', async () => {
  await using disk = await SmallDisk.make()
  await using daemon = await TestDaemon.start({ dataRoot: disk.dataRoot })
  await daemon.loadBusybox()
  await daemon.ok(['create', '--name', 'made', '--network', 'none', 'busybox', 'true'])
  const context = await mkdtemp(join(tmpdir(), 'b-full-'))
  try {
    await writeFile(join(context, 'Dockerfile'), 'FROM busybox\nRUN touch /x\n')
    await writeFile(join(context, 'empty.tar'), Buffer.alloc(1024))
    const writes = [
      ['create', '--network', 'none', 'busybox'],
      ['commit', 'made', 'committed'],
      ['tag', 'busybox', 'other'],
      ['pull', '127.0.0.1:1/none'],
      ['load', '-i', join(context, 'empty.tar')],
      ['import', join(context, 'empty.tar')],
      ['build', context],
    ]
    const refusals = async (message: RegExp) => {
      for (const args of writes) {
        const { code, stderr } = await daemon.berth(args)
        assert.notEqual(code, 0, String(args))
        assert.match(stderr, message, String(args))
      }
    }
    disk.fill()
    await refusals(/the disk of the data root is full \(\d+ kB free\): remove containers/)
    disk.free()
    disk.takeInodes()
    await refusals(/no room for more files \(\d+ inodes free\): remove containers/)
    assert.equal(await daemon.ok(['ps', '-aq', '--filter', 'name=made']).then((ids) => ids.length), 12)
    disk.free()
    await daemon.ok(['tag', 'busybox', 'other'])
    await daemon.ok(['commit', 'made', 'committed'])
  } finally {
    await rm(context, { recursive: true })
  }
})
