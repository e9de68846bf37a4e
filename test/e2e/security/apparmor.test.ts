/** AppArmor profiles of containers, on hosts that have AppArmor. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BuildDirectory } from '../../helpers/clients/build-directory.ts'
import { findProgram, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const interface_ = '/sys/kernel/security/apparmor'
const skip = !existsSync(join(interface_, 'profiles'))
  ? 'this host has no AppArmor'
  : findProgram('apparmor_parser') === undefined
    ? 'apparmor_parser is not installed'
    : false
const current = ['cat', '/proc/self/attr/current']
const enforced = 'docker-default (enforce)'

let daemon: TestDaemon

before(async () => {
  if (skip) return
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function inside(options: readonly string[], ...command: string[]): Promise<string> {
  return daemon.ok(['run', '--rm', '--network', 'none', ...options, 'busybox', ...command])
}

/** Whether a container with these options may mount a file system; only AppArmor could forbid it. */
async function canMount(options: readonly string[]): Promise<boolean> {
  const rights = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined']
  const text = await inside([...rights, ...options], 'sh', '-c', 'mount -t tmpfs x /tmp 2>&1 && echo mounted || true')
  assert.match(text, /^mounted$|denied/)
  return text === 'mounted'
}

async function withProfile(name: string, rules: readonly string[], work: () => Promise<void>): Promise<void> {
  const input = `profile ${name} flags=(attach_disconnected) {\n${rules.map((rule) => `  ${rule},\n`).join('')}}\n`
  await runOrThrow('apparmor_parser', ['-K', '-r'], { input })
  try {
    await work()
  } finally {
    await runOrThrow('apparmor_parser', ['-K', '-R'], { input })
  }
}

/** Other processes under the default profile, which would lose it. */
function othersConfined(): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/attr/current`, 'utf8').startsWith('docker-default')
    } catch {
      return false
    }
  })
}

describe('AppArmor', { skip }, () => {
  test('containers run under docker-default, which forbids mounts', async () => {
    assert.match(await daemon.ok(['info', '-f', '{{.SecurityOptions}}']), /name=apparmor/)
    assert.equal(await inside([], ...current), enforced)
    assert.equal(await canMount([]), false)
    assert.equal(await canMount(['--security-opt', 'apparmor=unconfined']), true)
    assert.equal(await inside(['--security-opt', 'apparmor=unconfined'], ...current), 'unconfined')
    const paths = ['--security-opt', 'systempaths=unconfined']
    const write = 'echo 0 2>&1 >/proc/sys/kernel/panic_on_oops && echo written || true'
    assert.match(await inside(paths, 'sh', '-c', write), /denied/)
  })

  test('inspect shows the profile', async () => {
    for (const [options, profile] of [
      [[], 'docker-default'],
      [['--privileged'], 'unconfined'],
      [['--security-opt', 'apparmor=unconfined'], 'unconfined'],
      [['--security-opt', 'apparmor:docker-default'], 'docker-default'],
    ] as const) {
      await daemon.ok(['run', '--name', 'shown', ...options, 'busybox', 'true'])
      assert.equal(await daemon.ok(['inspect', '-f', '{{.AppArmorProfile}}', 'shown']), profile)
      await daemon.ok(['rm', 'shown'])
    }
    assert.equal(await inside(['--privileged'], ...current), 'unconfined')
  })

  test('exec and health checks keep it, also with --privileged, and so does a container after a crash of the daemon', async () => {
    const health = ['--health-cmd', 'cat /proc/self/attr/current', '--health-interval', '1s']
    await daemon.ok(['run', '-d', '--name', 'up', ...health, 'busybox', 'sleep', '1000'])
    const checked = ['inspect', '-f', '{{range .State.Health.Log}}{{.Output}}{{end}}', 'up']
    await until(async () => (await daemon.ok(checked)).startsWith(enforced), {
      what: 'a health check under the profile',
    })
    const look = async () => {
      assert.equal(await daemon.ok(['exec', 'up', ...current]), enforced)
      assert.equal(await daemon.ok(['exec', '--privileged', 'up', ...current]), enforced)
      const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', 'up'])
      assert.equal(readFileSync(`/proc/${pid}/attr/current`, 'utf8').trim(), enforced)
    }
    await look()
    await daemon.kill9()
    await daemon.start()
    await look()
    // The profile allows the daemon's signals.
    await daemon.ok(['stop', '-t', '0', 'up'])
    await daemon.ok(['start', 'up'])
    await look()
    await daemon.ok(['rm', '-f', 'up'])
  })

  test('HostConfig.SecurityOpt: apparmor=PROFILE sets a profile, which must be loaded', async () => {
    const option = ['--security-opt', 'apparmor=berth-test']
    const refused = await daemon.docker(['run', '--name', 'refused', ...option, 'busybox', 'true'])
    assert.match(
      refused.stderr,
      /OCI runtime create failed: .*unable to apply apparmor profile: apparmor failed to apply profile: write \/proc\/self\/attr\/apparmor\/exec: no such file or directory/,
    )
    assert.equal(refused.code, 127)
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'refused']), 'created 128')
    await withProfile('berth-test', ['file', 'capability', 'deny /tmp/** w', 'signal'], async () => {
      assert.equal(await inside(option, ...current), 'berth-test (enforce)')
      assert.match(await inside(option, 'sh', '-c', 'touch /tmp/x 2>&1 || true'), /denied/)
      assert.equal(await inside([...option, '--privileged'], ...current), 'berth-test (enforce)')
      await daemon.ok(['start', '-a', 'refused'])
    })
    await daemon.ok(['rm', 'refused'])
  })

  test('RUN steps run under the profile', async () => {
    using context = new BuildDirectory({
      Dockerfile:
        'FROM busybox\nRUN cat /proc/self/attr/current >/profile\nRUN mount -t tmpfs x /tmp 2>/refused || true\n',
    })
    await daemon.ok(['build', '-q', '-t', 'built', context.path])
    assert.equal(await daemon.ok(['run', '--rm', 'built', 'cat', '/profile']), enforced)
    assert.match(await daemon.ok(['run', '--rm', 'built', 'cat', '/refused']), /denied/)
  })

  test('a profile that was removed is loaded again', async (context) => {
    if (othersConfined()) {
      context.skip('other containers on this host run under docker-default')
      return
    }
    const remove = () => writeFileSync(join(interface_, '.remove'), 'docker-default')
    remove()
    assert.equal(await inside([], ...current), enforced)
    await daemon.ok(['run', '-d', '--name', 'up', 'busybox', 'sleep', '1000'])
    remove()
    assert.equal(await daemon.ok(['exec', 'up', ...current]), enforced)
    await daemon.ok(['rm', '-f', 'up'])
    remove()
    const texts = await Promise.all([1, 2, 3, 4].map(() => inside([], ...current)))
    assert.deepEqual(new Set(texts), new Set([enforced]))
  })
})
