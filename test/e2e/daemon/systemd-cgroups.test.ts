/** Control groups that systemd creates: `native.cgroupdriver=systemd`, and slices as parents. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const noSystemd = existsSync('/run/systemd/system') ? false : 'systemd is not the service manager of this machine'

/** The cgroup of a container's first process, in the hierarchy that limits it. */
async function groupOf(daemon: TestDaemon, name: string): Promise<string> {
  const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', name])
  const group = /^(?:0:|\d+:memory):(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? ''
  // crun puts the container's processes into a cgroup below the scope.
  return group.replace(/\/container$/, '')
}

function property(unit: string, name: string): Promise<string> {
  return runOrThrow('systemctl', ['show', '--value', '-p', name, unit])
}

describe('cgroups by systemd', { skip: noSystemd }, () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await TestDaemon.start()
    await daemon.loadBusybox()
  })
  after(async () => {
    await daemon[Symbol.asyncDispose]()
    await runOrThrow('systemctl', ['stop', 'berthtest.slice'])
  })

  test('a slice as parent: the container gets a scope in it, with the driver cgroupfs too', async () => {
    assert.equal(await daemon.ok(['info', '-f', '{{.CgroupDriver}}']), 'cgroupfs')
    const id = await daemon.ok(['run', '-d', '--cgroup-parent', 'berthtest-a.slice', 'busybox', 'sleep', '1000'])
    const group = await groupOf(daemon, id)
    assert.match(group, new RegExp(`^/berthtest\\.slice/berthtest-a\\.slice/berth[^/]*-${id}\\.scope$`))
    await daemon.ok(['rm', '-f', id])
    await until(async () => (await property(group.split('/').at(-1) ?? '', 'ActiveState')) === 'inactive')
  })

  test('an invalid slice name is refused', async () => {
    const { code, stderr } = await daemon.docker(['create', '--cgroup-parent', 'a--b.slice', 'busybox'])
    assert.notEqual(code, 0)
    assert.match(stderr, /invalid CgroupParent "a--b\.slice": it is not the name of a slice/)
  })

  test('a RUN step runs in a slice', async () => {
    const args = ['build', '-q', '--no-cache', '--cgroup-parent', 'berthtest-b.slice', '-']
    const input = 'FROM busybox\nRUN cat /proc/self/mountinfo /proc/1/cgroup\n'
    assert.match((await daemon.berth(args, { input })).stdout, /^sha256:/)
  })

  test('the driver systemd: limits, pause, update and top work, also for older containers', async () => {
    const before = await daemon.ok(['run', '-d', '--name', 'before', 'busybox', 'sleep', '1000'])
    await daemon.stop()
    writeFileSync(join(daemon.root, 'daemon.json'), '{"exec-opts": ["native.cgroupdriver=systemd"]}')
    await daemon.start()
    assert.equal(await daemon.ok(['info', '-f', '{{.CgroupDriver}}']), 'systemd')
    await daemon.ok(['pause', 'before'])
    await daemon.ok(['unpause', 'before'])
    assert.match(await daemon.ok(['top', 'before']), /sleep 1000/)
    assert.match(await groupOf(daemon, 'before'), new RegExp(`^/berth[^/]*/${before}$`))

    const id = await daemon.ok([
      'run',
      '-d',
      '--name',
      'inscope',
      '-m',
      '64m',
      '--pids-limit',
      '50',
      'busybox',
      'sleep',
      '1000',
    ])
    const group = await groupOf(daemon, 'inscope')
    assert.match(group, new RegExp(`^/system\\.slice/berth[^/]*-${id}\\.scope$`))
    const unit = group.split('/').at(-1) ?? ''
    const usage = ['stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', 'inscope']
    assert.match(await daemon.ok(usage), /64MiB 1$/)
    await daemon.ok(['update', '-m', '96m', '--memory-swap', '96m', 'inscope'])
    assert.match(await daemon.ok(usage), /96MiB 1$/)
    await daemon.ok(['pause', 'inscope'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}}', 'inscope']), 'paused')
    await daemon.ok(['unpause', 'inscope'])
    assert.match(await daemon.ok(['top', 'inscope']), /sleep 1000/)
    assert.equal(await daemon.ok(['exec', 'inscope', 'echo', 'here']), 'here')

    const refused = await daemon.docker(['create', '--cgroup-parent', '/group', 'busybox'])
    assert.match(refused.stderr, /cgroup-parent for systemd cgroup should be a valid slice named as "xxx\.slice"/)

    await daemon.kill9()
    await daemon.start()
    await daemon.ok(['pause', 'inscope'])
    await daemon.ok(['rm', '-f', 'inscope', 'before'])
    await until(async () => (await property(unit, 'ActiveState')) === 'inactive')
    assert.equal(await property(unit, 'LoadState'), 'not-found')
  })
})
