/** Fields of the create body that confine a container, and the daemon's defaults for them. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Standard output of a script in a container without a network. */
function inside(options: readonly string[], script: string, image = 'busybox'): Promise<string> {
  return daemon.ok(['run', '--rm', '--network', 'none', ...options, image, 'sh', '-c', script])
}

async function refusal(options: readonly string[], image = 'busybox'): Promise<string> {
  const { code, stderr } = await daemon.docker(['run', '--rm', '--network', 'none', ...options, image, 'true'])
  assert.equal(code, 125, stderr)
  return stderr
}

function profileFile(profile: unknown): string {
  const path = join(daemon.root, 'profile.json')
  writeFileSync(path, JSON.stringify(profile))
  return path
}

const denyMkdir = (conditions: object = {}) => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 13, ...conditions }],
})

const tryMkdir = 'mkdir /x 2>&1 && echo made'

describe('HostConfig.SecurityOpt', () => {
  test("HostConfig.SecurityOpt: takes a seccomp profile in Docker's form, with its conditions", async () => {
    const under = async (profile: unknown, options: readonly string[] = []) =>
      await inside(['--security-opt', `seccomp=${profileFile(profile)}`, ...options], `${tryMkdir} || true`)
    assert.match(await under(denyMkdir()), /Permission denied/)
    assert.equal(await under({}), 'made')
    const ifPrivileged = denyMkdir({ includes: { caps: ['CAP_SYS_ADMIN'] } })
    assert.equal(await under(ifPrivileged), 'made')
    assert.match(await under(ifPrivileged, ['--cap-add', 'SYS_ADMIN']), /Permission denied/)
    assert.match(await under(denyMkdir(), ['--privileged']), /Permission denied/)
    const map = [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ]
    assert.match(await under({ ...denyMkdir(), archMap: map }), /Permission denied/)
  })

  test('HostConfig.SecurityOpt: invalid profiles are refused with the reason', async () => {
    const wrong = async (profile: unknown) => await refusal(['--security-opt', `seccomp=${profileFile(profile)}`])
    assert.match(await wrong([]), /Decoding seccomp profile failed: json: cannot unmarshal array/)
    assert.match(
      await wrong({ defaultAction: 'SCMP_ACT_BOGUS' }),
      /string SCMP_ACT_BOGUS is not a valid action for seccomp/,
    )
    assert.match(await wrong(denyMkdir({ name: 'chmod' })), /'name' and 'names' were specified in the seccomp profile/)
  })

  test('HostConfig.SecurityOpt: accepts seccomp=unconfined and seccomp=builtin', async () => {
    const mode = "awk '/^Seccomp:/ {print $2}' /proc/self/status"
    assert.equal(await inside(['--security-opt', 'seccomp=unconfined'], mode), '0')
    assert.equal(await inside(['--security-opt', 'seccomp=builtin'], mode), '2')
  })

  test('HostConfig.SecurityOpt: no-new-privileges takes every boolean that Go accepts', async () => {
    const flag = "awk '/^NoNewPrivs/ {print $2}' /proc/self/status"
    for (const value of ['no-new-privileges', 'no-new-privileges=T', 'no-new-privileges:1']) {
      assert.equal(await inside(['--security-opt', value], flag), '1', value)
    }
    assert.equal(await inside(['--security-opt', 'no-new-privileges=False'], flag), '0')
    assert.match(
      await refusal(['--security-opt', 'no-new-privileges=maybe']),
      /invalid --security-opt 2: "no-new-privileges=maybe"/,
    )
  })

  test('HostConfig.SecurityOpt: systempaths=unconfined masks no paths', async () => {
    assert.equal(
      await inside(['--security-opt', 'systempaths=unconfined'], 'grep -cE " /proc/(kcore|sys) " /proc/mounts || true'),
      '0',
    )
    assert.match(await refusal(['--security-opt', 'systempaths=other']), /invalid --security-opt 2/)
  })

  test('HostConfig.SecurityOpt: AppArmor and SELinux options apply, or are discarded with a warning', async () => {
    const hasAppArmor = readProc('/sys/module/apparmor/parameters/enabled').startsWith('Y')
    const run = async (option: string) =>
      await daemon.docker([
        'run',
        '--rm',
        '--network',
        'none',
        '--security-opt',
        option,
        'busybox',
        'cat',
        '/proc/self/attr/current',
      ])
    const { stdout, stderr } = await run('apparmor=docker-default')
    if (hasAppArmor) assert.match(stdout, /^docker-default/)
    else assert.match(stderr, /WARNING: Your kernel does not support AppArmor or it is not enabled/)
    assert.equal((await run('apparmor=unconfined')).stderr.includes('WARNING'), false)
    assert.equal((await run('label=disable')).stderr.includes('WARNING'), false)
    assert.match((await run('label=level:s0:c1,c2')).stderr, /WARNING: SELinux is not enabled for containers/)
    assert.match((await run('label=nonsense')).stderr, /WARNING: SELinux is not enabled for containers/)
    await daemon.ok(['create', '--name', 'shown', 'busybox'])
    assert.equal(
      await daemon.ok(['inspect', '-f', '{{.AppArmorProfile}}', 'shown']),
      hasAppArmor ? 'docker-default' : '',
    )
    await daemon.ok(['rm', 'shown'])
  })

  test("HostConfig.SecurityOpt: Docker's old separator, and effects of other settings", async () => {
    const shown = async (...options: string[]) => {
      await daemon.ok(['create', '--name', 'shown', ...options, 'busybox'])
      const text = await daemon.ok(['inspect', '-f', '{{.HostConfig.SecurityOpt}}', 'shown'])
      await daemon.ok(['rm', 'shown'])
      return text
    }
    assert.equal(await shown(), '[]')
    assert.equal(await shown('--privileged'), '[label=disable]')
    assert.equal(
      await shown('--pid', 'host', '--security-opt', 'no-new-privileges'),
      '[no-new-privileges label=disable]',
    )
    assert.equal(await shown('--ipc', 'host', '--security-opt', 'label=type:t'), '[label=type:t]')
    assert.equal(
      await inside(['--security-opt', 'seccomp:unconfined'], "awk '/^Seccomp:/ {print $2}' /proc/self/status"),
      '0',
    )
    assert.equal(await inside(['--security-opt', 'label:disable'], 'echo yes'), 'yes')
  })

  test('HostConfig.SecurityOpt: unknown options are named', async () => {
    assert.match(await refusal(['--security-opt', 'magic=1']), /invalid --security-opt 2: "magic=1"/)
  })
})

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

describe('users', () => {
  test('Config.User: takes names, numbers and groups of the container', async () => {
    const id = 'echo $(id -u):$(id -g):$(id -G)'
    for (const [user, expected] of [
      ['app', '1000:1000:1000 2000'],
      ['1000', '1000:1000:1000 2000'],
      ['app:extra', '1000:2000:2000'],
      ['4321:1234', '4321:1234:1234'],
      [':5', '0:5:5'],
    ] as const) {
      assert.equal(await inside(['-u', user], id), expected, user)
    }
    assert.match(
      await refusal(['-u', 'nobody-here']),
      /unable to find user nobody-here: no matching entries in passwd file/,
    )
    assert.match(
      await refusal(['-u', '0:no-group']),
      /unable to find group no-group: no matching entries in group file/,
    )
    for (const user of ['-1', '2147483648', '99999999999']) {
      assert.match(await refusal(['-u', user]), /uids and gids must be in range 0-2147483647/, user)
    }
  })

  test('HostConfig.GroupAdd: takes names and numbers; unknown ones are named', async () => {
    assert.equal(await inside(['--group-add', 'extra', '--group-add', '4321'], 'id -G'), '0 2000 4321')
    assert.match(await refusal(['--group-add', 'no-group']), /unable to find group no-group/i)
    assert.match(await refusal(['--group-add', '-5']), /uids and gids must be in range/)
  })

  const hostile: readonly (readonly [what: string, prepare: (etc: string) => unknown])[] = [
    ['a file of 1 GB', (etc) => truncateSync(join(etc, 'passwd'), 1024 ** 3)],
    [
      'a link out of the container',
      (etc) => replace(etc, (path) => symlinkSync('/../../../../../../etc/passwd', path)),
    ],
    ['a link to itself', (etc) => replace(etc, (path) => symlinkSync('passwd', path))],
    ['a fifo', (etc) => replace(etc, (path) => runOrThrow('mkfifo', [path]))],
    ['a device', (etc) => replace(etc, (path) => runOrThrow('mknod', [path, 'c', '1', '5']))],
    ['a directory', (etc) => replace(etc, (path) => mkdirSync(path))],
  ]

  for (const [what, prepare] of hostile) {
    test(`Config.User: is resolved safely if /etc/passwd is ${what}`, async () => {
      const archive = join(daemon.root, 'hostile.tar')
      await writeBusyboxArchive({
        path: archive,
        reference: 'hostile:latest',
        prepare: async (root) => void (await prepare(join(root, 'etc'))),
      })
      await daemon.ok(['load', '-q', '-i', archive])
      rmSync(archive)
      // A number needs no entry. A name is not found, or the file is refused.
      const uid = ['awk', '/^Uid:/ {print $2}', '/proc/self/status']
      assert.equal(await daemon.ok(['run', '--rm', '-u', '7:8', 'hostile', ...uid]), '7')
      assert.match(
        await refusal(['-u', 'daemon'], 'hostile'),
        /unable to find user daemon|\/etc\/passwd of the container is larger/,
      )
      await daemon.ok(['run', '-d', '--name', 'hostile', 'hostile', 'sleep', '1000'])
      assert.equal(await daemon.ok(['exec', 'hostile', ...uid]), '0')
      assert.equal((await daemon.docker(['exec', '-u', 'daemon', 'hostile', 'true'])).code, 126)
      await daemon.ok(['rm', '-f', 'hostile'])
      await daemon.ok(['rmi', 'hostile'])
      const rss = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1])
      assert(rss < 400_000, `the daemon took ${rss} KiB`)
    })
  }
})

async function replace(etc: string, make: (path: string) => unknown): Promise<void> {
  rmSync(join(etc, 'passwd'))
  await make(join(etc, 'passwd'))
}

describe('runtimes', () => {
  test('HostConfig.Runtime: crun and runc behave the same', async () => {
    for (const runtime of ['crun', 'runc']) {
      const name = `by-${runtime}`
      const limits = ['--memory', '64m', '--pids-limit', '50', '--cap-drop', 'NET_RAW', '--health-cmd', 'true']
      const { Id } = JSON.parse(
        `{"Id":"${await daemon.ok(['run', '-d', '--name', name, '--runtime', runtime, ...limits, 'busybox', 'sh', '-c', 'echo out; sleep 1000'])}"}`,
      ) as { Id: string }
      assert.equal(
        await daemon.ok(['inspect', '-f', '{{.HostConfig.Runtime}} {{.State.Status}}', Id]),
        `${runtime} running`,
      )
      assert.equal(await daemon.ok(['exec', name, 'sh', '-c', 'echo in; exit 0']), 'in')
      assert.equal((await daemon.docker(['exec', name, 'sh', '-c', 'exit 7'])).code, 7)
      const missing = await daemon.docker(['exec', name, 'no-such-program'])
      assert.equal(missing.code, 127)
      assert.match(missing.stdout + missing.stderr, /no-such-program/)
      assert.equal((await daemon.docker(['exec', '-i', name, 'cat'], { input: 'given' })).stdout, 'given')
      const terminal = daemon.terminal(['exec', '-it', name, 'sh', '-c', 'stty size; sh'])
      await until(() => terminal.stdout.includes('24 80'), {
        what: () => `a terminal; it has said:\n${terminal.stdout}`,
      })
      await terminal.resize(33, 99)
      terminal.write('stty size; exit 3\n')
      assert.equal((await terminal.ended).code, 3)
      assert.match(terminal.stdout, /33 99/)
      await daemon.ok(['pause', name])
      await daemon.ok(['unpause', name])
      await daemon.ok(['update', '--memory', '80m', '--memory-swap', '160m', name])
      assert.match(await daemon.ok(['stats', '--no-stream', '--format', '{{.MemUsage}}', name]), /80MiB/)
      assert.match(await daemon.ok(['top', name]), /sleep 1000/)
      assert.equal(await daemon.ok(['logs', name]), 'out')
      await daemon.ok(['restart', '-t', '0', name])
      await daemon.ok(['stop', '-t', '0', name])
      assert.equal(await daemon.ok(['inspect', '-f', '{{.State.ExitCode}}', name]), '137')
      assert.equal((await daemon.docker(['run', '--rm', '--runtime', runtime, 'busybox', '/no/such'])).code, 127)
      await daemon.ok(['rm', '-f', name])
    }
  })
})

describe('defaults of the daemon', () => {
  test('seccomp-profile, no-new-privileges and runtimes with arguments apply to containers', async () => {
    const profile = profileFile(denyMkdir())
    const log = join(daemon.root, 'runtime.log')
    const wrapper = join(daemon.root, 'wrapper')
    writeFileSync(
      wrapper,
      `#!/bin/sh
echo "$@" >>${log}
exec crun "$@"
`,
      { mode: 0o755 },
    )
    const runtimes = { mine: { path: wrapper, runtimeArgs: ['--debug'] } }
    await using other = await TestDaemon.start({
      flags: [
        '--seccomp-profile',
        profile,
        '--no-new-privileges',
        '--add-runtime',
        'plain=crun',
        '--default-runtime',
        'crun',
      ],
    })
    await other.loadBusybox()
    await other.stop()
    writeFileSync(join(other.root, 'daemon.json'), JSON.stringify({ runtimes }))
    await other.start()
    const run = (...args: string[]) => other.ok(['run', '--rm', '--network', 'none', ...args])
    assert.match(await run('busybox', 'sh', '-c', `${tryMkdir} || true`), /Permission denied/)
    assert.equal(await run('--security-opt', 'seccomp=builtin', 'busybox', 'sh', '-c', tryMkdir), 'made')
    assert.equal(await run('--privileged', 'busybox', 'sh', '-c', tryMkdir), 'made')
    assert.equal(await run('busybox', 'awk', '/^NoNewPrivs/ {print $2}', '/proc/self/status'), '1')
    assert.match(
      await other.ok(['info', '-f', '{{.SecurityOptions}}']),
      /name=seccomp,profile=custom.*name=no-new-privileges/,
    )
    assert.equal(await run('--runtime', 'mine', 'busybox', 'echo', 'hi'), 'hi')
    assert.equal(await other.ok(['info', '-f', '{{(index .Runtimes "mine").Args}}']), '[--debug]')
    assert.match(readFileSync(log, 'utf8'), /^--debug --root \S+ .*create /m)
  })

  for (const [flags, message] of [
    [['--seccomp-profile', '/no/such'], /opening seccomp profile \(\/no\/such\) failed/],
  ] as const) {
    test(`${flags.join(' ')} is refused`, async () => {
      const program = join(import.meta.dirname, '../../../bin/berthd')
      const { code, stderr } = await runCommand(program, ['--validate', ...flags], { timeoutMs: 20_000 })
      assert.equal(code, 1)
      assert.match(stderr, message)
    })
  }
})
