/** The daemon as a program: flags, configuration file, signals, several at once, TLS. */
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
import { findProgram, runCommand, runOrThrow } from '../helpers/command.ts'
import { TestDaemon } from '../helpers/daemon.ts'
import { freePort } from '../helpers/registry.ts'
import { until } from '../helpers/wait.ts'

const berthd = join(import.meta.dirname, '../../bin/berthd')

describe('configuration', () => {
  test('an unknown flag: an error that names it, exit 1', async () => {
    const { code, stderr } = await runCommand(berthd, ['--no-such-flag'])
    assert.equal(code, 1)
    assert.match(stderr, /no-such-flag/)
  })

  test('an unknown key in the file, a value of the wrong type, a file that is not there', async () => {
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

  test('--help and --version', async () => {
    const help = await runCommand(berthd, ['--help'])
    assert.equal(help.code, 0)
    for (const flag of ['--data-root', '--insecure-registry', '--tlsverify', '--bip'])
      assert.ok(help.stdout.includes(flag))
    assert.equal((await runCommand(berthd, ['--version'])).code, 0)
  })

  test('--bip, --mtu, --default-ulimit, --dns, --label act', async () => {
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

  test('SIGHUP reloads what can be reloaded', async () => {
    await using daemon = await TestDaemon.start()
    const file = join(daemon.root, 'daemon.json')
    writeFileSync(file, JSON.stringify({ labels: ['reloaded=yes'] }))
    process.kill(daemon.pid, 'SIGHUP')
    const labels = async () => (await daemon.api<{ Labels: string[] }>('GET', '/info')).body.Labels
    await until(async () => (await labels())?.includes('reloaded=yes'), { what: 'the new label' })
    writeFileSync(file, '{"no-such-key": 1}')
    process.kill(daemon.pid, 'SIGHUP')
    await until(() => daemon.log.includes('no-such-key'), { what: 'the complaint in the log' })
    assert.equal((await daemon.api('GET', '/_ping')).status, 200)
  })
})

describe('sockets', () => {
  test('the unix socket is for its group only, the pidfile tells the pid, both go', async () => {
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

  test('--docker-socket links it', async () => {
    const directory = mkdtempSync('/tmp/b-')
    const link = join(directory, 'docker.sock')
    {
      await using daemon = await TestDaemon.start({ flags: ['--docker-socket', link] })
      assert.ok(lstatSync(link).isSymbolicLink())
      assert.equal(readlinkSync(link), daemon.socket)
    }
    rmSync(directory, { recursive: true })
  })

  test('tcp, plain', async () => {
    const port = await freePort()
    await using _daemon = await TestDaemon.start({ flags: ['--host', `tcp://127.0.0.1:${port}`] })
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/_ping`)).text(), 'OK')
  })

  test('tcp with TLS: only clients with a certificate', {
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
  test('two on one data root: the second refuses and says why', async () => {
    await using daemon = await TestDaemon.start()
    const other = join(daemon.root, 'other.sock')
    const args = ['--data-root', daemon.dataRoot, '--exec-root', join(daemon.root, 'y'), '--host', `unix://${other}`]
    const { code, stderr, stdout } = await runCommand(berthd, [
      ...args,
      '--config-file',
      join(daemon.root, 'daemon.json'),
    ])
    assert.equal(code, 1)
    assert.match(stderr + stdout, /in use|another|already/)
    assert.equal((await daemon.api('GET', '/_ping')).status, 200)
  })

  test('two with roots of their own work side by side', async () => {
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
  test('SIGTERM: containers run on and are found again', async () => {
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
    assert.equal(await daemon.stop(), 0)
    process.kill(pid, 0)
    await daemon.start()
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Pid}} {{.State.Status}}', id]), `${pid} running`)
    assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
    await daemon.ok(['stop', '-t', '0', id])
    const lines = (await daemon.ok(['logs', id])).split('\n').map(Number)
    assert.deepEqual(
      lines,
      lines.map((_, i) => i + 1),
    )
  })
})
