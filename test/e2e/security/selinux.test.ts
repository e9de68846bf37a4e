/** SELinux labels, on hosts that have SELinux. The tests check denied access only if the policy is enforced. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { getXattr, selinuxPolicy } from '../../../src/sys/index.ts'
import { BuildDirectory } from '../../helpers/clients/build-directory.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const policy = selinuxPolicy()
const skip =
  policy === undefined
    ? 'this host has no SELinux'
    : policy.contexts.process === undefined || policy.contexts.file === undefined
      ? 'the SELinux policy has no labels for containers'
      : process.getuid?.() !== 0
        ? 'needs root'
        : policy.knows(policy.contexts.process)
          ? false
          : `the SELinux policy does not have ${policy.contexts.process}`
const isEnforced = !skip && readFileSync('/sys/fs/selinux/enforce', 'utf8') === '1'
const shared = policy?.contexts.file ?? ''
const confinedType = policy?.contexts.process?.split(':')[2]
const current = ['cat', '/proc/self/attr/current']

let daemon: TestDaemon
let files: string

before(async () => {
  if (skip) return
  files = mkdtempSync('/var/tmp/b-sel-')
  daemon = await TestDaemon.start({ flags: ['--selinux-enabled'] })
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  if (files !== undefined) rmSync(files, { recursive: true, force: true })
})

function labelOf(path: string): string {
  return (getXattr(path, 'security.selinux')?.toString() ?? '').replace(/\0$/, '')
}

interface Shown {
  readonly pid: number
  readonly process: string
  readonly mount: string
  readonly root: string
}

async function inspect(name: string): Promise<Shown> {
  const [container] = JSON.parse(await daemon.ok(['inspect', name]))
  const pid: number = container.State.Pid
  return { pid, process: container.ProcessLabel, mount: container.MountLabel, root: `/proc/${pid}/root` }
}

/** Starts a container that keeps running; returns its inspect. */
async function up(name: string, ...options: string[]): Promise<Shown> {
  await daemon.ok(['run', '-d', '--name', name, '--network', 'none', ...options, 'busybox', 'sleep', '1000'])
  return await inspect(name)
}

function inside(name: string, script: string): Promise<string> {
  return daemon.ok(['exec', name, 'sh', '-c', script])
}

/** The label of a process, without the trailing zero byte. */
async function processLabel(name: string): Promise<string> {
  return (await daemon.ok(['exec', name, ...current])).replace(/\0/g, '')
}

function directory(name: string): string {
  const path = join(files, name)
  mkdirSync(join(path, 'below'), { recursive: true })
  writeFileSync(join(path, 'below/file'), 'content')
  return path
}

describe('SELinux', { skip }, () => {
  test('a container has a label with its own categories, and so do its files', async () => {
    assert.match(await daemon.ok(['info', '-f', '{{.SecurityOptions}}']), /name=selinux/)
    const [one, two] = [await up('one', '--tmpfs', '/scratch', '--ipc', 'shareable'), await up('two')]
    assert.match(one.process, /:s0:c\d+,c\d+$/)
    assert.notEqual(one.process, two.process)
    for (const [name, shown] of [
      ['one', one],
      ['two', two],
    ] as const) {
      const main = readFileSync(`/proc/${shown.pid}/attr/current`, 'utf8').replace(/\0/g, '')
      assert.equal(main, shown.process)
      assert.equal(await processLabel(name), shown.process)
      const paths = ['/', '/bin/busybox', '/etc/passwd', '/dev', '/dev/shm', '/dev/mqueue', '/dev/pts']
      for (const path of [...paths, '/etc/hosts', '/etc/hostname', '/etc/resolv.conf']) {
        assert.equal(labelOf(join(shown.root, path)), shown.mount, `${name}: ${path}`)
      }
    }
    assert.equal(labelOf(join(one.root, 'scratch')), one.mount)
    await inside('one', 'echo x >/new && echo x >/scratch/new && echo x >/dev/shm/new && cat /etc/hosts')
    assert.equal(labelOf(join(one.root, 'new')), one.mount)
  })

  test('exec, health checks and new starts keep it, also after a crash of the daemon', async () => {
    const first = await up('kept', '--health-cmd', 'cat /proc/self/attr/current', '--health-interval', '1s')
    const checked = ['inspect', '-f', '{{range .State.Health.Log}}{{.Output}}{{end}}', 'kept']
    await until(async () => (await daemon.ok(checked)).startsWith(first.process), { what: 'a labeled health check' })
    assert.equal((await daemon.ok(['exec', '--privileged', 'kept', ...current])).replace(/\0/g, ''), first.process)
    await daemon.kill9()
    await daemon.start()
    assert.equal(await processLabel('kept'), first.process)
    await daemon.ok(['restart', '-t', '0', 'kept'])
    const second = await inspect('kept')
    assert.deepEqual([second.process, second.mount], [first.process, first.mount])
    assert.equal(await processLabel('kept'), first.process)
    assert.equal(labelOf(join(second.root, 'etc/hosts')), first.mount)
  })

  test('HostConfig.SecurityOpt: label=… changes or removes the label', async () => {
    const [, , , ...level] = (await up('leveled', '--security-opt', 'label=level:s0:c100,c200')).process.split(':')
    assert.equal(level.join(':'), 's0:c100,c200')
    assert.equal(await processLabel('leveled'), (await inspect('leveled')).process)
    for (const [name, options] of [
      ['disabled', ['--security-opt', 'label=disable']],
      ['privileged', ['--privileged']],
      ['host-pid', ['--pid', 'host']],
    ] as const) {
      const shown = await up(name, ...options)
      assert.equal(shown.process, '', name)
      assert.notEqual((await processLabel(name)).split(':')[2], confinedType, name)
      assert.equal(labelOf(join(shown.root, '/')), shown.mount, name)
    }
    const joins = await up('joins', '--pid', 'container:one', '--ipc', 'container:one')
    assert.equal(joins.process, (await inspect('one')).process)
    const bogus = await daemon.docker(['create', '--security-opt', 'label=type:no_such_t', 'busybox'])
    assert.match(bogus.stderr, /SELinux label \S+:no_such_t:\S+ is not in this host's policy/)
    const nested = await up('nested', '--security-opt', 'label=nested')
    assert.ok(existsSync(join(nested.root, 'sys/fs/selinux/policy')))
    assert.ok(!existsSync(join((await inspect('one')).root, 'sys/fs/selinux/policy')))
  })

  test('HostConfig.Binds: z labels for all containers, Z for one', async () => {
    const [plain, all, own] = ['plain', 'all', 'own'].map(directory) as [string, string, string]
    const before = labelOf(plain)
    const binds = ['-v', `${plain}:/plain`, '-v', `${all}:/all:z`]
    const first = await up('first', ...binds, '-v', `${own}:/own:Z`)
    for (const path of ['', 'below', 'below/file']) {
      assert.equal(labelOf(join(plain, path)), before, path)
      assert.equal(labelOf(join(all, path)), shared, path)
      assert.equal(labelOf(join(own, path)), first.mount, path)
    }
    await up('second', ...binds, '-v', `${own}:/own`)
    for (const name of ['first', 'second']) assert.equal(await inside(name, 'cat /all/below/file'), 'content')
    assert.equal(await inside('first', 'cat /own/below/file; echo more >/own/below/file'), 'content')
    if (!isEnforced) return
    for (const [name, path] of [
      ['first', '/plain/below/file'],
      ['second', '/plain/below/file'],
      ['second', '/own/below/file'],
    ] as const) {
      assert.match(await inside(name, `cat ${path} 2>&1 || true`), /Permission denied/, `${name}: ${path}`)
    }
  })

  test('HostConfig.Binds: directories that the host needs are not labeled', async () => {
    const link = join(files, 'link')
    symlinkSync('/usr', link)
    for (const [source, real] of [
      ['/etc', '/etc'],
      [link, '/usr'],
    ] as const) {
      const { stderr } = await daemon.docker(['run', '--rm', '-v', `${source}:/x:z`, 'busybox', 'true'])
      assert.match(
        stderr,
        new RegExp(`error setting label on mount source '${real}': SELinux relabeling of ${real} is`),
      )
    }
  })

  test('volumes are labeled for all containers, and cp brings files that the container can read', async () => {
    await daemon.ok(['volume', 'create', 'named'])
    const mounts = ['-v', 'named:/named', '-v', '/anonymous', '--mount', 'type=tmpfs,target=/memory']
    const shown = await up('stores', ...mounts)
    for (const path of ['named', 'anonymous']) assert.equal(labelOf(join(shown.root, path)), shared, path)
    await inside('stores', 'echo x >/named/file && echo x >/anonymous/file && echo x >/memory/file')
    const other = ['run', '--rm', '--network', 'none', '-v', 'named:/named', 'busybox', 'cat', '/named/file']
    assert.equal(await daemon.ok(other), 'x')
    for (const target of ['/copied', '/named/copied']) {
      await daemon.ok(['cp', join(directory('source'), 'below/file'), `stores:${target}`])
      assert.equal(await inside('stores', `cat ${target}`), 'content')
    }
    assert.equal(labelOf(join(shown.root, 'copied')), shown.mount)
  })

  test('RUN steps have labels, caches are labeled for all of them, and layers have none', async () => {
    using context = new BuildDirectory({
      file: 'content',
      Dockerfile: `FROM busybox
RUN cat /proc/self/attr/current >/label
RUN --mount=type=cache,target=/cache --mount=type=bind,target=/context --mount=type=tmpfs,target=/memory \\
  cat /context/file >/cache/file && cp /cache/file /copied && echo x >/memory/file
FROM scratch
COPY --from=0 /bin /bin
COPY --from=0 /label /copied /
RUN ["/bin/busybox", "touch", "/made"]
`,
    })
    await daemon.ok(['build', '-q', '-t', 'built', context.path])
    const label = (await daemon.ok(['run', '--rm', 'built', '/bin/busybox', 'cat', '/label'])).replace(/\0/g, '')
    assert.match(label, /:s0:c\d+,c\d+$/)
    assert.equal(await daemon.ok(['run', '--rm', 'built', '/bin/busybox', 'cat', '/copied']), 'content')
    await daemon.ok(['run', '--name', 'changed', 'busybox', 'touch', '/etc/passwd', '/new'])
    assert.deepEqual((await daemon.ok(['diff', 'changed'])).split('\n').sort(), ['A /new', 'C /etc', 'C /etc/passwd'])
    assert.ok(!(await daemon.ok(['export', 'changed'])).includes('security.selinux'))
  })
})
