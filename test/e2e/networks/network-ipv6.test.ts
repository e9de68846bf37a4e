/** IPv6: networks with automatic and given ranges, the default bridge, published ports, reachability. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Outside } from '../../helpers/networks/outside.ts'
import { UdpClient, UdpEcho } from '../../helpers/networks/udp.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

const disabled = '/proc/sys/net/ipv6/conf/all/disable_ipv6'
const hasIpv6 = existsSync(disabled) && readFileSync(disabled, 'utf8').trim() === '0'
const skip = hasIpv6 ? false : 'this machine has no IPv6'

let daemon: TestDaemon
/** Ranges of this run's own: other runs may use the machine. */
const run = (1 + (process.pid % 60000)).toString(16)

before(async () => {
  if (!hasIpv6) return
  daemon = await TestDaemon.start({
    flags: ['--ipv6', '--fixed-cidr-v6', `fd0c:${run}:1::/64`, '--default-address-pool', 'base=10.240.0.0/12,size=24'],
  })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function web(name: string, ...options: string[]): Promise<string> {
  const script = `mkdir /www; echo ${name} >/www/index.html; exec httpd -f -p 80 -h /www`
  return daemon.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script])
}

async function page(address: string): Promise<string> {
  return (await runCommand('curl', ['-g', '-s', '--max-time', '2', `http://${address}/`])).stdout.trim()
}

async function pageInside(container: string, address: string): Promise<string> {
  const { stdout } = await daemon.docker(['exec', container, 'timeout', '2', 'wget', '-qO-', `http://${address}/`])
  return stdout.trim()
}

function inspect(container: string, template: string): Promise<string> {
  return daemon.ok(['inspect', '-f', template, container])
}

describe('IPv6', { skip }, () => {
  test('a dual-stack network has addresses and routes at once, and ports at every address of the host', async () => {
    await using outside = await Outside.make()
    await daemon.ok(['network', 'create', '--ipv6', 'dual'])
    const config = await daemon.ok(['network', 'inspect', 'dual', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{end}}'])
    assert.match(config, /^[\d.]+\/\d+ fd[0-9a-f]{2}:[0-9a-f:]+\/64 $/)
    const port = await freePort()
    await web('dual-1', '--network', 'dual', '-p', `${port}:80`)
    const address = await inspect('dual-1', '{{.NetworkSettings.Networks.dual.GlobalIPv6Address}}')
    const shown = await daemon.ok(['exec', 'dual-1', 'ip', 'addr', 'show', 'eth0'])
    assert.ok(shown.includes(`inet6 ${address}/64`), shown)
    assert.doesNotMatch(shown, /tentative/)
    assert.match(await daemon.ok(['exec', 'dual-1', 'ip', '-6', 'route']), /default via fd/)
    assert.ok((await daemon.ok(['exec', 'dual-1', 'cat', '/etc/hosts'])).includes(`${address}\t`))
    assert.deepEqual((await daemon.ok(['port', 'dual-1', '80'])).split('\n').sort(), [
      `0.0.0.0:${port}`,
      `[::]:${port}`,
    ])
    await until(async () => (await page(`127.0.0.1:${port}`)) === 'dual-1', { what: 'the page' })
    for (const host of ['[::1]', 'localhost', `[${outside.hostAddress6}]`, `[${address}]`]) {
      const where = host === `[${address}]` ? host : `${host}:${port}`
      assert.equal(await page(where), 'dual-1', where)
    }
    assert.equal(await outside.page(`http://[${outside.hostAddress6}]:${port}/`), 'dual-1')
    assert.equal(await outside.page(`http://[${address}]/`), '', 'not published under its own address')
    // Its own published port, and a neighbor by name.
    assert.equal(await pageInside('dual-1', `[${outside.hostAddress6}]:${port}`), 'dual-1')
    await web('dual-2', '--network', 'dual')
    await until(async () => (await pageInside('dual-1', 'dual-2')) === 'dual-2', { what: 'the neighbor' })
    assert.match(
      await daemon.ok(['exec', 'dual-1', 'ping', '-6', '-c', '1', '-W', '2', outside.address6]),
      /1 packets received/,
    )
    await daemon.kill9()
    assert.equal(await page(`[${outside.hostAddress6}]:${port}`), 'dual-1', 'without the daemon')
    await daemon.start()
    for (const host of ['[::1]', `[${outside.hostAddress6}]`])
      assert.equal(await page(`${host}:${port}`), 'dual-1', host)
    await daemon.ok(['rm', '-f', 'dual-1', 'dual-2'])
    await daemon.ok(['network', 'rm', 'dual'])
    assert.equal(await page(`[::1]:${port}`), '')
  })

  test('a network without IPv4, a given range, static addresses; isolation', async () => {
    await daemon.ok([
      'network',
      'create',
      '--ipv6',
      '--ipv4=false',
      '--subnet',
      `fd0c:${run}:7::/64`,
      '--gateway',
      `fd0c:${run}:7::ff`,
      'six',
    ])
    await daemon.ok(['network', 'create', '--ipv6', '--subnet', `fd0c:${run}:8::/64`, 'other'])
    await web('six-1', '--network', 'six', '--ip6', `FD0C:${run}:7::0001`)
    const endpoint = JSON.parse(await inspect('six-1', '{{json .NetworkSettings.Networks.six}}'))
    assert.deepEqual(
      [endpoint.IPAddress, endpoint.GlobalIPv6Address, endpoint.GlobalIPv6PrefixLen, endpoint.IPv6Gateway],
      ['', `fd0c:${run}:7::1`, 64, `fd0c:${run}:7::ff`],
    )
    await web('six-2', '--network', 'six')
    await web('far', '--network', 'other')
    await until(async () => (await pageInside('six-2', `[fd0c:${run}:7::1]`)) === 'six-1', { what: 'the neighbor' })
    assert.equal(await pageInside('far', `[fd0c:${run}:7::1]`), '')
    const overlap = await daemon.docker(['network', 'create', '--ipv6', '--subnet', `fd0c:${run}:7::/80`, 'x'])
    assert.match(overlap.stderr, /Pool overlaps with other one on this address space/)
    await daemon.ok(['network', 'connect', 'other', 'six-2'])
    assert.equal(await pageInside('six-2', `[fd0c:${run}:7::1]`), 'six-1')
    assert.match(await daemon.ok(['exec', 'six-2', 'ip', '-6', 'addr', 'show', 'eth1']), /inet6 fd0c:[0-9a-f]+:8::/)
    await daemon.ok(['rm', '-f', 'six-1', 'six-2', 'far'])
    await daemon.ok(['network', 'rm', 'six', 'other'])
  })

  test('the default bridge with --ipv6 and --fixed-cidr-v6', async () => {
    const port = await freePort()
    await web('def', '-p', `${port}:80`)
    assert.match(await inspect('def', '{{.NetworkSettings.GlobalIPv6Address}}'), /^fd0c:[0-9a-f]+:1::/)
    await until(async () => (await page(`[::1]:${port}`)) === 'def', { what: 'the page' })
    await daemon.ok(['rm', '-f', 'def'])
  })

  test('an IPv6 address of the host for a container without IPv6: TCP is carried, SCTP is refused by name', async () => {
    await daemon.ok(['network', 'create', 'four'])
    const port = await freePort()
    await web('four-1', '--network', 'four', '-p', `[::1]:${port}:80`)
    await until(async () => (await page(`[::1]:${port}`)) === 'four-1', { what: 'the page' })
    assert.equal(await page(`127.0.0.1:${port}`), '')
    const sctp = ['run', '--rm', '--network', 'four', '-p', `[::1]:${port}:80/sctp`, 'busybox', 'true']
    assert.match((await daemon.docker(sctp)).stderr, /the container has no IPv6 address to forward to/)
    await daemon.ok(['rm', '-f', 'four-1'])
    await daemon.ok(['network', 'rm', 'four'])
  })

  test('UDP at [::1], and at [::] for a container without IPv6: every client gets its own answers', async () => {
    await using outside = await Outside.make()
    await daemon.ok(['network', 'create', '--ipv6', 'both'])
    await daemon.ok(['network', 'create', 'four'])
    for (const network of ['both', 'four']) {
      const name = `${network}-echo`
      // Without an address: at all addresses of the families that the container has.
      const published = network === 'four' ? '[::]::53/udp' : '53/udp'
      await daemon.ok(['run', '-d', '--name', name, '--network', network, '-p', published, 'busybox', 'sleep', '1000'])
      using _echo = new UdpEcho(await inspect(name, '{{.NetworkSettings.SandboxKey}}'), 53)
      const shown = (await daemon.ok(['port', name, '53/udp'])).split('\n')
      const port = Number(
        shown
          .find((line) => line.startsWith('[::]:'))
          ?.split(':')
          .at(-1),
      )
      using one = new UdpClient('::1', port)
      using other = new UdpClient('::1', port)
      using far = new UdpClient(outside.hostAddress6, port, `/run/netns/${outside.netns}`)
      assert.equal(await one.ask('first'), 'first', network)
      assert.deepEqual(await Promise.all([one.ask('one'), other.ask('other')]), ['one', 'other'])
      assert.equal(await one.ask('x'.repeat(8000)), 'x'.repeat(8000))
      assert.equal(await far.ask('from outside'), 'from outside')
      await daemon.kill9()
      await daemon.start()
      assert.equal(await one.ask('again'), 'again', 'after a restart of the daemon')
      await daemon.ok(['rm', '-f', name])
      assert.equal(await one.ask('gone'), '')
      await daemon.ok(['network', 'rm', network])
    }
  })
})
