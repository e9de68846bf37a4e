/** Containers on user-defined networks: joining, leaving, addresses and names; recovery after a crash of the daemon. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { networkTag, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { networkHelpers } from '../../helpers/networks/endpoints.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
/** Ranges of this run's own: other runs may use the machine. */
const octet = process.pid % 250
const { addressOn, endpoints, reaches, refused, web } = networkHelpers(() => daemon)

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', 'base=10.240.0.0/12,size=24'] })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

describe('containers on networks', () => {
  test('bridges are isolated; a container on two of them reaches both', async () => {
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
    const both = await addressOn('both', 'net-a')
    await until(() => reaches('other', both), { what: 'the first network' })
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

  test('connect and disconnect change a running container: devices, routes, files and published ports', async () => {
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

  test('connect and disconnect of a stopped container apply at its next start', async () => {
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

  test('endpoint options set the device name and sysctls', async () => {
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

  test('modes that exclude other networks', async () => {
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

  test('events report changes of networks', async () => {
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
  test('finds its networks and their containers again; unfinished networks are gone', async () => {
    const port = await freePort()
    await daemon.ok(['network', 'create', 'kept-a'])
    await daemon.ok(['network', 'create', 'kept-b'])
    await web('survivor', '--network', 'kept-a', '--network', 'kept-b', '-p', `127.0.0.1:${port}:80`)
    const page = async () =>
      (await runCommand('curl', ['-s', '--max-time', '2', `http://127.0.0.1:${port}/`])).stdout.trim()
    await until(async () => (await page()) === 'survivor', { what: 'the page' })
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

  test('undoes an interrupted connect and finishes an interrupted disconnect', async () => {
    await daemon.ok(['network', 'create', 'half-a'])
    await daemon.ok(['network', 'create', 'half-b'])
    const id = await web('middle', '--network', 'half-a', '--network', 'half-b')
    await daemon.kill9()
    const db = new DatabaseSync(join(daemon.dataRoot, 'berth.db'))
    const row = db.prepare('SELECT record FROM containers WHERE id = ?').get(id)
    const record = JSON.parse(String(row?.record)) as { networks: Record<string, object> }
    // As if the daemon died during the connect to half-a and near the end of the disconnect from half-b.
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
