/** `--userns-remap`: the users of containers are other users on the host, and nothing else changes for containers. */
import assert from 'node:assert/strict'
import {
  chownSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { formatTarHeader, readTar, tarEnd, tarPadding } from '../../../src/archive/index.ts'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, clientProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const account = `bt-${process.pid}`
/** Far from the ids of other programs on the machine. */
const firstUid = 1_000_000_000 + (process.pid % 1000) * 200_000
const firstGid = firstUid + 100_000
const size = 65_536

let daemon: TestDaemon

async function addAccount(): Promise<void> {
  await runOrThrow('useradd', ['--system', '--user-group', '--no-create-home', account])
  const ranges = [`${firstUid}-${firstUid + size - 1}`, `${firstGid}-${firstGid + size - 1}`] as const
  await runOrThrow('usermod', ['--add-subuids', ranges[0], '--add-subgids', ranges[1], account])
}

before(async () => {
  await addAccount()
  const remappedTo = `${firstUid}.${firstGid}`
  daemon = await TestDaemon.start({ flags: ['--userns-remap', account], remappedTo })
  await daemon.loadBusybox()
})

after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await runCommand('userdel', [account])
})

const pidOf = async (name: string): Promise<string> => await daemon.ok(['inspect', '-f', '{{.State.Pid}}', name])

async function ownersOf(name: string, path: string): Promise<string> {
  return await daemon.ok(['exec', name, 'stat', '-c', '%u:%g', path])
}

describe('userns-remap', () => {
  test('root of a container is an ordinary user of the host', async () => {
    await daemon.ok(['run', '-d', '--name', 'who', 'busybox', 'sleep', '1000'])
    // Mapped users see the file with its owner, and can't become that owner.
    assert.equal(statSync('/dev/null').uid, 0)
    const status = readFileSync(`/proc/${await pidOf('who')}/status`, 'utf8')
    assert.match(status, new RegExp(`^Uid:\\s+${firstUid}\\s`, 'm'))
    assert.match(status, new RegExp(`^Gid:\\s+${firstGid}\\s`, 'm'))
    const inside = await daemon.ok([
      'exec',
      'who',
      'sh',
      '-c',
      'id -u; stat -c %u:%g / /bin /etc/hosts; echo x >>/etc/hosts',
    ])
    assert.equal(inside, '0\n0:0\n0:0\n0:0')
    assert.equal(await daemon.ok(['exec', '-u', 'app', 'who', 'id', '-u']), '1000')
    assert.match(await daemon.ok(['info', '-f', '{{.SecurityOptions}}']), /name=userns/)
    const root = join(daemon.dataRoot, `${firstUid}.${firstGid}`)
    assert.equal(await daemon.ok(['info', '-f', '{{.DockerRootDir}}']), root)
    await daemon.ok(['rm', '-f', 'who'])
  })

  test('the container has its own network: low ports, ping, published ports, names of others', async () => {
    await daemon.ok([
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      '127.0.0.1::80',
      'busybox',
      'httpd',
      '-f',
      '-p',
      '80',
      '-h',
      '/etc',
    ])
    const address = await daemon.ok(['port', 'web', '80'])
    await until(async () => (await fetch(`http://${address}/hostname`).catch(() => undefined))?.status === 200)
    const shared = ['run', '--rm', '--network', 'container:web', 'busybox', 'sh', '-c']
    const script =
      'ping -c 1 127.0.0.1 >/dev/null && wget -qO- http://127.0.0.1/passwd | head -1 && cat /proc/self/uid_map'
    const [line, map] = (await daemon.ok([...shared, script])).split('\n')
    assert.match(line ?? '', /^root:/)
    assert.deepEqual(map?.trim().split(/\s+/), ['0', String(firstUid), String(size)])
    await daemon.ok(['rm', '-f', 'web'])
    assert.match(await daemon.inside(['--network', 'none'], 'ip -o link'), /^1: lo: [^\n]*$/)
  })

  test('user-defined networks work, with names', async () => {
    await daemon.ok(['network', 'create', 'own'])
    await daemon.ok(['run', '-d', '--name', 'named', '--network', 'own', 'busybox', 'sleep', '1000'])
    const looked = await daemon.ok(['run', '--rm', '--network', 'own', 'busybox', 'ping', '-c', '1', 'named'])
    assert.match(looked, /1 packets received/)
    await daemon.ok(['network', 'connect', 'bridge', 'named'])
    assert.match(await daemon.ok(['exec', 'named', 'ip', '-o', 'link']), /eth1/)
    await daemon.ok(['rm', '-f', 'named'])
    await daemon.ok(['network', 'rm', 'own'])
  })

  test("joining another container's namespaces also joins its users", async () => {
    await daemon.ok(['run', '-d', '--name', 'donor', '--ipc', 'shareable', 'busybox', 'sleep', '1000'])
    const joined = ['--pid', 'container:donor', '--ipc', 'container:donor', '--network', 'container:donor']
    assert.match(await daemon.inside(joined, 'ps; echo y >/dev/shm/x'), /sleep 1000/)
    assert.equal(await daemon.ok(['exec', 'donor', 'cat', '/dev/shm/x']), 'y')
    await daemon.ok([
      'run',
      '-d',
      '--name',
      'plain',
      '--userns',
      'host',
      '--ipc',
      'shareable',
      'busybox',
      'sleep',
      '1000',
    ])
    const refused = await daemon.docker(['run', '--rm', '--network', 'container:plain', 'busybox', 'true'])
    assert.match(refused.stderr, /which has the host's user namespace: this one needs --userns=host as well/)
    await daemon.ok(['rm', '-f', 'donor', 'plain'])
  })

  test('volumes belong to the mapped users, and keep their owners', async () => {
    const script = 'id -u; stat -c %u:%g /data; touch /data/f; chown 1000:1001 /data/f'
    assert.equal(await daemon.inside(['-v', 'vol:/data'], script), '0\n0:0')
    const mountpoint = await daemon.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'vol'])
    const { uid, gid } = statSync(join(mountpoint, 'f'))
    assert.deepEqual([uid, gid], [firstUid + 1000, firstGid + 1001])
    assert.equal(await daemon.inside(['-v', 'vol:/data'], 'stat -c %u:%g /data/f'), '1000:1001')
    // Filled from the image: the owners are the image's.
    assert.equal(
      await daemon.inside(['-v', 'copy:/home'], 'stat -c %u:%g /home/app'),
      await daemon.inside([], 'stat -c %u:%g /home/app'),
    )
    await daemon.ok(['volume', 'rm', 'vol', 'copy'])
  })

  test("directories of the host keep the host's owners", async () => {
    const source = join(daemon.root, 'host')
    mkdirSync(source, { mode: 0o755 })
    const { code, stderr } = await daemon.docker(['run', '--rm', '-v', `${source}:/h`, 'busybox', 'touch', '/h/x'])
    assert.deepEqual([code, /Permission denied/.test(stderr)], [1, true])
    chownSync(source, firstUid + 5, firstGid + 6)
    assert.equal(await daemon.inside(['-v', `${source}:/h`], 'touch /h/x; chown 7:8 /h/x; stat -c %u:%g /h'), '5:6')
    assert.equal(statSync(join(source, 'x')).uid, firstUid + 7)
  })

  test('cp, exec, export, commit and diff show the owners inside', async () => {
    const local = join(daemon.root, 'local')
    writeFileSync(local, 'content')
    chownSync(local, 12, 13)
    await daemon.ok(['run', '-d', '--name', 'files', '-v', '/anon', '-w', '/made/here', 'busybox', 'sleep', '1000'])
    await daemon.ok(['cp', '-a', local, 'files:/root/one'])
    await daemon.ok(['cp', '-a', local, 'files:/anon/two'])
    assert.equal(await ownersOf('files', '/root/one'), '12:13')
    assert.equal(await ownersOf('files', '/anon/two'), '12:13')
    assert.equal(await ownersOf('files', '/made/here'), '0:0')
    await daemon.ok(['kill', 'files'])
    await daemon.ok(['cp', '-a', local, 'files:/root/three'])
    const exported = join(daemon.root, 'export.tar')
    for (const state of ['stands', 'runs']) {
      if (state === 'runs') await daemon.ok(['start', 'files'])
      await daemon.ok(['export', '-o', exported, 'files'])
      const list = await runOrThrow('tar', ['-tv', '--numeric-owner', '-f', exported])
      assert.match(list, /12\/13 .* root\/one/, state)
      assert.match(list, /12\/13 .* root\/three/, state)
      assert.match(list, /0\/0 .* etc\/passwd/, state)
      const copied = await runCommand('sh', [
        '-c',
        `docker -H ${daemon.host} cp files:/anon/two - | tar -tv --numeric-owner`,
      ])
      assert.match(copied.stdout, /12\/13 /, state)
    }
    assert.equal(
      await daemon.ok(['diff', 'files']),
      'A /anon\nA /made\nA /made/here\nC /root\nA /root/one\nA /root/three',
    )
    await daemon.ok(['commit', 'files', 'committed'])
    // The image is like any other, also for containers with the host's users.
    for (const options of [[], ['--userns', 'host']]) {
      const owners = await daemon.ok([
        'run',
        '--rm',
        ...options,
        'committed',
        'stat',
        '-c',
        '%u:%g',
        '/root/one',
        '/bin',
      ])
      assert.equal(owners, '12:13\n0:0')
    }
    assert.equal(
      await daemon.ok([
        'run',
        '--rm',
        '--mount',
        'type=image,source=committed,target=/i',
        'busybox',
        'stat',
        '-c',
        '%u:%g',
        '/i/root/one',
      ]),
      '12:13',
    )
    await daemon.ok(['rm', '-f', '-v', 'files'])
    await daemon.ok(['rmi', 'committed'])
  })

  test('file capabilities work for users inside, and leave as they came in', async () => {
    // cap_net_raw=ep for a namespace's own root.
    const capability = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const program = readFileSync('/bin/busybox')
    const xattrs = new Map([['security.capability', capability]])
    const header = formatTarHeader({ type: 'file', path: 'grep', mode: 0o755, sizeBytes: program.length, xattrs })
    const archive = join(daemon.root, 'capable.tar')
    writeFileSync(archive, Buffer.concat([header, program, tarPadding(program.length), tarEnd]))
    const told = ['--user', '1000', '--network', 'none', '--entrypoint', '/opt/grep']
    const question = ['CapEff', '/proc/self/status']
    const answer = /^CapEff:\t0000000000002000$/
    await daemon.ok(['run', '--name', 'capable', '--network', 'none', 'busybox', 'mkdir', '/opt'])
    await runOrThrow('sh', ['-c', `exec '${clientProgram}' -H ${daemon.host} cp - capable:/opt <${archive}`])
    await daemon.ok(['commit', 'capable', 'capable:1'])
    assert.match(await daemon.ok(['run', '--rm', ...told, 'capable:1', ...question]), answer)
    for (const [what, ...command] of [
      ['opt/grep', 'cp', 'capable:/opt', '-'],
      ['opt/grep', 'export', 'capable'],
    ] as const) {
      const file = join(daemon.root, 'out.tar')
      await runOrThrow('sh', ['-c', `exec '${clientProgram}' -H ${daemon.host} ${command.join(' ')} >${file}`])
      const seen: Buffer[] = []
      for await (const { entry } of readTar(createReadStream(file))) {
        const value = entry.path === what ? entry.xattrs?.get('security.capability') : undefined
        if (value !== undefined) seen.push(value)
      }
      assert.deepEqual(seen, [capability], command[0])
    }
    const context = join(daemon.root, 'capable')
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY --from=capable:1 /opt /opt\nRUN touch /opt/other\n')
    await daemon.berth(['build', '-q', '-t', 'capable:2', '--network', 'none', context])
    assert.match(await daemon.ok(['run', '--rm', ...told, 'capable:2', ...question]), answer)
    await daemon.ok(['rm', 'capable'])
    await daemon.ok(['rmi', 'capable:1', 'capable:2'])
  })

  test("HostConfig.UsernsMode: host gives one container the host's users; some options need it", async () => {
    assert.match(await daemon.inside(['--userns', 'host'], 'cat /proc/self/uid_map'), /^\s*0\s+0\s+4294967295$/)
    assert.equal(
      await daemon.inside(['--userns', 'host', '--privileged', '--network', 'host', '--pid', 'host'], 'id -u'),
      '0',
    )
    for (const [option, message] of [
      ['--privileged', /privileged mode is incompatible with user namespaces/],
      ['--network=host', /cannot share the host's network namespace when user namespaces are enabled/],
      ['--pid=host', /cannot share the host PID namespace when user namespaces are enabled/],
    ] as const) {
      const { code, stderr } = await daemon.docker(['run', '--rm', option, 'busybox', 'true'])
      assert.equal(code, 125)
      assert.match(stderr, message)
    }
  })

  test('other options work: devices, tmpfs, init, sysctls, runc, health, enter', async () => {
    assert.equal(
      await daemon.inside(['--tmpfs', '/t', '--init'], 'touch /t/x && stat -c %u /t/x && head -c 2 /dev/zero | wc -c'),
      '0\n2',
    )
    assert.equal(
      await daemon.inside(['--sysctl', 'net.ipv4.ip_default_ttl=7'], 'cat /proc/sys/net/ipv4/ip_default_ttl'),
      '7',
    )
    assert.equal(await daemon.inside(['--runtime', 'runc'], 'id -u; wc -l </proc/self/uid_map'), '0\n1')
    await daemon.ok([
      'run',
      '-d',
      '--name',
      'ill',
      '--health-cmd',
      'true',
      '--health-interval',
      '100ms',
      'busybox',
      'sleep',
      '1000',
    ])
    await until(async () => (await daemon.ok(['inspect', '-f', '{{.State.Health.Status}}', 'ill'])) === 'healthy')
    assert.equal(await daemon.ok(['exec', '-w', '/tmp', 'ill', 'sh', '-c', 'touch f && stat -c %u f']), '0')
    const entered = await runCommand(berthProgram, ['-H', daemon.host, 'enter', '-b', 'ill', 'id', '-u'])
    assert.deepEqual([entered.code, entered.stdout.trim()], [0, '0'], entered.stderr)
    await daemon.ok(['rm', '-f', 'ill'])
  })

  test('a daemon finds its containers again after a crash, and new ones start', async () => {
    await daemon.ok([
      'run',
      '-d',
      '--name',
      'survivor',
      '-v',
      'kept:/data',
      'busybox',
      'sh',
      '-c',
      'touch /data/f; sleep 1000',
    ])
    await daemon.kill9()
    await daemon.start()
    assert.equal(await daemon.ok(['exec', 'survivor', 'stat', '-c', '%u', '/data/f']), '0')
    await daemon.ok(['restart', '-t', '0', 'survivor'])
    assert.equal(await daemon.inside(['-v', 'kept:/data'], 'stat -c %u:%g /data/f'), '0:0')
    await daemon.ok(['rm', '-f', 'survivor'])
  })
})

describe('impossible values of --userns-remap are refused', () => {
  const refusal = async (root: string, value: string): Promise<string> => {
    const flags = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x'), '-H', `unix://${root}/s`]
    const program = join(import.meta.dirname, '../../../bin/berthd')
    const { code, stderr } = await runCommand(program, [...flags, '--userns-remap', value], { timeoutMs: 20_000 })
    assert.equal(code, 1, stderr)
    return stderr
  }

  for (const [value, message] of [
    ['no-such-user', /Error during uid lookup for "no-such-user"/],
    ['daemon', /Can't create ID mappings: no subuid ranges found for user "daemon"/],
    ['daemon:no-such-group', /Error during groupname lookup for "no-such-group"/],
    ['a:b:c', /Invalid user\/group specification in --userns-remap: "a:b:c"/],
  ] as const) {
    test(value, async () => {
      const root = join(daemon.root, `refused-${value.replaceAll(':', '-')}`)
      assert.match(await refusal(root, value), message)
      assert.equal(existsSync(join(root, 'd', 'berth.db')), false)
      rmSync(root, { recursive: true, force: true })
    })
  }

  test('a directory on the way that other users may not enter is named', async () => {
    const root = join(daemon.root, 'closed')
    mkdirSync(root, { mode: 0o700 })
    assert.match(await refusal(root, account), /can't reach their files below \S+closed, whose mode is 0700/)
  })

  test('a file system without ID-mapped mounts is refused', async () => {
    const root = join(daemon.root, 'ramfs')
    mkdirSync(root, { mode: 0o711 })
    await runOrThrow('mount', ['-t', 'ramfs', '-o', 'mode=711', 'none', root])
    try {
      assert.match(await refusal(root, account), /userns-remap needs ID-mapped mounts, which this kernel or the file/)
    } finally {
      await runOrThrow('umount', ['-R', root])
    }
  })
})
