/** Other users of the host reach nothing of an engine, whatever umask the daemon was started with: not its database,
 *  not a container's environment, not a volume, not a setuid program that a container's root user left there. */
import assert from 'node:assert/strict'
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BuildDirectory } from '../../helpers/clients/build-directory.ts'
import { asUser, nobody, pathsBelow, reachedBy, readableBy, runAs } from '../../helpers/clients/other-user.ts'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const account = `bo-${process.pid}`
/** Far from the ids of other programs on the machine. */
const firstUid = 1_200_000_000 + (process.pid % 1000) * 200_000
const firstGid = firstUid + 100_000
const mappedRoot = { uid: firstUid, gid: firstGid }
const rangeSize = 65_536

before(async () => {
  await runOrThrow('useradd', ['--system', '--user-group', '--no-create-home', account])
  const uids = `${firstUid}-${firstUid + rangeSize - 1}`
  const gids = `${firstGid}-${firstGid + rangeSize - 1}`
  await runOrThrow('usermod', ['--add-subuids', uids, '--add-subgids', gids, account])
})

after(() => runCommand('userdel', [account]))

interface Case {
  readonly remapped: boolean
  readonly umask?: string
  readonly flagsBelow?: (daemon: TestDaemon) => readonly string[]
}

/** A daemon whose roots are in a directory that every user can enter. */
async function startDaemon({ remapped, umask, flagsBelow }: Case): Promise<TestDaemon> {
  const daemon = await TestDaemon.start({
    flags: remapped ? ['--userns-remap', account] : [],
    ...(flagsBelow === undefined ? {} : { flagsBelow }),
    ...(umask === undefined ? {} : { umask }),
    ...(remapped ? { remappedTo: `${firstUid}.${firstGid}` } : {}),
  })
  chmodSync(daemon.root, 0o755)
  await daemon.loadBusybox()
  return daemon
}

/** The roots of the engine. */
function rootsOf(daemon: TestDaemon, remapped: boolean): { readonly data: string; readonly exec: string } {
  const below = remapped ? `${firstUid}.${firstGid}` : ''
  return { data: join(daemon.dataRoot, below), exec: join(daemon.execRoot, below) }
}

/** A volume with a secret and a setuid shell, a running and a stopped container, and a build at its RUN step. */
async function fill(
  daemon: TestDaemon,
  roots: { readonly data: string; readonly exec: string },
  build: BuildDirectory,
) {
  const script = 'cp /bin/busybox /data/su && chmod 4755 /data/su && echo secret >/data/f && chmod 666 /data/f'
  await daemon.inside(['-v', 'vol:/data'], script)
  await daemon.ok(['run', '--name', 'ended', '-e', 'PASSWORD=hidden', 'busybox', 'true'])
  const options = ['--name', 'up', '-e', 'PASSWORD=hidden', '-v', 'vol:/data', '--ipc', 'shareable']
  const part = 'type=volume,src=vol,dst=/part,volume-subpath=f'
  const id = await daemon.ok(['run', '-d', ...options, '--mount', part, 'busybox', 'sleep', '1000'])
  await daemon.ok(['exec', '-d', '-e', 'PASSWORD=hidden', 'up', 'sleep', '1000'])
  const args = ['-H', daemon.host, 'build', '--secret', `id=s,src=${join(build.path, 'secret')}`, build.path]
  const building = new RunningCommand(berthProgram, args)
  await until(() => globSync(`${roots.data}/build/mounts/*/begun`).length > 0, {
    what: () => `the build's step: ${building.stdout}${building.stderr}`,
  })
  return { id, building }
}

const dockerfile = `FROM busybox
COPY secret /copied
RUN --mount=type=cache,target=/cache --mount=type=secret,id=s touch /cache/begun && sleep 1000
`

for (const remapped of [false, true]) {
  for (const umask of ['000', '022', '077']) {
    test(`umask ${umask}${remapped ? ', userns-remap' : ''}: an ordinary user can access nothing`, async () => {
      await using daemon = await startDaemon({ remapped, umask })
      const roots = rootsOf(daemon, remapped)
      using context = new BuildDirectory({ Dockerfile: dockerfile, secret: 'hidden' })
      const { id, building } = await fill(daemon, roots, context)
      try {
        const paths = await pathsBelow([daemon.dataRoot, daemon.execRoot])
        const known = [
          ...['berth.db', 'berth.db-wal', 'berth.db-shm', 'volumes/vol/_data/f', 'volumes/vol/_data/su'].map((name) =>
            join(roots.data, name),
          ),
          join(roots.data, 'containers', id, 'hosts'),
          ...['config.json', 'rootfs/bin/busybox', 'shm'].map((name) => join(roots.exec, 'c', id, name)),
        ]
        for (const path of known) assert.ok(paths.includes(path), `${path} is one of ${paths.length} paths`)
        assert.deepEqual(await reachedBy(nobody, paths), [])
        for (const root of [daemon.dataRoot, daemon.execRoot]) {
          const { code } = await runAs(nobody, `ls ${root} || cd ${root} || touch ${root}/x`)
          assert.notEqual(code, 0, root)
        }
        const setuid = await runAs(nobody, `${join(roots.data, 'volumes/vol/_data/su')} id -u`)
        assert.notEqual(setuid.code, 0, setuid.stdout)
        if (remapped) await checkMappedRoot(roots, paths)
        await checkContainers(daemon)
        assert.deepEqual(await checkedPaths(daemon), [])
      } finally {
        building.kill('SIGINT')
        await building.ended
      }
      assert.equal(statSync(join(daemon.execRoot, 'berthd.pid')).mode & 0o777, 0o644)
    })
  }
}

/** A process that breaks out of a container is the mapped root user. Volumes and root file systems belong to that user;
 *  the engine's files don't. */
async function checkMappedRoot(roots: { readonly data: string; readonly exec: string }, paths: readonly string[]) {
  const isContainers = (path: string) =>
    path.startsWith(`${roots.data}/volumes/`) ||
    path.startsWith(`${roots.data}/build/mounts/`) ||
    path.startsWith(`${roots.data}/build/tmp/`) ||
    /\/c\/[0-9a-f]+\/(rootfs|mounts|shm)\//.test(path) ||
    /\/containers\/[0-9a-f]+\/(hosts|hostname|resolv\.conf)$/.test(path)
  const readable = await readableBy(mappedRoot, paths)
  const wrong = readable.filter((path) => !isContainers(path) && !isPid(path))
  assert.deepEqual(wrong, [])
  for (const root of [roots.data, roots.exec]) assert.notEqual((await runAs(mappedRoot, `ls ${root}`)).code, 0)
}

/** The pid of a process is no secret. */
function isPid(path: string): boolean {
  return /\/(berthd\.pid|pid|conmon\.pid)$/.test(path)
}

/** Users of containers can read the files that are mounted into all of them, and can't change them. */
async function checkContainers(daemon: TestDaemon): Promise<void> {
  const script =
    'for f in /etc/hosts /etc/hostname /etc/resolv.conf; do cat $f >/dev/null || exit 1; stat -c %a $f; done; [ ! -w /etc/hosts ]'
  assert.equal(await daemon.inside(['-u', '1000'], script), '644\n644\n644')
  using context = new BuildDirectory({ Dockerfile: `FROM busybox\nUSER 1000\nRUN ${script}\n` })
  const { error } = await context.build(daemon)
  assert.equal(error, '')
}

/** The problems of `system check` about paths. */
async function checkedPaths(daemon: TestDaemon): Promise<readonly string[]> {
  const { stdout } = await daemon.berth(['system', 'check', '-q'])
  return stdout.split('\n').filter((line) => line.startsWith('path '))
}

describe('the files that runc reads', () => {
  for (const remapped of [false, true]) {
    test(`are readable by root alone${remapped ? ' (userns-remap)' : ''}`, async () => {
      const directory = mkdtempSync('/tmp/b-')
      try {
        const [program, modes] = [join(directory, 'spy'), join(directory, 'modes')]
        const spy = `#!/bin/sh
before=
for word; do
  case $before in --process) stat -c 'process %a' "$word" ;; --bundle) stat -c 'config %a' "$word/config.json" ;; esac
  before=$word
done >>${modes}
exec runc "$@"
`
        writeFileSync(program, spy, { mode: 0o755 })
        const flagsBelow = () => ['--add-runtime', `spy=${program}`]
        await using daemon = await startDaemon({ remapped, umask: '000', flagsBelow })
        const options = ['--name', 'up', '--runtime', 'spy', '-v', 'vol:/data']
        await daemon.ok(['run', '-d', ...options, 'busybox', 'sleep', '1000'])
        assert.equal(await daemon.ok(['exec', '-e', 'PASSWORD=hidden', 'up', 'sh', '-c', 'echo $PASSWORD']), 'hidden')
        assert.equal(readFileSync(modes, 'utf8'), 'config 600\nprocess 600\n')
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    })
  }
})

describe('paths that an older version left open', () => {
  for (const remapped of [false, true]) {
    test(`are closed by the next boot${remapped ? ' (userns-remap)' : ''}`, async () => {
      await using daemon = await startDaemon({ remapped })
      const roots = rootsOf(daemon, remapped)
      await daemon.inside(['-v', 'vol:/data'], 'echo secret >/data/f')
      const id = await daemon.ok(['run', '-d', '--name', 'up', '-v', 'vol:/data', 'busybox', 'sleep', '1000'])
      const bundle = join(roots.exec, 'c', id)
      const open = () => {
        const directories = ['', 'build', 'containers', 'snapshots', 'volumes'].map((name) => join(roots.data, name))
        for (const path of [daemon.dataRoot, daemon.execRoot, roots.exec, ...directories]) chmodSync(path, 0o711)
        for (const path of [join(roots.exec, 'c'), join(roots.exec, 'netns'), bundle]) chmodSync(path, 0o755)
        for (const path of globSync(`${roots.data}/berth.db*`)) chmodSync(path, 0o644)
        chmodSync(join(bundle, 'config.json'), 0o644)
        chmodSync(join(roots.data, 'containers', id, 'hosts'), 0o666)
      }
      open()
      const told = await checkedPaths(daemon)
      for (const path of [roots.data, roots.exec, join(roots.data, 'berth.db'), join(bundle, 'config.json')]) {
        assert.ok(
          told.some((line) => line.startsWith(`path ${path}: its mode 0`)),
          `${path} in ${told.join('\n')}`,
        )
      }
      // Each of these daemons is killed while it boots.
      for (const afterMs of [150, 250, 350]) {
        await daemon.kill9()
        open()
        await daemon.startAndKill(afterMs)
      }
      await daemon.start()
      assert.deepEqual(await checkedPaths(daemon), [])
      assert.deepEqual(await reachedBy(nobody, await pathsBelow([daemon.dataRoot, daemon.execRoot])), [])
      const config = join(bundle, 'config.json')
      assert.deepEqual(await readableBy(mappedRoot, [config, join(roots.data, 'berth.db')]), [])
      await daemon.ok(['restart', '-t', '0', 'up'])
      const seen = await daemon.ok(['exec', '-u', '1000', 'up', 'sh', '-c', 'stat -c %a /etc/hosts; cat /data/f'])
      assert.equal(seen, '644\nsecret')
    })
  }

  test('a lock that a user still holds on the database does not delay writes', async () => {
    await using daemon = await startDaemon({ remapped: false })
    chmodSync(daemon.dataRoot, 0o711)
    const shared = join(daemon.dataRoot, 'berth.db-shm')
    chmodSync(shared, 0o644)
    const hold = `import fcntl, sys
f = open(sys.argv[1], 'rb')
fcntl.lockf(f, fcntl.LOCK_SH)
print('held', flush=True)
sys.stdin.read()`
    const [program, ...args] = asUser(nobody, ['/usr/bin/python3', '-c', hold, shared])
    const holder = new RunningCommand(program, args, { cwd: '/' }, true)
    try {
      await holder.sees('held')
      await daemon.kill9()
      await daemon.start()
      const began = performance.now()
      await daemon.ok(['volume', 'create', 'quick'])
      // SQLite would wait for 5 s, and then give up.
      assert.ok(performance.now() - began < 4000)
    } finally {
      holder.endInput()
      await holder.ended
    }
  })
})

describe('a socket below the exec root', () => {
  for (const remapped of [false, true]) {
    test(`is open to its group alone${remapped ? ' (userns-remap)' : ''}`, async () => {
      const socketOf = ({ execRoot }: TestDaemon) => join(execRoot, 'api/s')
      const flagsBelow = (daemon: TestDaemon) => ['--group', 'nogroup', '--host', `unix://${socketOf(daemon)}`]
      await using daemon = await startDaemon({ remapped, flagsBelow })
      const asks = async (ids: typeof nobody): Promise<boolean> => {
        const { code } = await runAs(ids, `curl -fs --unix-socket ${socketOf(daemon)} http://localhost/_ping`)
        return code === 0
      }
      assert.equal(await asks(nobody), true)
      assert.equal(await asks({ uid: nobody.uid, gid: firstUid - 1 }), false)
      await daemon.restart()
      assert.equal(await asks(nobody), true)
      assert.deepEqual(await checkedPaths(daemon), [])
      await daemon.inside(['-v', 'vol:/data'], 'echo secret >/data/f')
      const readable = await readableBy(nobody, await pathsBelow([daemon.dataRoot, daemon.execRoot]))
      assert.deepEqual(readable.filter((path) => !isPid(path)), []) // biome-ignore format: one condition
    })
  }
})
