/** How a network and the outside reach each other: gateway modes, translation, macvlan. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Outside } from '../../helpers/networks/outside.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let outside: Outside

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', 'base=10.240.0.0/12,size=24'] })
  await daemon.loadBusybox()
  outside = await Outside.make()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await outside?.[Symbol.asyncDispose]()
})

/** A web server on ports 80 and 81 that returns its own name. */
function web(name: string, ...options: string[]): Promise<string> {
  const script = `mkdir /www; echo ${name} >/www/index.html; httpd -p 81 -h /www; exec httpd -f -p 80 -h /www`
  return daemon.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script])
}

function network(name: string, ...options: string[]): Promise<string> {
  return daemon.ok(['network', 'create', ...options, name])
}

function option(name: string, value: string): string[] {
  return ['-o', `com.docker.network.bridge.${name}=${value}`]
}

async function addressOn(container: string, name: string, field = 'IPAddress'): Promise<string> {
  return daemon.ok(['inspect', '-f', `{{(index .NetworkSettings.Networks "${name}").${field}}}`, container])
}

async function page(address: string): Promise<string> {
  return (await runCommand('curl', ['-g', '-s', '--max-time', '2', `http://${address}/`])).stdout.trim()
}

async function pageInside(container: string, address: string): Promise<string> {
  const { stdout } = await daemon.docker(['exec', container, 'timeout', '2', 'wget', '-qO-', `http://${address}/`])
  return stdout.trim()
}

/** The client address that a server outside sees in a container's request. */
async function seenFrom(container: string): Promise<string> {
  const script = `require('http').createServer((q, s) => s.end(q.socket.remoteAddress.replace('::ffff:', ''))).listen(8000)`
  const server = new RunningCommand('ip', ['netns', 'exec', outside.netns, process.execPath, '-e', script])
  try {
    return await until(() => pageInside(container, `${outside.address}:8000`), { what: 'the server outside' })
  } finally {
    server.kill('SIGKILL')
    await server.ended
  }
}

async function clean(containers: readonly string[], networks: readonly string[]): Promise<void> {
  await daemon.ok(['rm', '-f', ...containers])
  await daemon.ok(['network', 'rm', ...networks])
}

/** Whether the kernel has this kind of device. */
function kernelHas(kind: string, ...options: string[]): boolean {
  const name = `bk${process.pid}`.slice(0, 15)
  const made = spawnSync('ip', ['link', 'add', name, ...options, 'type', kind, ...(kind === 'vlan' ? ['id', '9'] : [])])
  if (made.status === 0) spawnSync('ip', ['link', 'del', name])
  return made.status === 0
}

describe('gateway modes', () => {
  test("nat: only published ports are reachable; the host's address is the source", async () => {
    await network('nat')
    const port = await freePort()
    await web('nat-1', '--network', 'nat', '-p', `${port}:80`)
    const address = await addressOn('nat-1', 'nat')
    await until(async () => (await page(`${outside.hostAddress}:${port}`)) === 'nat-1', { what: 'the page' })
    assert.equal(await outside.page(`http://${outside.hostAddress}:${port}/`), 'nat-1')
    assert.equal(await outside.page(`http://${address}/`), '')
    assert.equal(await seenFrom('nat-1'), outside.hostAddress)
    await clean(['nat-1'], ['nat'])
  })

  test("routed: published ports at the container's own address, which is also the source", async () => {
    await network(
      'routed',
      '--ipv6',
      ...option('gateway_mode_ipv4', 'routed'),
      ...option('gateway_mode_ipv6', 'routed'),
    )
    const port = await freePort()
    await web('routed-1', '--network', 'routed', '-p', `${port}:80`)
    const address = await addressOn('routed-1', 'routed')
    const address6 = await addressOn('routed-1', 'routed', 'GlobalIPv6Address')
    await until(async () => (await page(address)) === 'routed-1', { what: 'the page' })
    for (const host of [address, `[${address6}]`]) {
      assert.equal(await outside.page(`http://${host}/`), 'routed-1')
      assert.equal(await outside.page(`http://${host}:81/`), '', 'not published')
    }
    assert.equal(await page(`127.0.0.1:${port}`), '', 'no port of the host')
    assert.equal(await daemon.ok(['port', 'routed-1']), '')
    assert.match(await daemon.ok(['ps', '--filter', 'name=routed-1', '--format', '{{.Ports}}']), /^80\/tcp/)
    assert.equal(await seenFrom('routed-1'), address)
    // Rebuilt rules have the port too.
    await daemon.kill9()
    await daemon.start()
    assert.equal(await outside.page(`http://${address}/`), 'routed-1')
    await clean(['routed-1'], ['routed'])
    assert.equal(await outside.page(`http://${address}/`), '')
  })

  test("trusted interfaces of the host: published ports at the container's own address, with translation outwards", async () => {
    await network('trusting', '--ipv6', ...option('trusted_host_interfaces', `lo:${outside.near}`))
    await network('strange', ...option('trusted_host_interfaces', 'lo'))
    const port = await freePort()
    const again = await freePort()
    await web('trusting-1', '--network', 'trusting', '-p', `${port}:80`, '-p', `127.0.0.1:${again}:80`)
    await web('strange-1', '--network', 'strange', '-p', '80')
    const address = await addressOn('trusting-1', 'trusting')
    const address6 = await addressOn('trusting-1', 'trusting', 'GlobalIPv6Address')
    const foreign = await addressOn('strange-1', 'strange')
    for (const host of [address, `[${address6}]`, `${outside.hostAddress}:${port}`]) {
      assert.equal(await until(() => outside.page(`http://${host}/`), { what: `the page of ${host}` }), 'trusting-1')
    }
    // Unpublished ports stay closed, and so does a network that trusts other interfaces.
    for (const host of [`${address}:81`, foreign]) assert.equal(await outside.page(`http://${host}/`), '')
    assert.equal(await seenFrom('trusting-1'), outside.hostAddress)
    // If one of two ways to a port is removed, the port stays open.
    await daemon.berth(['update', '--unpublish', String(again), 'trusting-1'])
    assert.equal(await outside.page(`http://${address}/`), 'trusting-1')
    await daemon.berth(['update', '--unpublish', String(port), 'trusting-1'])
    assert.equal(await outside.page(`http://${address}/`), '')
    await clean(['trusting-1', 'strange-1'], ['trusting', 'strange'])
  })

  test("nat-unprotected: every port at the container's own address, and published ports at the host's", async () => {
    await network('open', ...option('gateway_mode_ipv4', 'nat-unprotected'))
    const port = await freePort()
    await web('open-1', '--network', 'open', '-p', `${port}:80`)
    const address = await addressOn('open-1', 'open')
    await until(async () => (await page(address)) === 'open-1', { what: 'the page' })
    assert.equal(await outside.page(`http://${address}:81/`), 'open-1')
    assert.equal(await outside.page(`http://${outside.hostAddress}:${port}/`), 'open-1')
    assert.equal(await seenFrom('open-1'), outside.hostAddress)
    await clean(['open-1'], ['open'])
  })

  test('isolated: not even the host reaches the network', async () => {
    const refused = await daemon.docker(['network', 'create', ...option('gateway_mode_ipv4', 'isolated'), 'x'])
    assert.match(refused.stderr, /'isolated' can only be used for an internal network/)
    const id = await network('isolated', '--internal', ...option('gateway_mode_ipv4', 'isolated'))
    await web('isolated-1', '--network', 'isolated')
    await web('isolated-2', '--network', 'isolated')
    const address = await addressOn('isolated-1', 'isolated')
    await until(async () => (await pageInside('isolated-2', address)) === 'isolated-1', { what: 'the neighbor' })
    assert.doesNotMatch(await runOrThrow('ip', ['addr', 'show', `br-${id.slice(0, 12)}`]), /inet /)
    assert.equal(await page(address), '')
    await clean(['isolated-1', 'isolated-2'], ['isolated'])
  })

  test('internal: nothing goes in or out, not even through published ports', async () => {
    await network('inner', '--internal')
    await network('outer')
    const port = await freePort()
    await web('inner-1', '--network', 'inner', '-p', `${port}:80`)
    await web('outer-1', '--network', 'outer')
    const address = await addressOn('inner-1', 'inner')
    await until(async () => (await page(address)) === 'inner-1', { what: 'the page, for the host' })
    assert.equal(await outside.page(`http://${address}/`), '')
    assert.equal(await page(`127.0.0.1:${port}`), '')
    assert.equal(await pageInside('outer-1', address), '')
    const out = await daemon.docker(['exec', 'inner-1', 'ping', '-c', '1', '-W', '1', outside.address])
    assert.notEqual(out.code, 0)
    // A route that the container adds does not lead out either.
    await daemon.ok([
      'run',
      '--rm',
      '--cap-add',
      'NET_ADMIN',
      '--network',
      'container:inner-1',
      'busybox',
      ...[
        'ip',
        'route',
        'add',
        'default',
        'via',
        await daemon.ok(['network', 'inspect', 'inner', '-f', '{{(index .IPAM.Config 0).Gateway}}']),
      ],
    ])
    assert.notEqual((await daemon.docker(['exec', 'inner-1', 'ping', '-c', '1', '-W', '1', outside.address])).code, 0)
    // Ports are published once the container has a network that can publish them.
    await daemon.ok(['network', 'connect', 'outer', 'inner-1'])
    assert.equal(await page(`127.0.0.1:${port}`), 'inner-1')
    await clean(['inner-1', 'outer-1'], ['inner', 'outer'])
  })

  test('no masquerading, and no icc', async () => {
    await network('bare', ...option('enable_ip_masquerade', 'false'), ...option('enable_icc', 'false'))
    const port = await freePort()
    await web('bare-1', '--network', 'bare', '-p', `${port}:80`)
    await web('bare-2', '--network', 'bare')
    const address = await addressOn('bare-1', 'bare')
    await until(async () => (await page(address)) === 'bare-1', { what: 'the page' })
    assert.equal(await pageInside('bare-2', address), '')
    assert.equal(await outside.page(`http://${outside.hostAddress}:${port}/`), 'bare-1')
    assert.equal(await seenFrom('bare-1'), address)
    await clean(['bare-1', 'bare-2'], ['bare'])
  })

  test('the binding address and the source address of a network are used', async () => {
    const second = `198.51.100.${1 + (process.pid % 250)}`
    await runOrThrow('ip', ['addr', 'add', `${second}/32`, 'dev', 'lo'])
    try {
      await network(
        'bound',
        ...option('host_binding_ipv4', '127.0.0.1'),
        '-o',
        `com.docker.network.host_ipv4=${second}`,
      )
      const port = await freePort()
      await web('bound-1', '--network', 'bound', '-p', `${port}:80`)
      assert.equal(await daemon.ok(['port', 'bound-1', '80']), `127.0.0.1:${port}`)
      await until(async () => (await page(`127.0.0.1:${port}`)) === 'bound-1', { what: 'the page' })
      assert.equal(await outside.page(`http://${outside.hostAddress}:${port}/`), '')
      assert.equal(await seenFrom('bound-1'), second)
      await clean(['bound-1'], ['bound'])
    } finally {
      await runCommand('ip', ['addr', 'del', `${second}/32`, 'dev', 'lo'])
    }
  })

  test('a bridge of the user is used, and not removed', async () => {
    const mine = `10.221.${process.pid % 250}`
    const device = `ub${process.pid}`.slice(0, 15)
    await runOrThrow('ip', ['link', 'add', device, 'type', 'bridge'])
    try {
      await network('mine', '--subnet', `${mine}.0/24`, ...option('name', device))
      await web('mine-1', '--network', 'mine')
      await until(async () => (await page(`${mine}.2`)) === 'mine-1', { what: 'the page' })
      const other = await daemon.docker(['network', 'create', ...option('name', device), 'x'])
      assert.match(other.stderr, /networks have same bridge name/)
      await clean(['mine-1'], ['mine'])
      assert.doesNotMatch(await runOrThrow('ip', ['addr', 'show', device]), /inet 10\.221/)
    } finally {
      spawnSync('ip', ['link', 'del', device])
    }
  })
})

describe('macvlan and ipvlan', () => {
  test("macvlan: containers are hosts on the parent's network", async () => {
    if (!kernelHas('macvlan', 'link', outside.near)) {
      assert.match((await daemon.docker(['network', 'create', '-d', 'macvlan', 'x'])).stderr, /this kernel has no/)
      return
    }
    const subnet = ['--subnet', '10.222.0.0/24', '--gateway', '10.222.0.1']
    await runOrThrow('ip', ['-n', outside.netns, 'addr', 'add', '10.222.0.1/24', 'dev', 'cable'])
    await network('mac', '-d', 'macvlan', ...subnet, '-o', `parent=${outside.near}`)
    await web('mac-1', '--network', 'mac', '--ip', '10.222.0.9', '--mac-address', '02:00:0a:de:00:09')
    await web('mac-2', '--network', 'mac')
    await until(async () => (await pageInside('mac-2', '10.222.0.9')) === 'mac-1', { what: 'the neighbor' })
    assert.equal(await outside.page('http://10.222.0.9/'), 'mac-1')
    assert.equal(await pageInside('mac-2', 'mac-1'), 'mac-1', 'by name')
    assert.match(
      await daemon.ok(['exec', 'mac-1', 'ip', 'addr', 'show', 'eth0']),
      /02:00:0a:de:00:09[\s\S]*10\.222\.0\.9\/24/,
    )
    assert.equal(await seenFrom('mac-1'), '10.222.0.9')
    await daemon.kill9()
    await daemon.start()
    await daemon.ok(['network', 'disconnect', 'mac', 'mac-2'])
    await daemon.ok(['network', 'connect', 'mac', 'mac-2'])
    await until(async () => (await pageInside('mac-2', '10.222.0.9')) === 'mac-1', { what: 'the neighbor again' })
    await clean(['mac-1', 'mac-2'], ['mac'])

    await network('priv', '-d', 'macvlan', ...subnet, '-o', `parent=${outside.near}`, '-o', 'macvlan_mode=private')
    await web('priv-1', '--network', 'priv')
    await web('priv-2', '--network', 'priv')
    const address = await addressOn('priv-1', 'priv')
    await until(async () => (await outside.page(`http://${address}/`)) === 'priv-1', { what: 'the page' })
    assert.equal(await pageInside('priv-2', address), '')
    await clean(['priv-1', 'priv-2'], ['priv'])

    await network('pass', '-d', 'macvlan', ...subnet, '-o', `parent=${outside.near}`, '-o', 'macvlan_mode=passthru')
    await web('pass-1', '--network', 'pass')
    const alone = await addressOn('pass-1', 'pass')
    await until(async () => (await outside.page(`http://${alone}/`)) === 'pass-1', { what: 'the page' })
    await clean(['pass-1'], ['pass'])
  })

  test('unknown modes, unknown parents and kinds that the kernel lacks are refused', async () => {
    const create = async (...args: string[]) => (await daemon.docker(['network', 'create', ...args, 'x'])).stderr
    assert.match(await create('-d', 'macvlan', '-o', 'macvlan_mode=foo'), /requested macvlan mode 'foo' is not valid/)
    assert.match(await create('-d', 'ipvlan', '-o', 'ipvlan_mode=foo'), /requested ipvlan mode 'foo' is not valid/)
    assert.match(await create('-d', 'macvlan', '-o', 'parent=nosuch0'), /invalid subinterface vlan name nosuch0/)
    assert.match(await create('-d', 'macvlan', '-o', 'parent=lo'), /loopback interface is not a valid macvlan parent/)
    for (const [kind, ...args] of [
      ['dummy', '-d', 'macvlan'],
      ['vlan', '-d', 'macvlan', '-o', `parent=${outside.near}.9`],
      ['ipvlan', '-d', 'ipvlan', '-o', `parent=${outside.near}`],
    ] as const) {
      const isThere = kernelHas(kind, ...(kind === 'dummy' ? [] : ['link', outside.near]))
      const said = await create(...args, '--subnet', '10.223.0.0/24')
      const run = await daemon.docker(['run', '--rm', '--network', 'x', 'busybox', 'true'])
      assert.equal(run.code === 0, isThere, run.stderr)
      if (!isThere) assert.match(said + run.stderr, new RegExp(`this kernel has no ${kind}`))
      await daemon.docker(['network', 'rm', 'x'])
    }
  })
})
