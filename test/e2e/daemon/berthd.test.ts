/** The daemon as a program: flags, configuration file, signals, several daemons, TLS. */
import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findProgram, runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

const berthd = join(import.meta.dirname, '../../../bin/berthd')

describe('configuration', () => {
  test('an unknown flag: an error names it, exit code 1', async () => {
    const { code, stderr } = await runCommand(berthd, ['--no-such-flag'])
    assert.equal(code, 1)
    assert.match(stderr, /no-such-flag/)
  })

  test('an unknown key in the file, a value of the wrong type, and a missing file are errors', async () => {
    const directory = mkdtempSync('/tmp/b-')
    const file = join(directory, 'daemon.json')
    const validate = async (content: unknown) => {
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      return runCommand(berthd, ['--validate', '--config-file', file])
    }
    try {
      const unknown = await validate({ 'no-such-key': true })
      assert.equal(unknown.code, 1)
      assert.match(unknown.stderr, /no-such-key/)
      const wrong = await validate({ mtu: 'many' })
      assert.equal(wrong.code, 1)
      assert.match(wrong.stderr, /mtu/)
      assert.equal((await validate('{"mtu": ')).code, 1)
      const fine = await validate({ mtu: 1400, 'insecure-registries': ['registry.test:5000'], 'log-level': 'debug' })
      assert.equal(fine.code, 0)
      assert.match(fine.stdout + fine.stderr, /configuration OK/)
      assert.equal((await runCommand(berthd, ['--validate', '--config-file', join(directory, 'none.json')])).code, 1)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('--help and --version print and exit', async () => {
    const help = await runCommand(berthd, ['--help'])
    assert.equal(help.code, 0)
    for (const flag of ['--data-root', '--insecure-registry', '--tlsverify', '--bip'])
      assert.ok(help.stdout.includes(flag))
    assert.equal((await runCommand(berthd, ['--version'])).code, 0)
  })

  test('--bip, --mtu, --default-ulimit, --dns and --label apply', async () => {
    const flags = [
      '--bip',
      '10.213.77.1/24',
      '--mtu',
      '1380',
      '--default-ulimit',
      'nofile=333:444',
      '--dns',
      '203.0.113.9',
      '--label',
      'zone=test',
    ]
    await using daemon = await TestDaemon.start({ flags })
    await daemon.loadBusybox()
    const script = 'ip -o -4 addr show eth0; cat /sys/class/net/eth0/mtu; ulimit -n; cat /etc/resolv.conf'
    const out = await daemon.ok(['run', '--rm', 'busybox', 'sh', '-c', script])
    assert.match(out, /10\.213\.77\.\d+\/24/)
    assert.match(out, /^1380$/m)
    assert.match(out, /^333$/m)
    assert.match(out, /^nameserver 203\.0\.113\.9$/m)
    assert.deepEqual((await daemon.api<{ Labels: string[] }>('GET', '/info')).body.Labels, ['zone=test'])
  })

  test('SIGHUP reloads the settings that can change', async () => {
    await using daemon = await TestDaemon.start()
    await daemon.loadBusybox()
    const file = join(daemon.root, 'daemon.json')
    const reload = (settings: unknown) => {
      writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))
      process.kill(daemon.pid, 'SIGHUP')
    }
    const info = async () => (await daemon.api<DaemonInfo>('GET', '/info')).body
    const bridge = await daemon.bridgeInterface()
    reload({
      labels: ['reloaded=yes'],
      debug: true,
      dns: ['203.0.113.7'],
      'default-ulimits': { nofile: { Name: 'nofile', Soft: 321, Hard: 654 } },
      'insecure-registries': ['registry.test:5000'],
      'registry-mirrors': ['http://mirror.test'],
      runtimes: { other: { path: 'crun' } },
      'default-runtime': 'other',
      mtu: 1400,
    })
    await until(async () => (await info()).Labels.includes('reloaded=yes'), { what: 'the new label' })
    const { Debug, DefaultRuntime, Runtimes, RegistryConfig } = await info()
    assert.deepEqual([Debug, DefaultRuntime, Runtimes.other?.path], [true, 'other', 'crun'])
    const { Components } = (await daemon.api<{ Components: { Name: string }[] }>('GET', '/version')).body
    assert.deepEqual(
      Components.map(({ Name }) => Name),
      ['Engine', 'other', 'conmon'],
    )
    assert.equal(RegistryConfig.IndexConfigs['registry.test:5000']?.Secure, false)
    assert.deepEqual(RegistryConfig.Mirrors, ['http://mirror.test'])
    assert.match(daemon.log, /change with a restart only.*mtu/)
    const out = await daemon.ok(['run', '--rm', 'busybox', 'sh', '-c', 'ulimit -n; cat /etc/resolv.conf'])
    assert.match(out, /^321$/m)
    assert.match(out, /^nameserver 203\.0\.113\.7$/m)
    const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])

    reload('{"no-such-key": 1}')
    await until(() => daemon.log.includes('no-such-key'), { what: 'the complaint in the log' })
    reload({ runtimes: { broken: { path: '/no/such/program' } }, labels: ['never=said'] })
    await until(() => daemon.log.includes('/no/such/program'), { what: 'the second complaint' })
    assert.deepEqual((await info()).Labels, ['reloaded=yes'])

    reload({})
    await until(async () => (await info()).Labels.length === 0, { what: 'no label' })
    assert.equal((await info()).DefaultRuntime, 'crun')
    assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
    assert.equal(await daemon.bridgeInterface(), bridge)
    await daemon.ok(['rm', '-f', id])
  })
})

interface DaemonInfo {
  readonly Labels: readonly string[]
  readonly Debug: boolean
  readonly DefaultRuntime: string
  readonly Runtimes: Readonly<Record<string, { readonly path: string }>>
  readonly RegistryConfig: {
    readonly IndexConfigs: Readonly<Record<string, { readonly Secure: boolean }>>
    readonly Mirrors: readonly string[]
  }
}

describe('sockets', () => {
  test('the unix socket is for its group only, the pidfile has the pid, and both are removed', async () => {
    const daemon = await TestDaemon.start({ flags: [] })
    try {
      assert.equal(statSync(daemon.socket).mode & 0o777, 0o660)
      assert.equal(readFileSync(join(daemon.execRoot, 'berthd.pid'), 'utf8').trim(), String(daemon.pid))
      assert.equal(await daemon.stop(), 0)
      assert.equal(existsSync(daemon.socket), false)
      assert.equal(existsSync(join(daemon.execRoot, 'berthd.pid')), false)
    } finally {
      await daemon[Symbol.asyncDispose]()
    }
  })

  test('--docker-socket links to the socket', async () => {
    const directory = mkdtempSync('/tmp/b-')
    const link = join(directory, 'docker.sock')
    {
      await using daemon = await TestDaemon.start({ flags: ['--docker-socket', link] })
      assert.ok(lstatSync(link).isSymbolicLink())
      assert.equal(readlinkSync(link), daemon.socket)
    }
    rmSync(directory, { recursive: true })
  })

  test('tcp without TLS serves any client', async () => {
    const port = await freePort()
    await using _daemon = await TestDaemon.start({ flags: ['--host', `tcp://127.0.0.1:${port}`] })
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/_ping`)).text(), 'OK')
  })

  test('tcp with TLS only serves clients with a certificate', {
    skip: findProgram('openssl') === undefined && 'no openssl',
  }, async () => {
    const directory = mkdtempSync('/tmp/b-')
    try {
      const { ca, server, client } = await certificates(directory)
      const port = await freePort()
      const flags = [
        '--host',
        `tcp://127.0.0.1:${port}`,
        '--tlsverify',
        '--tlscacert',
        ca.cert,
        '--tlscert',
        server.cert,
        '--tlskey',
        server.key,
      ]
      await using daemon = await TestDaemon.start({ flags })
      const own = { ca: readFileSync(ca.cert), cert: readFileSync(client.cert), key: readFileSync(client.key) }
      assert.equal(await get(port, own), 200)
      await assert.rejects(get(port, { ca: own.ca }))
      const cli = await daemon.docker(['version'])
      assert.equal(cli.code, 0)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

interface KeyPair {
  readonly cert: string
  readonly key: string
}

async function certificates(directory: string): Promise<{ ca: KeyPair; server: KeyPair; client: KeyPair }> {
  const pair = (name: string): KeyPair => ({
    cert: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  })
  const ca = pair('ca')
  const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await runOrThrow('openssl', [
    ...newKey,
    '-x509',
    '-subj',
    '/CN=test ca',
    '-keyout',
    ca.key,
    '-out',
    ca.cert,
    '-days',
    '1',
  ])
  const sign = async (name: string, extension: string) => {
    const { cert, key } = pair(name)
    const csr = join(directory, `${name}.csr`)
    const extensions = join(directory, `${name}.ext`)
    writeFileSync(extensions, extension)
    await runOrThrow('openssl', [...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', csr])
    await runOrThrow('openssl', [
      'x509',
      '-req',
      '-in',
      csr,
      '-CA',
      ca.cert,
      '-CAkey',
      ca.key,
      '-CAcreateserial',
      '-extfile',
      extensions,
      '-out',
      cert,
      '-days',
      '1',
    ])
    return { cert, key }
  }
  return {
    ca,
    server: await sign('server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'),
    client: await sign('client', 'extendedKeyUsage=clientAuth\n'),
  }
}

function get(port: number, tls: { ca: Buffer; cert?: Buffer; key?: Buffer }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/_ping', agent: false, ...tls }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.once('error', reject).end()
  })
}

describe('several daemons', () => {
  test('two on one data root, one exec root or one socket: the second one refuses with the reason', async () => {
    await using daemon = await TestDaemon.start()
    await daemon.loadBusybox()
    const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
    const roots = { data: join(daemon.root, 'other-d'), exec: join(daemon.root, 'y') }
    const refused = async (dataRoot: string, execRoot: string, socket: string) => {
      const args = ['--data-root', dataRoot, '--exec-root', execRoot, '--host', `unix://${socket}`]
      const { code, stderr } = await runCommand(berthd, [...args, '--config-file', join(daemon.root, 'daemon.json')])
      assert.equal(code, 1)
      assert.match(stderr, /in use|another|already/)
      const beside = stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('{'))
      assert.equal(beside.length, 1, `one line beside the log: ${stderr}`)
    }
    await refused(daemon.dataRoot, roots.exec, join(daemon.root, 'other.sock'))
    await refused(roots.data, daemon.execRoot, join(daemon.root, 'other.sock'))
    await daemon.kill9()
    await daemon.start()
    await refused(daemon.dataRoot, daemon.execRoot, daemon.socket)
    assert.equal((await daemon.api('GET', '/_ping')).status, 200)
    assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
  })

  test('two with their own roots work side by side', async () => {
    await using first = await TestDaemon.start()
    await using second = await TestDaemon.start()
    await Promise.all([first.loadBusybox(), second.loadBusybox()])
    const [a, b] = await Promise.all([first.bridgeInterface(), second.bridgeInterface()])
    assert.notEqual(a, b)
    const [one, two] = await Promise.all(
      [first, second].map((daemon) => daemon.ok(['run', '-d', '--name', 'same', 'busybox', 'sleep', '1000'])),
    )
    assert.equal(await first.ok(['ps', '-q', '--no-trunc']), one)
    assert.equal(await second.ok(['ps', '-q', '--no-trunc']), two)
    await first.ok(['rm', '-f', 'same'])
    assert.equal(await second.ok(['exec', 'same', 'echo', 'alive']), 'alive')
  })
})

describe('stopping', () => {
  test('SIGTERM: containers keep running and are found again', async () => {
    await using daemon = await TestDaemon.start()
    await daemon.loadBusybox()
    const id = await daemon.ok([
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done',
    ])
    const pid = Number(await daemon.ok(['inspect', '-f', '{{.State.Pid}}', id]))
    const restarting = await daemon.ok(['run', '-d', '--restart', 'always', 'busybox', 'sh', '-c', 'exit 1'])
    // Connected clients must not keep the daemon from stopping.
    const clients = [['logs', '-f', id], ['attach', id], ['exec', id, 'sleep', '1000'], ['events'], ['wait', id]]
    const connected = clients.map((args) => daemon.spawnDocker(args))
    await until(() => connected.slice(0, 2).every(({ stdout }) => stdout !== ''), { what: 'output' })
    const before = Date.now()
    assert.equal(await daemon.stop(), 0)
    // The daemon waits 15 seconds for containers to stop (--shutdown-timeout).
    assert.ok(Date.now() - before < 12_000, `stopping took ${Date.now() - before} ms`)
    assert.equal(existsSync(join(daemon.execRoot, 'berthd.pid')), false)
    process.kill(pid, 0)
    await Promise.all(connected.map(({ ended }) => ended))
    await daemon.start()
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Pid}} {{.State.Status}}', id]), `${pid} running`)
    assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
    await daemon.ok(['rm', '-f', restarting])
    await daemon.ok(['stop', '-t', '0', id])
    const lines = (await daemon.ok(['logs', id])).split('\n').map(Number)
    assert.deepEqual(
      lines,
      lines.map((_, i) => i + 1),
    )
  })

  test('with live-restore off, containers stop with the daemon', async () => {
    await using daemon = await TestDaemon.start({ flags: ['--live-restore=false'] })
    await daemon.loadBusybox()
    const script = 'trap "exit 6" TERM; while :; do sleep 0.1; done'
    const id = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', script])
    const again = await daemon.ok([
      'run',
      '-d',
      '--restart',
      'unless-stopped',
      'busybox',
      'sh',
      '-c',
      `echo run; ${script}`,
    ])
    assert.equal(await daemon.stop(), 0)
    await daemon.start()
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', id]), 'exited 6')
    await until(async () => (await daemon.ok(['logs', again])) === 'run\nrun', { what: 'a second run' })
  })
})
