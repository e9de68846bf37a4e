/** Every option of `docker run` that is about the container itself, seen from inside the container. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../helpers/daemon.ts'
import { writeBusyboxArchive } from '../helpers/test-image.ts'
import { until } from '../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Standard output of `docker run --rm OPTIONS busybox sh -c SCRIPT`, which must succeed. */
function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '--rm', ...options, 'busybox', 'sh', '-c', script])
}

const cgroupV2 = readFileSync('/proc/mounts', 'utf8').includes(' /sys/fs/cgroup cgroup2 ')

/** The first of two files of a cgroup that is there: version 2's, version 1's. */
function cgroupFile(v2: string, v1: string): string {
  return `cat /sys/fs/cgroup/${cgroupV2 ? v2 : v1}`
}

describe('exit codes', () => {
  const cases: [name: string, args: string[], code: number, stderr?: RegExp][] = [
    ['success', ['busybox', 'true'], 0],
    ["the program's own", ['busybox', 'sh', '-c', 'exit 7'], 7],
    ['not found', ['busybox', 'no-such-program'], 127, /no-such-program/],
    ['not found, absolute', ['busybox', '/bin/no-such-program'], 127, /\/bin\/no-such-program/],
    ['not executable', ['busybox', '/etc/not-executable'], 126, /permission denied/i],
    ['a directory', ['busybox', '/etc'], 126],
    ['a wrong flag', ['--no-such-flag', 'busybox', 'true'], 125, /no-such-flag/],
    ['an image that is not there', ['--pull', 'never', 'no-such-image', 'true'], 125, /No such image/],
    ['a working directory that is a file', ['-w', '/etc/passwd', 'busybox', 'true'], 125],
  ]
  for (const [name, args, expected, message] of cases) {
    test(name, async () => {
      const { code, stderr } = await daemon.docker(['run', '--rm', ...args])
      assert.equal(code, expected, stderr)
      if (message !== undefined) assert.match(stderr, message)
    })
  }

  test('nothing is left of a container that could not start', async () => {
    await daemon.docker(['run', '--name', 'halfmade', 'busybox', 'no-such-program'])
    const { body } = await daemon.api<{ State: { Status: string; ExitCode: number } }>(
      'GET',
      '/containers/halfmade/json',
    )
    assert.equal(body.State.Status, 'created')
    assert.equal(body.State.ExitCode, 127)
    await daemon.ok(['rm', 'halfmade'])
  })
})

describe('standard streams', () => {
  test('stdout and stderr stay apart', async () => {
    const { stdout, stderr } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2'])
    assert.equal(stdout, 'out\n')
    assert.equal(stderr, 'err\n')
  })

  test('-i passes standard input, and its end', async () => {
    const input = 'a line\n'.repeat(20_000)
    const { code, stdout } = await daemon.docker(['run', '--rm', '-i', 'busybox', 'wc', '-c'], { input })
    assert.equal(code, 0)
    assert.equal(stdout.trim(), String(input.length))
  })

  test('-i echoes binary data unchanged', async () => {
    const bytes = Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 7) & 0xff))
    const { stdout } = await daemon.docker(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'md5sum'], { input: bytes })
    const { createHash } = await import('node:crypto')
    assert.equal(stdout.split(' ')[0], createHash('md5').update(bytes).digest('hex'))
  })

  test('without -i standard input is empty', async () => {
    assert.equal(await inside([], 'wc -c'), '0')
  })

  test('output larger than any pipe arrives whole', async () => {
    const { stdout } = await daemon.docker(['run', '--rm', 'busybox', 'seq', '1', '200000'])
    assert.equal(stdout.length, Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('').length)
    assert.ok(stdout.endsWith('\n199999\n200000\n'))
  })
})

describe('process', () => {
  test('-e and --env-file', async () => {
    const file = join(daemon.root, 'env')
    writeFileSync(file, '# comment\nFROM_FILE=1\nSPACES=a b\n')
    const out = await inside(
      ['-e', 'ONE=1', '-e', 'EMPTY=', '--env-file', file],
      'echo "$ONE,$EMPTY,$FROM_FILE,$SPACES"',
    )
    assert.equal(out, '1,,1,a b')
  })

  test('-e NAME takes the value of the client', async () => {
    const out = await daemon.ok(['run', '--rm', '-e', 'FROM_CLIENT', 'busybox', 'sh', '-c', 'echo $FROM_CLIENT'], {
      env: { FROM_CLIENT: 'yes' },
    })
    assert.equal(out, 'yes')
  })

  test('the environment has PATH, HOSTNAME and HOME', async () => {
    assert.equal(
      await inside(['-h', 'box'], 'echo "$PATH $HOSTNAME $HOME"'),
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin box /root',
    )
  })

  test('-w makes the directory', async () => {
    assert.equal(await inside(['-w', '/new/dir'], 'pwd'), '/new/dir')
  })

  const users: [user: string, expected: string][] = [
    ['app', '1000:1000 /home/app'],
    ['1000', '1000:1000 /home/app'],
    ['app:extra', '1000:2000 /home/app'],
    ['1234:5678', '1234:5678 /'],
    ['1234', '1234:0 /'],
  ]
  for (const [user, expected] of users) {
    test(`-u ${user}`, async () => {
      assert.equal(await inside(['-u', user], 'echo "$(id -u):$(id -g) $HOME"'), expected)
    })
  }

  test('-u of an unknown user is an error', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '-u', 'nobody-knows', 'busybox', 'true'])
    assert.notEqual(code, 0)
    assert.match(stderr, /nobody-knows/)
  })

  test("a named user's supplementary groups come from the image; --group-add adds", async () => {
    assert.equal(await inside(['-u', 'app'], 'id -G'), '1000 2000')
    assert.equal(await inside(['--group-add', 'audio', '--group-add', '4242'], 'id -G'), '0 29 4242')
  })

  test('--entrypoint', async () => {
    assert.equal(await daemon.ok(['run', '--rm', '--entrypoint', 'echo', 'busybox', 'a', 'b']), 'a b')
  })

  test("an image's entrypoint, command, user, directory, labels and environment", async () => {
    const path = join(daemon.root, 'configured.tar')
    await writeBusyboxArchive({
      path,
      reference: 'configured:latest',
      config: {
        Entrypoint: ['sh', '-c', 'echo "$0 $1 $FROM_IMAGE $(pwd) $(id -un)"'],
        Cmd: ['zero', 'one'],
        Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
        WorkingDir: '/tmp',
        User: 'app',
        Labels: { origin: 'image', kept: 'yes' },
      },
    })
    await daemon.ok(['load', '-q', '-i', path])
    assert.equal(await daemon.ok(['run', '--rm', 'configured']), 'zero one yes /tmp app')
    assert.equal(
      await daemon.ok(['run', '--rm', '-u', '0', '-w', '/', '-e', 'FROM_IMAGE=no', 'configured', 'x', 'y']),
      'x y no / root',
    )
    const id = await daemon.ok(['create', '--label', 'origin=run', 'configured'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{json .Config.Labels}}', id]), '{"kept":"yes","origin":"run"}')
    await daemon.ok(['rm', id])
  })

  test('--init runs the program below an init that passes signals on', async () => {
    assert.notEqual(await inside(['--init'], 'echo $$'), '1')
    assert.equal(await inside([], 'echo $$'), '1')
    const id = await daemon.ok(['run', '-d', '--init', 'busybox', 'sh', '-c', 'echo up; exec sleep 1000'])
    // The init handles signals once it has started its child; 137 would mean that it never did.
    await until(async () => (await daemon.ok(['logs', id])) === 'up', { what: 'the program below the init' })
    await daemon.ok(['stop', id])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.ExitCode}}', id]), '143')
    await daemon.ok(['rm', id])
  })

  test('--ulimit', async () => {
    assert.equal(await inside(['--ulimit', 'nofile=256:512'], 'ulimit -n; ulimit -Hn'), '256\n512')
    assert.equal(await inside(['--ulimit', 'core=0'], 'ulimit -c'), '0')
  })
})

describe('identity', () => {
  test('the hostname is the short id, -h and --domainname set it', async () => {
    const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
    assert.equal(await daemon.ok(['exec', id, 'hostname']), id.slice(0, 12))
    await daemon.ok(['rm', '-f', id])
    assert.equal(
      await inside(['-h', 'mybox'], 'hostname; grep mybox /etc/hosts | wc -l; cat /etc/hostname'),
      'mybox\n1\nmybox',
    )
  })

  test('--add-host, --dns, --dns-search, --dns-option', async () => {
    const hosts = await inside(['--add-host', 'db:10.9.8.7', '--add-host', 'gw:host-gateway'], 'cat /etc/hosts')
    assert.match(hosts, /^10\.9\.8\.7\s+db$/m)
    assert.match(hosts, /^\d+\.\d+\.\d+\.\d+\s+gw$/m)
    assert.match(hosts, /^127\.0\.0\.1\s+localhost$/m)
    const resolv = await inside(
      ['--dns', '9.9.9.9', '--dns-search', 'example.org', '--dns-option', 'ndots:3'],
      'cat /etc/resolv.conf',
    )
    assert.match(resolv, /^nameserver 9\.9\.9\.9$/m)
    assert.match(resolv, /^search example\.org$/m)
    assert.match(resolv, /^options ndots:3$/m)
  })

  test('names: given ones are unique, others are made of two words', async () => {
    const id = await daemon.ok(['create', '--name', 'given', 'busybox'])
    const again = await daemon.docker(['create', '--name', 'given', 'busybox'])
    assert.notEqual(again.code, 0)
    assert.match(again.stderr, /Conflict\. The container name "\/given" is already in use by container "[0-9a-f]{64}"/)
    const other = await daemon.ok(['create', 'busybox'])
    assert.match(await daemon.ok(['inspect', '-f', '{{.Name}}', other]), /^\/[a-z]+_[a-z]+$/)
    const wrong = await daemon.docker(['create', '--name', 'a b', 'busybox'])
    assert.match(wrong.stderr, /Invalid container name \(a b\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/)
    await daemon.ok(['rm', id, other])
  })

  test('--cidfile', async () => {
    const file = join(daemon.root, 'cid')
    await daemon.ok(['run', '--cidfile', file, '--name', 'cid', 'busybox', 'true'])
    assert.equal(readFileSync(file, 'utf8'), await daemon.ok(['inspect', '-f', '{{.Id}}', 'cid']))
    await daemon.ok(['rm', 'cid'])
  })

  test('--platform of another machine is refused', async () => {
    const other = process.arch === 'arm64' ? 'linux/s390x' : 'linux/arm64'
    const { code } = await daemon.docker(['run', '--rm', '--pull', 'never', '--platform', other, 'busybox', 'true'])
    assert.equal(code, 125)
  })
})

describe('files', () => {
  test('-v of a host directory, read-write and read-only', async () => {
    const directory = join(daemon.root, 'bind')
    mkdirSync(directory)
    writeFileSync(join(directory, 'from-host'), 'hello')
    assert.equal(
      await inside(['-v', `${directory}:/data`], 'cat /data/from-host; echo back >/data/from-container'),
      'hello',
    )
    assert.equal(readFileSync(join(directory, 'from-container'), 'utf8'), 'back\n')
    const { code, stderr } = await daemon.docker([
      'run',
      '--rm',
      '-v',
      `${directory}:/data:ro`,
      'busybox',
      'touch',
      '/data/x',
    ])
    assert.equal(code, 1)
    assert.match(stderr, /Read-only file system/)
  })

  test('-v of a single file', async () => {
    const file = join(daemon.root, 'single')
    writeFileSync(file, 'one file')
    assert.equal(await inside(['-v', `${file}:/etc/single:ro`], 'cat /etc/single'), 'one file')
  })

  test('-v makes a missing host directory, --mount does not', async () => {
    await inside(['-v', `${daemon.root}/made:/data`], 'touch /data/x')
    assert.equal(readFileSync(join(daemon.root, 'made/x'), 'utf8'), '')
    const { code, stderr } = await daemon.docker([
      'run',
      '--rm',
      '--mount',
      `type=bind,src=${daemon.root}/not-made,dst=/data`,
      'busybox',
      'true',
    ])
    assert.equal(code, 125)
    assert.match(stderr, /bind source path does not exist/)
  })

  test("-v of a named volume keeps its files and takes the image's at first", async () => {
    await inside(['-v', 'keep:/data'], 'echo kept >/data/file')
    assert.equal(await inside(['-v', 'keep:/other'], 'cat /other/file'), 'kept')
    assert.match(await inside(['-v', 'fresh:/etc'], 'cat /etc/passwd'), /^app:/m)
    const used = await daemon.ok(['create', '-v', 'keep:/data', 'busybox'])
    const removal = await daemon.api<{ message: string }>('DELETE', '/volumes/keep')
    assert.equal(removal.status, 409)
    assert.match(removal.body.message, /volume is in use/)
    await daemon.ok(['rm', used])
    assert.equal((await daemon.api('DELETE', '/volumes/keep')).status, 204)
    assert.equal((await daemon.api('DELETE', '/volumes/fresh')).status, 204)
  })

  test('an anonymous volume goes with --rm, and with rm -v', async () => {
    const count = async () => (await daemon.api<{ Volumes: unknown[] }>('GET', '/volumes')).body.Volumes?.length ?? 0
    const first = await count()
    await inside(['-v', '/data'], 'touch /data/x')
    await until(async () => (await count()) === first, { what: 'the volume to go' })
    const id = await daemon.ok(['create', '-v', '/data', 'busybox'])
    assert.equal(await count(), first + 1)
    await daemon.ok(['rm', '-v', id])
    await until(async () => (await count()) === first, { what: 'the volume to go' })
  })

  test('--read-only with --tmpfs', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--read-only', 'busybox', 'touch', '/x'])
    assert.equal(code, 1)
    assert.match(stderr, /Read-only file system/)
    assert.equal(await inside(['--read-only', '--tmpfs', '/scratch'], 'touch /scratch/x && echo ok'), 'ok')
  })

  test('--tmpfs takes mount options', async () => {
    const mount = await inside(['--tmpfs', '/scratch:size=1m,mode=1777,noexec'], 'grep " /scratch " /proc/mounts')
    assert.match(mount, /^tmpfs \/scratch tmpfs \S*noexec\S*size=1024k/)
    assert.match(mount, /nosuid/)
  })

  test('--shm-size', async () => {
    assert.match(await inside([], 'grep " /dev/shm " /proc/mounts'), /size=65536k/)
    assert.match(await inside(['--shm-size', '8m'], 'grep " /dev/shm " /proc/mounts'), /size=8192k/)
  })

  test("the writable layer is the container's own", async () => {
    const id = await daemon.ok([
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'echo mine >/mine; rm /etc/not-executable; sleep 1000',
    ])
    assert.equal(await inside([], 'ls /mine /etc/not-executable 2>/dev/null'.concat(' || true')), '/etc/not-executable')
    await daemon.ok(['restart', '-t', '0', id])
    assert.equal(await daemon.ok(['exec', id, 'cat', '/mine']), 'mine')
    await daemon.ok(['rm', '-f', id])
  })
})

describe('devices and /proc', () => {
  test('/dev has the usual nodes', async () => {
    const nodes = await inside(
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

  test('masked and read-only paths', async () => {
    assert.equal(await inside([], 'cat /proc/kcore /proc/timer_list 2>/dev/null | wc -c'), '0')
    const { code } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo 1 >/proc/sys/kernel/panic'])
    assert.notEqual(code, 0)
    assert.match(await inside([], 'grep " /sys " /proc/mounts'), / ro[, ]/)
  })
})

describe('limits', () => {
  test('--memory', async () => {
    assert.equal(
      await inside(['--memory', '64m'], cgroupFile('memory.max', 'memory/memory.limit_in_bytes')),
      '67108864',
    )
  })

  test('--memory ends what takes more, and says so', async () => {
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

  test('--cpus', async () => {
    const script = cgroupV2
      ? 'cat /sys/fs/cgroup/cpu.max'
      : 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'
    assert.equal((await inside(['--cpus', '0.5'], script)).replace('\n', ' '), '50000 100000')
  })

  test('--pids-limit', async () => {
    assert.equal(await inside(['--pids-limit', '42'], cgroupFile('pids.max', 'pids/pids.max')), '42')
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait'
    const { stderr } = await daemon.docker(['run', '--rm', '--pids-limit', '5', 'busybox', 'sh', '-c', script])
    assert.match(stderr, /can't fork/)
  })

  test('a limit that makes no sense is refused', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--memory', '1m', 'busybox', 'true'])
    assert.equal(code, 125)
    assert.match(stderr, /Minimum memory limit allowed is 6MB/)
  })
})

describe('security', () => {
  const capabilities = async (options: string[]) =>
    BigInt(`0x${(await inside(options, "awk '/^CapEff/ {print $2}' /proc/self/status")).trim()}`)
  const NET_ADMIN = 1n << 12n
  const CHOWN = 1n

  test('the default capabilities are those of Docker', async () => {
    assert.equal((await capabilities([])).toString(16), 'a80425fb')
  })

  test('--cap-add and --cap-drop', async () => {
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

  test('--privileged', async () => {
    assert.notEqual((await capabilities(['--privileged'])) & NET_ADMIN, 0n)
    assert.match(await inside(['--privileged'], 'grep " /sys " /proc/mounts'), / rw[, ]/)
    assert.equal(await inside(['--privileged'], 'mount -t tmpfs none /tmp && echo mounted'), 'mounted')
  })

  test("seccomp: filtered by default, --security-opt seccomp=unconfined, a profile of one's own", async () => {
    const mode = "awk '/^Seccomp:/ {print $2}' /proc/self/status"
    assert.equal(await inside([], mode), '2')
    assert.equal(await inside(['--security-opt', 'seccomp=unconfined'], mode), '0')
    assert.equal(await inside(['--privileged'], mode), '0')
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

  test('the default profile blocks what it must', async () => {
    const { code } = await daemon.docker(['run', '--rm', 'busybox', 'unshare', '-U', 'true'])
    assert.notEqual(code, 0)
  })

  test('--security-opt no-new-privileges', async () => {
    const flag = "awk '/^NoNewPrivs/ {print $2}' /proc/self/status"
    assert.equal(await inside([], flag), '0')
    assert.equal(await inside(['--security-opt', 'no-new-privileges'], flag), '1')
  })
})

test('a field of the create body that is not built is refused by name', async () => {
  const { status, body } = await daemon.api<{ message: string }>('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { Isolation: 'hyperv' },
  })
  assert.ok(status === 501 || status === 400, `status ${status}`)
  assert.match(body.message, /Isolation/i)
})
