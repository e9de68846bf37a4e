/** Options of `run` that go beyond the container: devices, other containers' volumes and namespaces, limits; and
 *  Docker's texts for wrong values. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

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

/** Standard error of a `run` that the daemon must refuse. The CLI takes `no such file` in it for a missing program. */
async function refusal(options: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(['run', '--rm', ...options, 'busybox', 'true'])
  assert.equal(code, stderr.includes('no such file or directory') ? 127 : 125, stderr)
  return stderr
}

const cgroupV2 = readFileSync('/proc/mounts', 'utf8').includes(' /sys/fs/cgroup cgroup2 ')

describe('devices', () => {
  test('--device creates the node and allows its use', async () => {
    const script = 'ls -l /dev/other | cut -c1; head -c 4 /dev/other | wc -c; head -c 1 /dev/zero >/dev/null && echo ok'
    assert.equal(await inside(['--device', '/dev/zero:/dev/other'], script), 'c\n4\nok')
  })

  test('a node may be used only as the permissions allow', async () => {
    const script = 'echo x 2>/dev/null >/dev/other || echo denied; head -c 1 /dev/other | wc -c'
    assert.equal(await inside(['--device', '/dev/kmsg:/dev/other:r'], `${script.split(';')[0]}`), 'denied')
    assert.equal(
      await inside(
        ['--device-cgroup-rule', 'c 1:11 w', '--cap-add', 'MKNOD'],
        'mknod /dev/k c 1 11; head -c 1 /dev/k || echo no',
      ),
      'no',
    )
  })

  test('an invalid device is named', async () => {
    assert.match(
      await refusal(['--device', '/dev/no-such-device']),
      /error gathering device information.*no-such-device/,
    )
    assert.match(await refusal(['--device', '/etc/passwd']), /not a device node/)
  })

  test("--privileged has the host's devices", async () => {
    assert.equal(await inside(['--privileged'], 'ls /dev/kmsg'), existsSync('/dev/kmsg') ? '/dev/kmsg' : '')
    const { HostConfig } = await created({ HostConfig: { Privileged: true } })
    assert.equal(HostConfig.MaskedPaths, null)
  })
})

interface Created {
  readonly Id: string
  readonly HostConfig: Readonly<Record<string, unknown>>
}

/** Inspects a container made by a plain API call, and removes it. */
async function created(body: Readonly<Record<string, unknown>>): Promise<Created> {
  const made = await daemon.api<{ Id: string }>('POST', '/containers/create', { Image: 'busybox', ...body })
  assert.equal(made.status, 201, made.text)
  const { body: inspected } = await daemon.api<Created>('GET', `/containers/${made.body.Id}/json`)
  await daemon.api('DELETE', `/containers/${made.body.Id}?v=1`)
  return inspected
}

describe('paths of the system', () => {
  test('masked and read-only paths are shown, and given ones replace them', async () => {
    const plain = await created({})
    assert.ok((plain.HostConfig.MaskedPaths as string[]).includes('/proc/kcore'))
    assert.ok((plain.HostConfig.ReadonlyPaths as string[]).includes('/proc/sys'))
    const made = await daemon.api<{ Id: string }>('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'wc -c < /etc/passwd; touch /proc/sys/kernel/domainname'],
      HostConfig: { MaskedPaths: ['/etc/passwd'], ReadonlyPaths: [] },
    })
    assert.equal(await daemon.ok(['start', '-a', made.body.Id]), '0')
    await daemon.ok(['rm', made.body.Id])
  })

  test('systempaths=unconfined masks nothing', async () => {
    assert.equal(
      await inside(['--security-opt', 'systempaths=unconfined'], 'grep -c " /proc/" /proc/mounts || true'),
      '0',
    )
  })

  test('/.dockerenv exists, so programs know that they are in a container', async () => {
    assert.equal(await inside([], 'ls /.dockerenv'), '/.dockerenv')
  })
})

describe('other containers', () => {
  test('--volumes-from mounts the volumes of another container', async () => {
    const host = join(daemon.root, 'vf')
    mkdirSync(host)
    writeFileSync(join(host, 'f'), 'host')
    const volumes = ['-v', '/data', '-v', 'vfnamed:/named:ro', '-v', `${host}:/host:ro`]
    const donor = await daemon.ok(['run', '-d', '--network', 'none', ...volumes, 'busybox', 'sleep', '1000'])
    await daemon.ok(['exec', donor, 'sh', '-c', 'echo one > /data/f'])
    const script = 'cat /data/f /host/f; echo; touch /named/x 2>/dev/null || echo read-only; touch /data/g && echo ok'
    assert.equal(await inside(['--volumes-from', donor], script), 'one\nhost\nread-only\nok')
    const locked = 'touch /data/h 2>/dev/null || echo read-only'
    assert.equal(await inside(['--volumes-from', `${donor}:ro`], locked), 'read-only')
    assert.equal(await inside(['--volumes-from', donor, '-v', 'vfother:/data'], 'ls /data | wc -l'), '0')
    assert.match(await refusal(['--volumes-from', 'nobody']), /No such container: nobody/)
    assert.match(await refusal(['--volumes-from', `${donor}:zz`]), /invalid mode: zz/)
    await daemon.ok(['rm', '-fv', donor])
    await daemon.ok(['volume', 'rm', 'vfnamed', 'vfother'])
  })

  test('--ipc container needs a shareable container, and shares its /dev/shm', async () => {
    const sharer = await daemon.ok(['run', '-d', '--network', 'none', '--ipc', 'shareable', 'busybox', 'sleep', '1000'])
    await daemon.ok(['exec', sharer, 'sh', '-c', 'echo shared > /dev/shm/f; readlink /proc/self/ns/ipc > /dev/shm/ns'])
    const script = 'cat /dev/shm/f; [ "$(cat /dev/shm/ns)" = "$(readlink /proc/self/ns/ipc)" ] && echo same'
    assert.equal(await inside(['--ipc', `container:${sharer}`], script), 'shared\nsame')
    await daemon.ok(['rm', '-f', sharer])
    const loner = await daemon.ok(['run', '-d', '--network', 'none', 'busybox', 'sleep', '1000'])
    assert.match(await refusal(['--ipc', `container:${loner}`]), /non-shareable IPC/)
    await daemon.ok(['rm', '-f', loner])
  })

  test('--ipc none, host and an invalid value', async () => {
    assert.equal(await inside(['--ipc', 'none'], 'grep -c /dev/shm /proc/mounts || true'), '0')
    assert.equal(await inside(['--ipc', 'host'], 'readlink /proc/self/ns/ipc'), await daemonNamespace('ipc'))
    assert.match(await refusal(['--ipc', 'nonsense']), /Invalid IPC mode: nonsense/)
    assert.match(await refusal(['--ipc', 'container:nobody']), /No such container: nobody/)
  })

  test('--pid accepts host and container', async () => {
    assert.equal(await inside(['--pid', 'host'], 'readlink /proc/self/ns/pid'), await daemonNamespace('pid'))
    const other = await daemon.ok(['run', '-d', '--network', 'none', 'busybox', 'sleep', '12345'])
    assert.match(await inside(['--pid', `container:${other}`], 'cat /proc/1/cmdline'), /sleep\0?12345/)
    await daemon.ok(['rm', '-f', other])
  })

  test('modes keep the id of the container that they name', async () => {
    const target = await daemon.ok(['run', '-d', '--name', 'target', '--network', 'none', 'busybox', 'sleep', '1000'])
    const { HostConfig } = await created({
      HostConfig: { NetworkMode: 'container:target', PidMode: 'container:target' },
    })
    assert.equal(HostConfig.NetworkMode, `container:${target}`)
    assert.equal(HostConfig.PidMode, `container:${target}`)
    await daemon.ok(['rm', '-f', target])
  })

  test('an unknown network fails the start with an error that is not that of a missing image', async () => {
    const stderr = await refusal(['--network', 'nowhere'])
    assert.match(stderr, /network nowhere not found/)
    assert.doesNotMatch(stderr, /Unable to find image/)
    assert.match(await refusal(['--network', 'container:nobody']), /No such container: nobody/)
  })
})

async function daemonNamespace(kind: string): Promise<string> {
  const { readlinkSync } = await import('node:fs')
  return readlinkSync(`/proc/${daemon.pid}/ns/${kind}`)
}

describe('limits', () => {
  test('--memory-swappiness is set', { skip: cgroupV2 ? 'cgroup v2 has none' : false }, async () => {
    assert.equal(await inside(['--memory-swappiness', '10'], 'cat /sys/fs/cgroup/memory/memory.swappiness'), '10')
  })

  test('--cpu-shares, --cpu-period, --cpu-quota and --cpuset-cpus are set', {
    skip: cgroupV2 ? 'asks for files of v1' : false,
  }, async () => {
    const options = ['--cpu-shares', '512', '--cpu-period', '50000', '--cpu-quota', '25000', '--cpuset-cpus', '0']
    const files = ['cpu/cpu.shares', 'cpu/cpu.cfs_period_us', 'cpu/cpu.cfs_quota_us', 'cpuset/cpuset.cpus']
    const script = files.map((file) => `cat /sys/fs/cgroup/${file}`).join(';')
    assert.equal(await inside(options, script), '512\n50000\n25000\n0')
  })

  test('--sysctl applies to the container only', async () => {
    assert.equal(await inside(['--sysctl', 'net.ipv4.ip_forward=1'], 'cat /proc/sys/net/ipv4/ip_forward'), '1')
    await refusal(['--sysctl', 'vm.swappiness=1'])
  })

  const wrong: [options: string[], message: RegExp][] = [
    [['--memory-swappiness', '200'], /valid memory swappiness range is 0-100/i],
    [['--cpuset-cpus', '4096'], /Requested CPUs are not available - requested 4096/],
    [['--cpuset-cpus', 'x'], /Invalid value x for cpuset cpus/],
    [['--cpu-period', '5'], /CPU cfs period can not be less than 1ms/],
    [['--cpu-quota', '5'], /CPU cfs quota can not be less than 1ms/],
    [['--cpus', '1', '--cpu-quota', '5000'], /Nano CPUs and CPU Quota cannot both be set/],
    [['--uts', 'host', '-h', 'x'], /conflicting options: hostname and the UTS mode/],
    [['--mac-address', 'x'], /not a valid mac address|invalid MAC address/i],
    [['--ip', '172.17.0.9'], /user specified IP address is supported on user defined networks only/],
    [['--tmpfs', '/a:nonsense'], /invalid tmpfs option \["nonsense"\]/],
    [['--tmpfs', 'a'], /invalid mount path: 'a' mount path must be absolute/],
    [['-v', '/a:b'], /invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute/],
    [['-v', '/a:/'], /invalid specification: destination can't be '\/'/],
    [['-v', 'a/b:/c'], /"a\/b" includes invalid characters for a local volume name/],
    [['--mount', 'type=bind,src=/no-such-dir,dst=/a'], /bind source path does not exist: \/no-such-dir/],
    [['--security-opt', 'a=b'], /invalid --security-opt 2: "a=b"/],
    [['--log-driver', 'nonsense'], /error looking up logging plugin nonsense/],
    [['--device-cgroup-rule', 'c 1:1 x'], /invalid/i],
  ]
  for (const [options, message] of wrong) {
    test(`${options.join(' ')} is refused`, async () => {
      const stderr = await refusal(options)
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /Unable to find image/)
    })
  }

  test('published ports on the host network cause a warning', async () => {
    const { stderr } = await daemon.docker(['run', '--rm', '--network', 'host', '-p', '80:80', 'busybox', 'true'])
    assert.match(stderr, /Published ports are discarded when using host network mode/)
  })
})
