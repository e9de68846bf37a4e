/** What `docker run` lets a container see and use of the host: devices, limits, privileges. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const cgroupV2 = readFileSync('/proc/mounts', 'utf8').includes(' /sys/fs/cgroup cgroup2 ')

/** The first existing file of a cgroup: version 2's, then version 1's. */
function cgroupFile(v2: string, v1: string): string {
  return `cat /sys/fs/cgroup/${cgroupV2 ? v2 : v1}`
}

describe('devices and /proc', () => {
  test('/dev has the usual nodes', async () => {
    const nodes = await daemon.inside(
      [],
      'cd /dev; for n in null zero full random urandom tty; do [ -c $n ] && echo $n; done; ls -d pts shm mqueue fd stdin stdout stderr ptmx',
    )
    assert.deepEqual(nodes.split('\n').sort(), [
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ])
  })

  test('masked and read-only paths are masked and read-only', async () => {
    assert.equal(await daemon.inside([], 'cat /proc/kcore /proc/timer_list 2>/dev/null | wc -c'), '0')
    const { code } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo 1 >/proc/sys/kernel/panic'])
    assert.notEqual(code, 0)
    assert.match(await daemon.inside([], 'grep " /sys " /proc/mounts'), / ro[, ]/)
  })
})

describe('limits', () => {
  test('--memory sets the limit', async () => {
    assert.equal(
      await daemon.inside(['--memory', '64m'], cgroupFile('memory.max', 'memory/memory.limit_in_bytes')),
      '67108864',
    )
  })

  test('--memory ends a program that exceeds it, and inspect says so', async () => {
    const script = 'x=a; while :; do x=$x$x; done'
    const { code } = await daemon.docker([
      'run',
      '--name',
      'greedy',
      '--memory',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'sh',
      '-c',
      script,
    ])
    assert.equal(code, 137)
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.OOMKilled}}', 'greedy']), 'true')
    await daemon.ok(['rm', 'greedy'])
  })

  test('--cpus sets the quota', async () => {
    const script = cgroupV2
      ? 'cat /sys/fs/cgroup/cpu.max'
      : 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'
    assert.equal((await daemon.inside(['--cpus', '0.5'], script)).replace('\n', ' '), '50000 100000')
  })

  test('--pids-limit sets the limit', async () => {
    assert.equal(await daemon.inside(['--pids-limit', '42'], cgroupFile('pids.max', 'pids/pids.max')), '42')
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait'
    const { stderr } = await daemon.docker(['run', '--rm', '--pids-limit', '5', 'busybox', 'sh', '-c', script])
    assert.match(stderr, /can't fork/)
  })

  test('an impossible limit is refused', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--memory', '1m', 'busybox', 'true'])
    assert.equal(code, 125)
    assert.match(stderr, /Minimum memory limit allowed is 6MB/)
  })
})

describe('security', () => {
  const capabilities = async (options: string[]) =>
    BigInt(`0x${(await daemon.inside(options, "awk '/^CapEff/ {print $2}' /proc/self/status")).trim()}`)
  const NET_ADMIN = 1n << 12n
  const CHOWN = 1n

  test('the default capabilities are those of Docker', async () => {
    assert.equal((await capabilities([])).toString(16), 'a80425fb')
  })

  test('--cap-add and --cap-drop change the capabilities', async () => {
    assert.equal((await capabilities(['--cap-add', 'NET_ADMIN'])) & NET_ADMIN, NET_ADMIN)
    assert.equal((await capabilities(['--cap-drop', 'CHOWN'])) & CHOWN, 0n)
    assert.equal(await capabilities(['--cap-drop', 'ALL']), 0n)
    assert.equal(await capabilities(['--cap-drop', 'ALL', '--cap-add', 'CAP_CHOWN']), CHOWN)
    const { code, stderr } = await daemon.docker(['run', '--rm', '--cap-add', 'NO_SUCH', 'busybox', 'true'])
    assert.equal(code, 125)
    assert.match(stderr, /NO_SUCH/)
  })

  test('an ordinary user has no effective capabilities', async () => {
    assert.equal(await capabilities(['-u', 'app']), 0n)
  })

  test('--privileged gives all capabilities', async () => {
    assert.notEqual((await capabilities(['--privileged'])) & NET_ADMIN, 0n)
    assert.match(await daemon.inside(['--privileged'], 'grep " /sys " /proc/mounts'), / rw[, ]/)
    assert.equal(await daemon.inside(['--privileged'], 'mount -t tmpfs none /tmp && echo mounted'), 'mounted')
  })

  test('seccomp: filtered by default, --security-opt seccomp=unconfined, a profile of the user', async () => {
    const mode = "awk '/^Seccomp:/ {print $2}' /proc/self/status"
    assert.equal(await daemon.inside([], mode), '2')
    assert.equal(await daemon.inside(['--security-opt', 'seccomp=unconfined'], mode), '0')
    assert.equal(await daemon.inside(['--privileged'], mode), '0')
    const profile = join(daemon.root, 'seccomp.json')
    writeFileSync(
      profile,
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
      }),
    )
    const { code, stderr } = await daemon.docker([
      'run',
      '--rm',
      '--security-opt',
      `seccomp=${profile}`,
      'busybox',
      'mkdir',
      '/x',
    ])
    assert.equal(code, 1)
    assert.match(stderr, /Operation not permitted/)
  })

  test('the default profile blocks forbidden calls', async () => {
    const { code } = await daemon.docker(['run', '--rm', 'busybox', 'unshare', '-U', 'true'])
    assert.notEqual(code, 0)
  })

  test('--security-opt no-new-privileges stops setuid programs', async () => {
    const flag = "awk '/^NoNewPrivs/ {print $2}' /proc/self/status"
    assert.equal(await daemon.inside([], flag), '0')
    assert.equal(await daemon.inside(['--security-opt', 'no-new-privileges'], flag), '1')
  })
})
