/** Networks of the user's own: made, joined, left, taken away; who reaches whom; what a killed daemon leaves. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { runCommand, runOrThrow } from '../helpers/command.ts'
import { networkTag, TestDaemon } from '../helpers/daemon.ts'
import { freePort } from '../helpers/registry.ts'
import { until } from '../helpers/wait.ts'

let daemon: TestDaemon
/** Ranges of this run's own: others may run beside it. */
const octet = process.pid % 250

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', 'base=10.240.0.0/12,size=24'] })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Endpoint {
  readonly IPAddress: string
  readonly IPPrefixLen: number
  readonly Gateway: string
  readonly MacAddress: string
  readonly NetworkID: string
  readonly EndpointID: string
  readonly DNSNames: readonly string[] | null
}

/** A web server that says its own name. */
function web(name: string, ...options: string[]): Promise<string> {
  const script = `mkdir /www; echo ${name} >/www/index.html; exec httpd -f -p 80 -h /www`
  return daemon.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script])
}

async function endpoints(container: string): Promise<Readonly<Record<string, Endpoint>>> {
  return JSON.parse(await daemon.ok(['inspect', '-f', '{{json .NetworkSettings.Networks}}', container]))
}

async function addressOn(container: string, network: string): Promise<string> {
  return (await endpoints(container))[network]?.IPAddress ?? ''
}

/** True when a container gets the page of an address. */
async function reaches(from: string, address: string): Promise<boolean> {
  const script = `timeout 2 wget -qO- http://${address}/`
  return (await daemon.docker(['exec', from, 'sh', '-c', script])).code === 0
}

async function refused(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stderr } = await daemon.docker(args)
  assert.notEqual(code, 0, args.join(' '))
  assert.match(stderr, message)
}

describe('networks', () => {
  test('create takes every field, inspect and ls give it back', async () => {
    const id = await daemon.ok([
      ...[
        'network',
        'create',
        '--subnet',
        `10.213.${octet}.0/24`,
        '--ip-range',
        `10.213.${octet}.128/25`,
        '--gateway',
        `10.213.${octet}.254`,
      ],
      ...['--aux-address', `printer=10.213.${octet}.129`, '--label', 'team=a', '--internal', '--attachable'],
      ...['-o', 'com.docker.network.driver.mtu=1400', '-o', 'own=option', 'full'],
    ])
    const [network] = JSON.parse(await daemon.ok(['network', 'inspect', id]))
    assert.deepEqual(
      { ...network, Created: '' },
      {
        Name: 'full',
        Id: id,
        Created: '',
        Scope: 'local',
        Driver: 'bridge',
        EnableIPv4: true,
        EnableIPv6: false,
        IPAM: {
          Driver: 'default',
          Options: {},
          Config: [
            {
              Subnet: `10.213.${octet}.0/24`,
              IPRange: `10.213.${octet}.128/25`,
              Gateway: `10.213.${octet}.254`,
              AuxiliaryAddresses: { printer: `10.213.${octet}.129` },
            },
          ],
        },
        Internal: true,
        Attachable: true,
        Ingress: false,
        ConfigFrom: { Network: '' },
        ConfigOnly: false,
        Containers: {},
        Options: { 'com.docker.network.driver.mtu': '1400', own: 'option' },
        Labels: { team: 'a' },
      },
    )
    const link = await runOrThrow('ip', ['-o', 'addr', 'show', `br-${id.slice(0, 12)}`])
    assert.match(link, /inet 10\.213\.\d+\.254\/24/)
    await web('full-1', '--network', 'full')
    const [endpoint] = Object.values(await endpoints('full-1'))
    assert.equal(endpoint?.IPAddress, `10.213.${octet}.128`)
    assert.equal(endpoint?.Gateway, '', 'no way out of an internal network')
    await web('full-2', '--network', id.slice(0, 10), '--ip', `10.213.${octet}.7`, '--mac-address', '02:00:00:00:00:07')
    const second = (await endpoints('full-2')).full
    assert.deepEqual(
      [second?.IPAddress, second?.IPPrefixLen, second?.MacAddress],
      [`10.213.${octet}.7`, 24, '02:00:00:00:00:07'],
    )
    assert.match(await daemon.ok(['exec', 'full-2', 'ip', 'addr', 'show', 'eth0']), /mtu 1400[\s\S]*02:00:00:00:00:07/)
    await until(() => reaches('full-2', `10.213.${octet}.128`), { what: 'the neighbour' })
    await refused(
      ['run', '--rm', '--network', 'full', '--ip', `10.213.${octet}.7`, 'busybox', 'true'],
      /Address already in use/,
    )
    await refused(
      ['run', '--rm', '--network', 'full', '--ip', '10.99.0.7', 'busybox', 'true'],
      /no configured subnet contains IP address 10\.99\.0\.7/,
    )
    await refused(
      ['network', 'rm', 'full'],
      /network full has active endpoints \(name:"full-[12]" id:"[0-9a-f]{12}", name:"full-[12]"/,
    )
    await daemon.ok(['rm', '-f', 'full-1', 'full-2'])
    await daemon.ok(['network', 'rm', 'full'])
    assert.notEqual((await runCommand('ip', ['link', 'show', `br-${id.slice(0, 12)}`])).code, 0)
  })

  test('what can not be is refused in words of Docker', async () => {
    await daemon.ok(['network', 'create', '--subnet', `10.214.${octet}.0/24`, 'taken'])
    const create = (...args: string[]) => ['network', 'create', ...args]
    for (const [args, message] of [
      [create('taken'), /network with name taken already exists/],
      [create('bridge'), /operation is not permitted on predefined bridge network/],
      [create('-d', 'host', 'x'), /only one instance of "host" network is allowed/],
      [create('-d', 'nosuch', 'x'), /plugin "nosuch" not found/],
      [create('-d', 'overlay', 'x'), /This node is not a swarm manager/],
      [create('--ipam-driver', 'nosuch', 'x'), /plugin "nosuch" not found/],
      [
        create('--subnet', `10.215.${octet}.7/24`, 'x'),
        /invalid subnet 10\.215\.\d+\.7\/24: it should be 10\.215\.\d+\.0\/24/,
      ],
      [create('--subnet', `10.215.${octet}.0/24`, '--gateway', `10.216.${octet}.1`, 'x'), /10\.216\.\d+\.1/],
      [create('--subnet', `10.214.${octet}.128/25`, 'x'), /Pool overlaps with other one on this address space/],
      [create('--subnet', '127.0.0.0/24', 'x'), /overlaps.*interface lo has 127\.0\.0\.1\/8/],
      [create('-o', 'com.docker.network.bridge.enable_icc=maybe', 'x'), /failed to parse .*enable_icc value: maybe/],
      [create('-o', 'com.docker.network.driver.mtu=-3', 'x'), /invalid MTU number: -3/],
      [create('-o', 'com.docker.network.bridge.name=lo', 'x'), /interface lo exists and is not a bridge/],
      [create('--config-from', 'nosuch', 'x'), /configuration network "nosuch" does not exist/],
      [['network', 'rm', 'bridge'], /bridge is a pre-defined network and cannot be removed/],
      [['network', 'rm', 'nosuch'], /network nosuch not found/],
      [['run', '--rm', '--ip', '10.1.1.1', 'busybox', 'true'], /user specified IP address is supported/],
    ] as const) {
      await refused(args, message)
    }
    assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'name=^x$']), '')
    await daemon.ok(['network', 'rm', 'taken'])
  })

  test('configuration networks lend their settings', async () => {
    await daemon.ok([
      'network',
      'create',
      '--config-only',
      '--subnet',
      `10.217.${octet}.0/24`,
      '--label',
      'k=v',
      'settings',
    ])
    await daemon.ok(['network', 'create', '--config-from', 'settings', 'real'])
    const [real] = JSON.parse(await daemon.ok(['network', 'inspect', 'real']))
    assert.deepEqual(
      [real.ConfigFrom, real.IPAM.Config[0].Subnet, real.Labels],
      [{ Network: 'settings' }, `10.217.${octet}.0/24`, { k: 'v' }],
    )
    await refused(['network', 'rm', 'settings'], /configuration network "settings" is in use/)
    await daemon.ok(['network', 'rm', 'real', 'settings'])
  })

  test('ls and prune filter', async () => {
    await daemon.ok(['network', 'create', '--label', 'keep', 'f-a'])
    await daemon.ok(['network', 'create', '--label', 'x=1', 'f-b'])
    await daemon.ok(['network', 'create', 'f-used'])
    await daemon.ok(['run', '-d', '--name', 'user', '--network', 'f-used', 'busybox', 'sleep', '1000'])
    const ls = async (...filters: string[]) => {
      const names = await daemon.ok([
        'network',
        'ls',
        '--format',
        '{{.Name}}',
        ...filters.flatMap((text) => ['-f', text]),
      ])
      return names
        .split('\n')
        .filter((name) => name !== '')
        .sort()
    }
    assert.deepEqual(await ls('type=custom'), ['f-a', 'f-b', 'f-used'])
    assert.deepEqual(await ls('type=builtin'), ['bridge', 'host', 'none'])
    assert.deepEqual(await ls('label=x=1'), ['f-b'])
    assert.deepEqual(await ls('label=keep', 'label=x'), [])
    assert.deepEqual(await ls('dangling=true'), ['f-a', 'f-b'])
    assert.deepEqual(await ls('driver=null'), ['none'])
    assert.deepEqual(await ls('name=f-', 'scope=local'), ['f-a', 'f-b', 'f-used'])
    await refused(['network', 'ls', '-f', 'dangling=foo'], /invalid value for filter 'dangling'/)
    assert.match(await daemon.ok(['network', 'prune', '-f', '--filter', 'label!=keep']), /f-b/)
    assert.deepEqual(await ls('type=custom'), ['f-a', 'f-used'])
    await daemon.ok(['rm', '-f', 'user'])
    await daemon.ok(['network', 'prune', '-f'])
    assert.deepEqual(await ls('type=custom'), [])
  })
})

describe('containers on networks', () => {
  test('bridges are apart; a container on two of them is on both', async () => {
    await daemon.ok(['network', 'create', 'net-a'])
    await daemon.ok(['network', 'create', 'net-b'])
    await web('alone', '--network', 'net-b')
    await web('both', '--network', 'net-a', '--network', 'name=net-b,gw-priority=1')
    await web('plain')
    const alone = await addressOn('alone', 'net-b')
    await until(() => reaches('both', alone), { what: 'the common network' })
    await web('other', '--network', 'net-a')
    assert.equal(await reaches('other', alone), false)
    assert.equal(await reaches('plain', alone), false)
    assert.equal(await reaches('other', await addressOn('both', 'net-a')), true)
    const routes = await daemon.ok(['exec', 'both', 'ip', 'route'])
    assert.match(routes, new RegExp(`default via ${(await endpoints('both'))['net-b']?.Gateway} dev eth1`))
    const hosts = await daemon.ok(['exec', 'both', 'cat', '/etc/hosts'])
    for (const name of ['net-a', 'net-b']) assert.ok(hosts.includes(await addressOn('both', name)))
    assert.match(
      await daemon.ok(['exec', 'both', 'cat', '/etc/resolv.conf']),
      /^nameserver 127\.0\.0\.11$[\s\S]*ndots:0/m,
    )
    assert.doesNotMatch(await daemon.ok(['exec', 'plain', 'cat', '/etc/resolv.conf']), /127\.0\.0\.11/)
    await daemon.ok(['rm', '-f', 'alone', 'both', 'plain', 'other'])
    await daemon.ok(['network', 'rm', 'net-a', 'net-b'])
  })

  test('connect and disconnect a running container: devices, routes, files and published ports follow', async () => {
    await daemon.ok(['network', 'create', 'one'])
    await daemon.ok(['network', 'create', '--subnet', `10.218.${octet}.0/24`, 'two'])
    const port = await freePort()
    await web('moving', '--network', 'one', '-p', `127.0.0.1:${port}:80`)
    const page = async () =>
      (await runCommand('curl', ['-s', '--max-time', '2', `http://127.0.0.1:${port}/`])).stdout.trim()
    await until(async () => (await page()) === 'moving', { what: 'the page' })
    await daemon.ok(['network', 'connect', '--ip', `10.218.${octet}.9`, '--alias', 'mv', 'two', 'moving'])
    assert.equal(await addressOn('moving', 'two'), `10.218.${octet}.9`)
    assert.deepEqual((await endpoints('moving')).two?.DNSNames?.slice(0, 2), ['moving', 'mv'])
    assert.match(await daemon.ok(['exec', 'moving', 'ip', 'addr', 'show', 'eth1']), /10\.218\.\d+\.9\/24/)
    assert.match(await daemon.ok(['exec', 'moving', 'cat', '/etc/hosts']), /^10\.218\.\d+\.9\s/m)
    await refused(['network', 'connect', 'two', 'moving'], /endpoint with name moving already exists in network two/)
    const { body } = await daemon.api<{ Containers: Record<string, { Name: string; IPv4Address: string }> }>(
      'GET',
      '/networks/two',
    )
    assert.deepEqual(
      Object.values(body.Containers).map((entry) => [entry.Name, entry.IPv4Address]),
      [['moving', `10.218.${octet}.9/24`]],
    )

    await daemon.ok(['network', 'disconnect', 'one', 'moving'])
    assert.match(await daemon.ok(['exec', 'moving', 'ip', 'route']), /default via 10\.218\.\d+\.1 dev eth1/)
    assert.equal(await page(), 'moving', 'published through the network that is left')
    await refused(['network', 'disconnect', 'one', 'moving'], /is not connected to network one/)
    await daemon.ok(['network', 'disconnect', 'two', 'moving'])
    assert.deepEqual(await endpoints('moving'), {})
    assert.doesNotMatch(await daemon.ok(['exec', 'moving', 'cat', '/etc/hosts']), /10\.218/)
    assert.equal(await page(), '')
    await daemon.ok(['network', 'connect', 'bridge', 'moving'])
    assert.equal(await page(), 'moving')
    assert.doesNotMatch(await daemon.ok(['exec', 'moving', 'cat', '/etc/resolv.conf']), /127\.0\.0\.11/)
    await daemon.ok(['rm', '-f', 'moving'])
    await daemon.ok(['network', 'rm', 'one', 'two'])
  })

  test('connect and disconnect of one that does not run count at its next start', async () => {
    await daemon.ok(['network', 'create', 'later'])
    await daemon.ok(['create', '--name', 'sleeper', 'busybox', 'sleep', '1000'])
    await daemon.ok(['network', 'connect', '--alias', 's', 'later', 'sleeper'])
    assert.deepEqual(Object.keys(await endpoints('sleeper')).sort(), ['bridge', 'later'])
    assert.equal(await addressOn('sleeper', 'later'), '')
    await daemon.ok(['start', 'sleeper'])
    assert.match(await daemon.ok(['exec', 'sleeper', 'ls', '/sys/class/net']), /eth0\neth1\nlo/)
    await daemon.ok(['stop', '-t', '0', 'sleeper'])
    await daemon.ok(['network', 'disconnect', 'bridge', 'sleeper'])
    await daemon.ok(['start', 'sleeper'])
    assert.equal(await daemon.ok(['exec', 'sleeper', 'ls', '/sys/class/net']), 'eth0\nlo')
    assert.deepEqual(Object.keys(await endpoints('sleeper')), ['later'])
    await daemon.ok(['rm', '-f', 'sleeper'])
    await daemon.ok(['network', 'rm', 'later'])
  })

  test('options of one endpoint: device name, sysctls', async () => {
    await daemon.ok(['network', 'create', '-o', 'com.docker.network.container_iface_prefix=net', 'opt'])
    const option = (name: string, value: string) => `driver-opt=com.docker.network.endpoint.${name}=${value}`
    const network = `name=opt,${option('ifname', 'lan0')},"${option('sysctls', 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.forwarding=1')}"`
    const run = ['run', '--rm', '--network', network, 'busybox']
    const values = ['/proc/sys/net/ipv4/conf/lan0/log_martians', '/proc/sys/net/ipv4/conf/lan0/forwarding']
    assert.equal(await daemon.ok([...run, 'cat', ...values]), '1\n1')
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'opt', 'busybox', 'ls', '/sys/class/net']), 'lo\nnet0')
    await refused(
      ['run', '--rm', '--network', `name=opt,${option('sysctls', 'net.ipv4.conf.eth0.x=1')}`, 'busybox', 'true'],
      /unrecognised network interface sysctl/,
    )
    await daemon.ok(['network', 'rm', 'opt'])
  })

  test('modes that have no other networks', async () => {
    await daemon.ok(['network', 'create', 'more'])
    await daemon.ok(['run', '-d', '--name', 'nothing', '--network', 'none', 'busybox', 'sleep', '1000'])
    await daemon.ok(['run', '-d', '--name', 'guest', '--network', 'container:nothing', 'busybox', 'sleep', '1000'])
    await daemon.ok(['run', '-d', '--name', 'hosted', '--network', 'host', 'busybox', 'sleep', '1000'])
    await refused(['network', 'connect', 'more', 'nothing'], /private \(none\) mode/)
    await refused(['network', 'connect', 'more', 'guest'], /container sharing network namespace with another container/)
    await refused(
      ['network', 'connect', 'more', 'hosted'],
      /cannot be disconnected from host network or connected to host/,
    )
    await refused(
      ['network', 'connect', 'host', 'nothing'],
      /cannot be disconnected from host network or connected to host/,
    )
    await daemon.ok(['network', 'disconnect', 'none', 'nothing'])
    await daemon.ok(['network', 'connect', 'more', 'nothing'])
    assert.match(await daemon.ok(['exec', 'guest', 'ls', '/sys/class/net']), /eth0/)
    await daemon.ok(['rm', '-f', 'guest', 'nothing', 'hosted'])
    await daemon.ok(['network', 'rm', 'more'])
  })

  test('events tell of networks', async () => {
    const since = String(Date.now() / 1000)
    const id = await daemon.ok(['network', 'create', 'told'])
    const container = await daemon.ok([
      'run',
      '-d',
      '--name',
      'teller',
      '--network',
      'told',
      'busybox',
      'sleep',
      '1000',
    ])
    await daemon.ok(['network', 'disconnect', 'told', 'teller'])
    await daemon.ok(['rm', '-f', 'teller'])
    await daemon.ok(['network', 'rm', 'told'])
    const format =
      '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}} {{.Actor.Attributes.container}}'
    const until = String(Date.now() / 1000 + 0.1)
    const lines = await daemon.ok([
      'events',
      '--since',
      since,
      '--until',
      until,
      '-f',
      'type=network',
      '--format',
      format,
    ])
    assert.deepEqual(lines.split('\n'), [
      `create ${id} told bridge <no value>`,
      `connect ${id} told bridge ${container}`,
      `disconnect ${id} told bridge ${container}`,
      `destroy ${id} told bridge <no value>`,
    ])
  })
})

describe('a killed daemon', () => {
  test('finds its networks and their containers again; what it was making is gone', async () => {
    const port = await freePort()
    await daemon.ok(['network', 'create', 'kept-a'])
    await daemon.ok(['network', 'create', 'kept-b'])
    await web('survivor', '--network', 'kept-a', '--network', 'kept-b', '-p', `127.0.0.1:${port}:80`)
    await daemon.ok(['run', '-d', '--name', 'loner', '--network', 'kept-a', 'busybox', 'sleep', '1000'])
    await daemon.ok(['network', 'disconnect', 'kept-a', 'loner'])
    const before = await endpoints('survivor')
    const creations = Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => daemon.docker(['network', 'create', `cut-${index}`])),
    )
    await daemon.kill9()
    await creations
    await daemon.start()
    assert.deepEqual(await endpoints('survivor'), before)
    assert.deepEqual(await endpoints('loner'), {})
    const page = async () =>
      (await runCommand('curl', ['-s', '--max-time', '2', `http://127.0.0.1:${port}/`])).stdout.trim()
    assert.equal(await page(), 'survivor')
    await daemon.ok(['network', 'disconnect', 'kept-a', 'survivor'])
    assert.equal(await page(), 'survivor')
    await daemon.ok(['network', 'connect', 'kept-b', 'loner'])
    await until(async () => reaches('loner', await addressOn('survivor', 'kept-b')), { what: 'the common network' })
    // Each network has its bridge, each bridge its network.
    const ids = (
      await daemon.ok(['network', 'ls', '-q', '--no-trunc', '-f', 'driver=bridge', '-f', 'type=custom'])
    ).split('\n')
    const bridges = await runOrThrow('ip', ['-o', 'link', 'show', 'type', 'bridge'])
    const own = readdirSync('/sys/class/net').filter(
      (name) =>
        name.startsWith('br-') && bridges.includes(`alias berth:${networkTag(daemon.dataRoot)}:${name.slice(3)}`),
    )
    assert.deepEqual(own.sort(), ids.map((id) => `br-${id.slice(0, 12)}`).sort())
    await daemon.ok(['rm', '-f', 'survivor', 'loner'])
    await daemon.ok(['network', 'prune', '-f'])
  })

  test('undoes a connect and finishes a disconnect that it was in the middle of', async () => {
    await daemon.ok(['network', 'create', 'half-a'])
    await daemon.ok(['network', 'create', 'half-b'])
    const id = await web('middle', '--network', 'half-a', '--network', 'half-b')
    await daemon.kill9()
    const db = new DatabaseSync(join(daemon.dataRoot, 'berth.db'))
    const row = db.prepare('SELECT record FROM containers WHERE id = ?').get(id)
    const record = JSON.parse(String(row?.record)) as { networks: Record<string, object> }
    // As if a was joined when the daemon died, and b as good as left.
    const text = JSON.stringify({ ...record, networks: { 'half-b': {}, bridge: {} } })
    db.prepare('UPDATE containers SET record = ? WHERE id = ?').run(text, id)
    db.close()
    await daemon.start()
    assert.deepEqual(Object.keys(await endpoints('middle')), ['half-b'])
    assert.equal(await daemon.ok(['exec', 'middle', 'ls', '/sys/class/net']), 'eth1\nlo')
    const gateway = (await endpoints('middle'))['half-b']?.Gateway ?? '?'
    assert.ok((await daemon.ok(['exec', 'middle', 'ip', 'route'])).includes(`default via ${gateway} dev eth1`))
    assert.equal((await daemon.ok(['exec', 'middle', 'cat', '/etc/hosts'])).match(/\t[0-9a-f]{12}$/gm)?.length, 1)
    await daemon.ok(['network', 'rm', 'half-a'])
    await daemon.ok(['restart', '-t', '0', 'middle'])
    assert.deepEqual(Object.keys(await endpoints('middle')), ['half-b'])
    await daemon.ok(['rm', '-f', 'middle'])
    await daemon.ok(['network', 'rm', 'half-b'])
  })
})
