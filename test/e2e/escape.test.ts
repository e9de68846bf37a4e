/** What a default container is allowed: nothing more than under Debian's dockerd. Both run the same list of probes. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../helpers/command.ts'
import { TestDaemon } from '../helpers/daemon.ts'
import { isAllowed, parseAnswers, probeProgram } from '../helpers/escape-probes.ts'
import { StockDocker } from '../helpers/stock-docker.ts'
import { writeBusyboxArchive } from '../helpers/test-image.ts'

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
}

const command = ['probes', 'perl', '/probe.pl']

async function answersOf(
  engine: TestDaemon | StockDocker,
  options: readonly string[] = [],
): Promise<ReadonlyMap<string, string>> {
  const text = await engine.ok(['run', '--rm', '--network', 'none', ...options, ...command], { timeoutMs: 120_000 })
  return parseAnswers(text)
}

/** What the profiles of later versions of Docker let through and that of Debian's does not yet: a process may look into
 *  those that it may trace anyway, and handles of files open nothing without CAP_DAC_READ_SEARCH. */
const laterDocker = ['call process_vm_readv', 'call process_vm_writev', 'call name_to_handle_at']

function allowedOnlyIn(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): string[] {
  const more = [...ours].filter(([name, answer]) => isAllowed(answer) && !isAllowed(theirs.get(name) ?? '1'))
  return more
    .map(([name, answer]) => `${name}: ${answer}, with Docker ${theirs.get(name)}`)
    .filter((line) => !laterDocker.some((name) => line.startsWith(`${name}:`)))
}

test('a default container is allowed nothing that Docker forbids', async () => {
  const [ours, theirs] = await Promise.all([answersOf(daemon), answersOf(docker)])
  assert(ours.size > 90, `${ours.size} probes`)
  // The probes can tell: what is known to be allowed and forbidden everywhere.
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

test('a process of another container can be reached only as with Docker', async () => {
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
  // Without a joined namespace there is nothing to name.
  assert.equal(ours.alone.includes('sleep'), false)
})

test('namespaces, capabilities, filters and nodes are those of Docker', async () => {
  const look = `for n in ipc mnt net pid uts user cgroup time; do echo $n $(readlink /proc/self/ns/$n); done; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; find /dev | sort`
  const of = async (engine: TestDaemon | StockDocker) =>
    await engine.ok(['run', '--rm', '--network', 'none', 'probes', 'sh', '-c', look])
  const host = await runOrThrow('sh', ['-c', look.split(';').slice(0, 3).join(';')])
  const [ours, theirs] = (await Promise.all([of(daemon), of(docker)])).map((text) => {
    // crun links it to /proc/kcore, which is masked; runc leaves it out.
    const lines = text.split('\n').filter((line) => line !== '/dev/core')
    // A namespace is the host's or not; its number says nothing.
    return lines.map((line) => (line.includes(':[') ? `${line.split(' ')[0]} ${host.includes(line)}` : line))
  })
  assert.deepEqual(ours, theirs)
})
