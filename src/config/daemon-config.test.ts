import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigSource, type DaemonConfig } from './index.ts'

function loadDaemonConfig(args: readonly string[]): DaemonConfig {
  return ConfigSource.open(args).config
}

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

test('ConfigSource combines file and flags', () => {
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

test('ConfigSource refuses unknown flags, unknown keys and options that are set twice', () => {
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

test('ConfigSource refuses values of the wrong form', () => {
  const wrong: [string[], RegExp][] = [
    [['--bip', '172.17.0.1'], /bip: invalid CIDR/],
    [['--data-root', '/var/lib/'], /invalid data-root: \/var\/lib\/ is a directory of the whole host/],
    [['--exec-root', '/run'], /invalid exec-root: \/run is a directory/],
    [['--mtu', 'big'], /not a whole number/],
    [['--log-level', 'loud'], /invalid logging level: loud/],
    [['--default-runtime', 'kata'], /default runtime 'kata' does not exist/],
    [['--default-ulimit', 'nofile=9:3'], /soft limit must be less/],
    [['-H', 'fd://one'], /invalid bind address \(fd:\/\/one\)/],
    [['-H', 'npipe://'], /unsupported proto npipe/],
    [['--tlsverify'], /TLS needs/],
    [['extra'], /takes no arguments: extra/],
    [['--mtu'], /needs an argument: --mtu/],
    [['--storage-driver', 'btrfs'], /storage-driver: "btrfs" is not supported/],
    [['--storage-opt', 'overlay2.size=big'], /storage-opts: overlay2.size: invalid size: 'big'/],
    [['--storage-opt', 'overlay2.size'], /storage-opts: unable to parse key\/value option: "overlay2.size"/],
    [
      ['--storage-opt', 'dm.basesize=1g'],
      /storage-opts: "dm.basesize": the storage driver overlay2 has no such option/,
    ],
    [['--add-runtime', 'x'], /invalid runtime "x": expected NAME=PATH/],
    [['--exec-opt', 'native.cgroupdriver=none'], /native.cgroupdriver=none is invalid: expected cgroupfs or systemd/],
    [['--exec-opt', 'native.cgroupdriver=systemd', '--cgroup-parent', '/x'], /cgroup-parent: \/x: .* it is a slice/],
    [['--cgroup-parent', 'x.slice'], /cgroup-parent: x.slice: slices belong to systemd/],
    [['--exec-opt', 'isolation=hyperv'], /exec-opts: invalid option "isolation"/],
    [['--userland-proxy'], /userland-proxy: true is not supported/],
    [['--default-ipc-mode', 'host'], /default-ipc-mode: "host" is invalid: expected private or shareable/],
    [['--default-cgroupns-mode', 'x'], /default-cgroupns-mode: "x" is invalid/],
    [['--host-gateway-ip', 'here'], /host-gateway-ip: invalid IP address: here/],
    [['--host-gateway-ip', '192.0.2.1', '--host-gateway-ip', '192.0.2.2'], /only one IPv4 address is allowed/],
    [['--bridge', 'none', '--bip', '10.9.0.1/24'], /-b & --bip, mutually exclusive options/],
    [['--firewall-backend', 'iptables'], /firewall-backend: "iptables" is not supported/],
    [['--userland-proxy-path', '/x'], /userland-proxy-path is not supported/],
    [['--network-control-plane-mtu', '1400'], /network-control-plane-mtu is not supported: .* no swarm/],
    [['--network-diagnostic-port', '1'], /network-diagnostic-port is not supported/],
    [['--cgroup-parent', 'a.slice'], /cgroup-parent: a.slice: slices belong to systemd/],
    [['--cgroup-parent', '../x'], /cgroup-parent: invalid path/],
    [['--config-file', '/nonexistent/daemon.json'], /no such file/],
  ]
  for (const [args, message] of wrong) assert.throws(() => loadDaemonConfig(args), message)
})

test("ConfigSource accepts Docker's options that ask for what Berth does, and refuses the others", () => {
  const file = {
    'storage-driver': 'overlay2',
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'userland-proxy': false,
    experimental: true,
    features: { buildkit: true },
    'default-cgroupns-mode': 'private',
    'default-ipc-mode': 'shareable',
    'cgroup-parent': 'limited/group',
    'init-path': '/usr/bin/tini',
    'host-gateway-ip': '192.0.2.1',
  }
  withFile(JSON.stringify(file), (path) => {
    const { containers, network, experimental } = loadDaemonConfig(['--config-file', path])
    assert.equal(experimental, true)
    assert.equal(containers.cgroupnsMode, 'private')
    assert.equal(containers.ipcMode, 'shareable')
    assert.equal(containers.cgroupParent, '/limited/group')
    assert.equal(containers.initPath, '/usr/bin/tini')
    assert.deepEqual(network.hostGatewayIps, ['192.0.2.1'])
  })
  withFile('{"features": {"containerd-snapshotter": true}}', (path) => {
    assert.throws(() => loadDaemonConfig(['--config-file', path]), /"containerd-snapshotter": true is not supported/)
  })
})

test('ConfigSource reads firewall.published from the file or the flag', () => {
  assert.equal(loadDaemonConfig([]).network.published, 'open')
  assert.equal(loadDaemonConfig(['--firewall-published', 'host-rules']).network.published, 'host-rules')
  assert.throws(() => loadDaemonConfig(['--firewall-published', 'x']), /firewall\.published: "x" is invalid/)
  withFile('{"firewall": {"published": "host-rules"}}', (path) => {
    assert.equal(loadDaemonConfig(['--config-file', path]).network.published, 'host-rules')
    const both = ['--config-file', path, '--firewall-published=open']
    assert.throws(() => loadDaemonConfig(both), /specified both as a flag and in the configuration file: firewall/)
  })
  withFile('{"firewall": {"publish": "open"}}', (path) => {
    assert.throws(() => loadDaemonConfig(['--config-file', path]), /firewall: unknown key "publish"/)
  })
})
