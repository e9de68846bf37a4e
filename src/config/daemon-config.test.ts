import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadDaemonConfig } from './index.ts'

function withFile<T>(content: string, run: (path: string) => T): T {
  const directory = mkdtempSync('/tmp/berth-config-')
  try {
    const path = join(directory, 'daemon.json')
    writeFileSync(path, content)
    return run(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('loadDaemonConfig() joins file and flags', () => {
  withFile(
    '{"registry-mirrors": ["http://127.0.0.1:5001/"], "mtu": 1400, "hosts": ["tcp://127.0.0.1:2375"]}',
    (path) => {
      const config = loadDaemonConfig(['--config-file', path, '--data-root=/tmp/x', '-l', 'warn', '--icc=false'])
      assert.deepEqual(config.registries.mirrors, ['http://127.0.0.1:5001'])
      assert.equal(config.network.mtu, 1400)
      assert.equal(config.network.icc, false)
      assert.deepEqual(config.hosts, [{ kind: 'tcp', host: '127.0.0.1', port: 2375 }])
      assert.equal(config.logLevel, 'warn')
      assert.match(config.instance, /^[0-9a-f]{6}$/)
      assert.ok(Object.isFrozen(config.network.dns))
    },
  )
})

test('loadDaemonConfig() names an unknown flag, an unknown key and what is said twice', () => {
  assert.throws(() => loadDaemonConfig(['--nonsense']), /unknown flag: --nonsense/)
  withFile('{"nonsense": 1}', (path) => {
    assert.throws(() => loadDaemonConfig(['--config-file', path]), /don't match any configuration option: nonsense/)
  })
  withFile('{"mtu": 1400}', (path) => {
    assert.throws(
      () => loadDaemonConfig(['--config-file', path, '--mtu', '1300']),
      /mtu: \(from flag: 1300, from file: 1400\)/,
    )
  })
})

test('loadDaemonConfig() refuses values of the wrong form', () => {
  const wrong: [string[], RegExp][] = [
    [['--bip', '172.17.0.1'], /bip: invalid CIDR/],
    [['--mtu', 'big'], /not a whole number/],
    [['--log-level', 'loud'], /invalid logging level: loud/],
    [['--default-runtime', 'kata'], /default runtime 'kata' does not exist/],
    [['--default-ulimit', 'nofile=9:3'], /soft limit must be less/],
    [['-H', 'fd://'], /unsupported proto fd/],
    [['--tlsverify'], /TLS needs/],
    [['extra'], /takes no arguments: extra/],
    [['--mtu'], /needs an argument: --mtu/],
    [['--config-file', '/nonexistent/daemon.json'], /no such file/],
  ]
  for (const [args, message] of wrong) assert.throws(() => loadDaemonConfig(args), message)
})
