/** A default container may do nothing that it may not under Debian's dockerd. Both run the same list of probes. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { isAllowed, parseAnswers, probeProgram } from '../../helpers/attacks/escape-probes.ts'
import { isOfLaterDocker, sweepProgram } from '../../helpers/attacks/syscall-sweep.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let docker: StockDocker

before(async () => {
  ;[daemon, docker] = await Promise.all([TestDaemon.start(), StockDocker.start()])
  const archive = join(daemon.root, 'probes.tar')
  await writeBusyboxArchive({ path: archive, reference: 'probes:latest', prepare: addPerl })
  await daemon.ok(['load', '-q', '-i', archive])
  await docker.ok(['load', '-q', '-i', archive])
  rmSync(archive)
})
after(async () => {
  await Promise.all([daemon?.[Symbol.asyncDispose](), docker?.[Symbol.asyncDispose]()])
})

/** perl with its libraries, and the probes. */
async function addPerl(root: string): Promise<void> {
  const perl = '/usr/bin/perl'
  const libraries = [...(await runOrThrow('ldd', [perl])).matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  for (const path of [perl, ...libraries]) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
  for (const path of (await runOrThrow(perl, ['-MConfig', '-Mstrict', '-e', 'print join("\n", values %INC)'])).split(
    '\n',
  )) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
  writeFileSync(join(root, 'probe.pl'), probeProgram())
  writeFileSync(join(root, 'sweep.pl'), sweepProgram())
}

async function answersOf(
  engine: TestDaemon | StockDocker,
  options: readonly string[] = [],
  program = '/probe.pl',
): Promise<ReadonlyMap<string, string>> {
  const command = ['run', '--rm', '--network', 'none', ...options, 'probes', 'perl', program]
  const text = await engine.ok(command, { timeoutMs: 120_000 })
  return parseAnswers(text)
}

/** Calls that the profiles of later versions of Docker allow and Debian's does not yet: a process may look into
 *  processes that it may trace anyway, and file handles open nothing without CAP_DAC_READ_SEARCH. */
const laterDocker = ['call process_vm_readv', 'call process_vm_writev', 'call name_to_handle_at']

function allowedOnlyIn(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): string[] {
  const more = [...ours].filter(([name, answer]) => isAllowed(answer) && !isAllowed(theirs.get(name) ?? '1'))
  return more
    .map(([name, answer]) => `${name}: ${answer}, with Docker ${theirs.get(name)}`)
    .filter((line) => !laterDocker.some((name) => line.startsWith(`${name}:`)))
}

test('a default container may do nothing that Docker forbids', async () => {
  const [ours, theirs] = await Promise.all([answersOf(daemon), answersOf(docker)])
  assert(ours.size > 90, `${ours.size} probes`)
  // Checks the probes themselves with calls that are known to be allowed or forbidden everywhere.
  assert.equal(ours.get('call unshare user'), '1')
  assert.equal(ours.get('call socket raw'), '0')
  assert.equal(ours.get('device vda'), '1')
  assert.deepEqual(allowedOnlyIn(ours, theirs), [])
})

for (const options of [
  ['--user', '1000'],
  ['--cap-drop', 'ALL'],
  ['--cap-add', 'SYS_ADMIN'],
  ['--security-opt', 'no-new-privileges', '--read-only', '--tmpfs', '/tmp'],
  ['--ipc', 'host', '--uts', 'host', '--cgroupns', 'private'],
]) {
  test(`with ${options.join(' ')} too`, async () => {
    const [ours, theirs] = await Promise.all([answersOf(daemon, options), answersOf(docker, options)])
    assert.deepEqual(allowedOnlyIn(ours, theirs), [])
  })
}

test('a process of another container is reachable only where Docker allows it', async () => {
  const reach =
    'kill -0 1 && echo signal; ls /proc/1/root/ >/dev/null 2>&1 && echo root; cat /proc/1/environ >/dev/null 2>&1 && echo environment'
  const of = async (engine: TestDaemon | StockDocker) => {
    await engine.ok(['run', '-d', '--name', 'victim', '--network', 'none', 'probes', 'sleep', '1000'])
    const joined = ['run', '--rm', '--network', 'none', '--pid', 'container:victim']
    const shell = await engine.ok([...joined, 'probes', 'sh', '-c', reach])
    const answers = await answersOf(engine, ['--pid', 'container:victim'])
    const alone = await engine.ok(['run', '--rm', '--network', 'none', 'probes', 'ps'])
    await engine.ok(['rm', '-f', 'victim'])
    return { shell, answers, alone }
  }
  const [ours, theirs] = await Promise.all([of(daemon), of(docker)])
  assert.equal(ours.shell, theirs.shell)
  assert.deepEqual(allowedOnlyIn(ours.answers, theirs.answers), [])
  // Without a joined namespace no other process is visible.
  assert.equal(ours.alone.includes('sleep'), false)
})

const conditions = [
  'SYS_ADMIN SYS_PTRACE SYS_MODULE SYS_TIME SYS_CHROOT SYS_BOOT SYS_TTY_CONFIG SYS_NICE SYS_RAWIO SYS_PACCT',
  'SYSLOG DAC_READ_SEARCH AUDIT_CONTROL WAKE_ALARM NET_ADMIN',
].flatMap((names) => names.split(' '))

test('every system call: a default container and each capability may do only what they may with Docker', async () => {
  for (const options of [
    [],
    ...conditions.map((name) => ['--cap-add', name]),
    ['--security-opt', 'seccomp=unconfined'],
  ]) {
    const [ours, theirs] = await Promise.all(
      [daemon, docker].map((engine) => answersOf(engine, options, '/sweep.pl')) as [
        Promise<ReadonlyMap<string, string>>,
        Promise<ReadonlyMap<string, string>>,
      ],
    )
    assert(ours.size > 900, `${ours.size} probes`)
    const more = [...ours].filter(
      ([name, answer]) => isAllowed(answer) && !isAllowed(theirs.get(name) ?? '1') && !isOfLaterDocker(name),
    )
    assert.deepEqual(more, [], options.join(' '))
    // Programs fall back to older calls if a call does not exist, but not if it is forbidden.
    const ENOSYS = '38'
    const forbidden = [...theirs].filter(([name, answer]) => answer === ENOSYS && ours.get(name) === '1')
    // set_mempolicy_home_node, which later versions allow, needs SYS_NICE.
    assert.deepEqual(
      forbidden.map(([name]) => name).filter((name) => !name.endsWith(' 450')),
      [],
      options.join(' '),
    )
    if (!options.includes('seccomp=unconfined')) assert.equal(ours.get('call 480'), ENOSYS)
  }
})

/** What a process sees of itself, line by line. */
const itself = [
  "grep -E '^(Umask|Uid|Gid|Groups|Sig(Blk|Ign|Cgt)|Cap...|NoNewPrivs|Seccomp|Cpus_allowed)' /proc/self/status",
  'for f in oom_score_adj loginuid sessionid coredump_filter timerslack_ns personality uid_map comm; do echo $f $(cat /proc/self/$f); done',
  'ulimit -a',
  'env | sort',
  'ls /proc/$$/fd',
  'pwd',
  "tty | sed 's/[0-9]*$//'",
  'ls -l /etc/mtab | cut -c 1-10,56-',
  'stat -c "%n %a %u:%g" / /.dockerenv /etc/hosts /etc/hostname /etc/resolv.conf /dev/shm /dev/mqueue /dev/pts /proc/keys',
  'keys=$(cat /proc/keys | wc -c); echo keys $keys',
].join('; ')

for (const terminal of [[], ['-t']]) {
  test(`a process sees the same of itself as with Docker: run and exec ${terminal.join('')}`, async () => {
    const of = async (engine: TestDaemon | StockDocker) => {
      const options = ['--network', 'none', '--hostname', 'h', '-e', 'FOO=bar', ...terminal]
      const name = `itself${terminal.join('')}`
      const ran = await engine.ok(['run', '--rm', ...options, 'probes', 'sh', '-c', itself])
      await engine.ok(['run', '-d', '--name', name, ...options, 'probes', 'sleep', '1000'])
      const executed = await engine.ok(['exec', ...terminal, name, 'sh', '-c', itself])
      const other = await engine.ok(['exec', ...terminal, '-u', '1000:50', name, 'sh', '-c', itself])
      await engine.ok(['rm', '-f', name])
      return { ran, executed, other }
    }
    const [ours, theirs] = await Promise.all([of(daemon), of(docker)])
    assert.match(ours.ran, /^SigIgn:\t0{16}\r?$/m)
    assert.deepEqual(ours, theirs)
  })
}

test("a container cannot change the host's /dev/null", async () => {
  const before = statSync('/dev/null')
  await daemon.ok(['run', '-d', '--name', 'nulls', '--network', 'none', 'probes', 'sleep', '1000'])
  await daemon.ok(['run', '-d', '--name', 'nullterm', '-t', '--network', 'none', 'probes', 'sleep', '1000'])
  try {
    const change =
      'chmod 700 /proc/self/fd/0; chown 7:8 /proc/self/fd/0; chmod 700 /proc/keys; stat -L -c %d:%i:%t:%T:%u /proc/self/fd/0'
    const own = `${before.dev}:${before.ino}:`
    for (const where of ['nulls', 'nullterm']) {
      const asRoot = await daemon.ok(['exec', where, 'sh', '-c', change])
      assert.match(asRoot.split('\n').at(-1) ?? '', /:1:3:7$/)
      assert(!asRoot.includes(own))
      const asUser = await daemon.ok(['exec', '-u', '7:8', where, 'sh', '-c', 'stat -L -c %d:%i:%t:%T /proc/self/fd/0'])
      assert.match(asUser, /:1:3$/)
      assert(!asUser.startsWith(own))
      await daemon.ok([
        'exec',
        '-d',
        '-u',
        '7:8',
        where,
        'sh',
        '-c',
        'chmod 700 /proc/self/fd/0 /proc/self/fd/1; touch /tmp/done',
      ])
      await until(async () => (await daemon.docker(['exec', where, 'test', '-e', '/tmp/done'])).code === 0)
    }
    const ran = await daemon.ok([
      'run',
      '--rm',
      '-u',
      '7:8',
      '--network',
      'none',
      'probes',
      'stat',
      '-L',
      '-c',
      '%d:%i:',
      '/proc/self/fd/0',
    ])
    assert.notEqual(ran, own)
    const owned = ['run', '--rm', '-u', '7:8', '--network', 'none']
    const owner = ['probes', 'stat', '-c', '%u:%g', '/dev/null']
    assert.equal(await daemon.ok([...owned, ...owner]), '0:0')
    assert.equal(await daemon.ok([...owned, '-v', '/dev:/dev', ...owner]), `${before.uid}:${before.gid}`)
    const context = mkdtempSync(join(daemon.root, 'c-'))
    writeFileSync(join(context, 'Dockerfile'), `FROM probes\nRUN ${change}\nUSER 7:8\nRUN true\n`)
    await daemon.berth(['build', '--network', 'none', context])
    const after = statSync('/dev/null')
    assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid])
  } finally {
    chmodSync('/dev/null', before.mode & 0o7777)
    chownSync('/dev/null', before.uid, before.gid)
    await daemon.docker(['rm', '-f', 'nulls', 'nullterm'])
  }
})

test("namespaces, capabilities, filters and nodes are Docker's", async () => {
  const look = `for n in ipc mnt net pid uts user cgroup time; do echo $n $(readlink /proc/self/ns/$n); done; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; find /dev | sort`
  const of = async (engine: TestDaemon | StockDocker) =>
    await engine.ok(['run', '--rm', '--network', 'none', 'probes', 'sh', '-c', look])
  const host = await runOrThrow('sh', ['-c', look.split(';').slice(0, 3).join(';')])
  const [ours, theirs] = (await Promise.all([of(daemon), of(docker)])).map((text) => {
    // crun links it to /proc/kcore, which is masked; runc leaves it out.
    const lines = text.split('\n').filter((line) => line !== '/dev/core')
    // Only whether a namespace is the host's matters, not its number.
    return lines.map((line) => (line.includes(':[') ? `${line.split(' ')[0]} ${host.includes(line)}` : line))
  })
  assert.deepEqual(ours, theirs)
})
