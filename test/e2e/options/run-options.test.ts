/** Every option of `docker run` that is about the container itself, seen from inside the container. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

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

  test('a container that could not start leaves nothing behind', async () => {
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
  test('stdout and stderr are separate', async () => {
    const { stdout, stderr } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2'])
    assert.equal(stdout, 'out\n')
    assert.equal(stderr, 'err\n')
  })

  test('-i passes standard input and its end', async () => {
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
    assert.equal(await daemon.inside([], 'wc -c'), '0')
  })

  test('output larger than any pipe arrives completely', async () => {
    const { stdout } = await daemon.docker(['run', '--rm', 'busybox', 'seq', '1', '200000'])
    assert.equal(stdout.length, Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('').length)
    assert.ok(stdout.endsWith('\n199999\n200000\n'))
  })
})

describe('process', () => {
  test('-e and --env-file set variables', async () => {
    const file = join(daemon.root, 'env')
    writeFileSync(file, '# comment\nFROM_FILE=1\nSPACES=a b\n')
    const out = await daemon.inside(
      ['-e', 'ONE=1', '-e', 'EMPTY=', '--env-file', file],
      'echo "$ONE,$EMPTY,$FROM_FILE,$SPACES"',
    )
    assert.equal(out, '1,,1,a b')
  })

  test("-e NAME takes the value from the client's environment", async () => {
    const out = await daemon.ok(['run', '--rm', '-e', 'FROM_CLIENT', 'busybox', 'sh', '-c', 'echo $FROM_CLIENT'], {
      env: { FROM_CLIENT: 'yes' },
    })
    assert.equal(out, 'yes')
  })

  test('the environment has PATH, HOSTNAME and HOME', async () => {
    assert.equal(
      await daemon.inside(['-h', 'box'], 'echo "$PATH $HOSTNAME $HOME"'),
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin box /root',
    )
  })

  test('-w creates the directory', async () => {
    assert.equal(await daemon.inside(['-w', '/new/dir'], 'pwd'), '/new/dir')
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
      assert.equal(await daemon.inside(['-u', user], 'echo "$(id -u):$(id -g) $HOME"'), expected)
    })
  }

  test('-u of an unknown user is an error', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '-u', 'nobody-knows', 'busybox', 'true'])
    assert.notEqual(code, 0)
    assert.match(stderr, /nobody-knows/)
  })

  test('supplementary groups of a named user come from the image; --group-add adds more', async () => {
    assert.equal(await daemon.inside(['-u', 'app'], 'id -G'), '1000 2000')
    assert.equal(await daemon.inside(['--group-add', 'audio', '--group-add', '4242'], 'id -G'), '0 29 4242')
  })

  test('--entrypoint replaces the entrypoint', async () => {
    assert.equal(await daemon.ok(['run', '--rm', '--entrypoint', 'echo', 'busybox', 'a', 'b']), 'a b')
  })

  test("an image's entrypoint, command, user, directory, labels and environment apply", async () => {
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

  test('--init runs the program below an init that forwards signals', async () => {
    assert.notEqual(await daemon.inside(['--init'], 'echo $$'), '1')
    assert.equal(await daemon.inside([], 'echo $$'), '1')
    const id = await daemon.ok(['run', '-d', '--init', 'busybox', 'sh', '-c', 'echo up; exec sleep 1000'])
    // The init handles signals once it has started its child; 137 would mean that it never did.
    await until(async () => (await daemon.ok(['logs', id])) === 'up', { what: 'the program below the init' })
    await daemon.ok(['stop', id])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.ExitCode}}', id]), '143')
    await daemon.ok(['rm', id])
  })

  test('--ulimit sets limits', async () => {
    assert.equal(await daemon.inside(['--ulimit', 'nofile=256:512'], 'ulimit -n; ulimit -Hn'), '256\n512')
    assert.equal(await daemon.inside(['--ulimit', 'core=0'], 'ulimit -c'), '0')
  })
})

describe('identity', () => {
  test('the hostname is the short id; -h and --domainname set it', async () => {
    const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
    assert.equal(await daemon.ok(['exec', id, 'hostname']), id.slice(0, 12))
    await daemon.ok(['rm', '-f', id])
    assert.equal(
      await daemon.inside(['-h', 'mybox'], 'hostname; grep mybox /etc/hosts | wc -l; cat /etc/hostname'),
      'mybox\n1\nmybox',
    )
  })

  test('--add-host, --dns, --dns-search, --dns-option are written into hosts and resolv.conf', async () => {
    const hosts = await daemon.inside(['--add-host', 'db:10.9.8.7', '--add-host', 'gw:host-gateway'], 'cat /etc/hosts')
    assert.match(hosts, /^10\.9\.8\.7\s+db$/m)
    assert.match(hosts, /^\d+\.\d+\.\d+\.\d+\s+gw$/m)
    assert.match(hosts, /^127\.0\.0\.1\s+localhost$/m)
    // Also if the container has no gateway: then it is the default bridge's address.
    const bridge = await daemon.ok(['network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'bridge'])
    for (const network of ['none', 'host']) {
      const alone = await daemon.inside(['--network', network, '--add-host', 'gw:host-gateway'], 'cat /etc/hosts')
      assert.ok(alone.split('\n').includes(`${bridge}\tgw`), `${network}: ${alone}`)
    }
    const resolv = await daemon.inside(
      ['--dns', '9.9.9.9', '--dns-search', 'example.org', '--dns-option', 'ndots:3'],
      'cat /etc/resolv.conf',
    )
    assert.match(resolv, /^nameserver 9\.9\.9\.9$/m)
    assert.match(resolv, /^search example\.org$/m)
    assert.match(resolv, /^options ndots:3$/m)
  })

  test('names: given ones are unique; others are made of two words', async () => {
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

  test('--cidfile receives the id', async () => {
    const file = join(daemon.root, 'cid')
    await daemon.ok(['run', '--cidfile', file, '--name', 'cid', 'busybox', 'true'])
    assert.equal(readFileSync(file, 'utf8'), await daemon.ok(['inspect', '-f', '{{.Id}}', 'cid']))
    await daemon.ok(['rm', 'cid'])
  })

  test('--platform of another architecture is refused', async () => {
    const other = process.arch === 'arm64' ? 'linux/s390x' : 'linux/arm64'
    const { code } = await daemon.docker(['run', '--rm', '--pull', 'never', '--platform', other, 'busybox', 'true'])
    assert.equal(code, 125)
  })
})

describe('files', () => {
  test('-v mounts a host directory, read-write and read-only', async () => {
    const directory = join(daemon.root, 'bind')
    mkdirSync(directory)
    writeFileSync(join(directory, 'from-host'), 'hello')
    assert.equal(
      await daemon.inside(['-v', `${directory}:/data`], 'cat /data/from-host; echo back >/data/from-container'),
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

  test('-v mounts a single file', async () => {
    const file = join(daemon.root, 'single')
    writeFileSync(file, 'one file')
    assert.equal(await daemon.inside(['-v', `${file}:/etc/single:ro`], 'cat /etc/single'), 'one file')
  })

  test('-v creates a missing host directory, --mount does not', async () => {
    await daemon.inside(['-v', `${daemon.root}/made:/data`], 'touch /data/x')
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

  test("-v of a named volume keeps its files and starts with the image's", async () => {
    await daemon.inside(['-v', 'keep:/data'], 'echo kept >/data/file')
    assert.equal(await daemon.inside(['-v', 'keep:/other'], 'cat /other/file'), 'kept')
    assert.match(await daemon.inside(['-v', 'fresh:/etc'], 'cat /etc/passwd'), /^app:/m)
    const used = await daemon.ok(['create', '-v', 'keep:/data', 'busybox'])
    const removal = await daemon.api<{ message: string }>('DELETE', '/volumes/keep')
    assert.equal(removal.status, 409)
    assert.match(removal.body.message, /volume is in use/)
    await daemon.ok(['rm', used])
    assert.equal((await daemon.api('DELETE', '/volumes/keep')).status, 204)
    assert.equal((await daemon.api('DELETE', '/volumes/fresh')).status, 204)
  })

  test('an anonymous volume is removed with --rm, and with rm -v', async () => {
    const count = async () => (await daemon.api<{ Volumes: unknown[] }>('GET', '/volumes')).body.Volumes?.length ?? 0
    const first = await count()
    await daemon.inside(['-v', '/data'], 'touch /data/x')
    assert.equal(await count(), first)
    const id = await daemon.ok(['create', '-v', '/data', 'busybox'])
    assert.equal(await count(), first + 1)
    await daemon.ok(['rm', '-v', id])
    assert.equal(await count(), first)
  })

  test('--read-only allows writes to --tmpfs only', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--read-only', 'busybox', 'touch', '/x'])
    assert.equal(code, 1)
    assert.match(stderr, /Read-only file system/)
    assert.equal(await daemon.inside(['--read-only', '--tmpfs', '/scratch'], 'touch /scratch/x && echo ok'), 'ok')
  })

  test('--tmpfs takes mount options', async () => {
    const mount = await daemon.inside(
      ['--tmpfs', '/scratch:size=1m,mode=1777,noexec'],
      'grep " /scratch " /proc/mounts',
    )
    assert.match(mount, /^tmpfs \/scratch tmpfs \S*noexec\S*size=1024k/)
    assert.match(mount, /nosuid/)
  })

  test('--shm-size sets the size of /dev/shm', async () => {
    assert.match(await daemon.inside([], 'grep " /dev/shm " /proc/mounts'), /size=65536k/)
    assert.match(await daemon.inside(['--shm-size', '8m'], 'grep " /dev/shm " /proc/mounts'), /size=8192k/)
  })

  test('the writable layer belongs to the container', async () => {
    const id = await daemon.ok([
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'echo mine >/mine; rm /etc/not-executable; sleep 1000',
    ])
    assert.equal(
      await daemon.inside([], 'ls /mine /etc/not-executable 2>/dev/null'.concat(' || true')),
      '/etc/not-executable',
    )
    await daemon.ok(['restart', '-t', '0', id])
    assert.equal(await daemon.ok(['exec', id, 'cat', '/mine']), 'mine')
    await daemon.ok(['rm', '-f', id])
  })
})

test('an unsupported field of the create body is refused by name', async () => {
  const { status, body } = await daemon.api<{ message: string }>('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { Isolation: 'hyperv' },
  })
  assert.ok(status === 501 || status === 400, `status ${status}`)
  assert.match(body.message, /Isolation/i)
})
