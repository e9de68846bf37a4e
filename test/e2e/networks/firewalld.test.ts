/** Debian's firewalld on the test's own host: containers reach the outside, and published ports are open or obey its
 *  zones. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Firewalld } from '../../helpers/networks/firewalld.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { until } from '../../helpers/wait.ts'

const script = 'mkdir -p /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'

let host: OwnHost
let firewalld: Firewalld
let daemon: TestDaemon

before(async () => {
  host = OwnHost.make()
  firewalld = await Firewalld.on(host)
  daemon = await host.startDaemon([], firewalld.env)
  await daemon.ok(['run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'sh', '-c', script])
})
after(async () => {
  await firewalld?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

function answers(port: number): Promise<boolean> {
  return until(async () => (await host.page(port)) === 'hello', { what: `port ${port}` })
}

async function reachesOut(container: string): Promise<boolean> {
  return (await daemon.docker(['exec', container, 'ping', '-c', '1', '-W', '2', host.outsideAddress])).code === 0
}

function trusted(): string[] {
  return firewalld.run('--zone=trusted', '--list-interfaces').split(' ').sort()
}

test('on every network, published ports are open, and containers reach the outside and the host', async () => {
  await answers(8080)
  assert.equal(firewalld.run('--get-default-zone'), 'public')
  assert.ok(await reachesOut('web'))
  await daemon.ok(['network', 'create', 'own'])
  await daemon.ok(['run', '-d', '--name', 'two', '--network', 'own', '-p', '8082:80', 'busybox', 'sh', '-c', script])
  await answers(8082)
  assert.ok(await reachesOut('two'))
  const gateway = await daemon.ok(['network', 'inspect', 'own', '-f', '{{(index .IPAM.Config 0).Gateway}}'])
  assert.equal((await daemon.docker(['exec', 'two', 'ping', '-c', '1', '-W', '2', gateway])).code, 0)
  const get = ['exec', 'two', 'wget', '-q', '-O', '-', `http://${host.address}:8080/`]
  assert.equal(await daemon.ok(get), 'hello')
})

test('connections survive a reload of firewalld, which forgets the bridges', async () => {
  firewalld.run('--reload')
  await until(() => reachesOut('web'), { what: 'the way out of web' })
  await until(() => reachesOut('two'), { what: 'the way out of two' })
  await answers(8080)
  firewalld.run('--complete-reload')
  await until(() => reachesOut('two'), { what: 'the way out of two' })
  await answers(8082)
})

test('a removed network leaves no device in the zone, and a zone that the user chose stays', async () => {
  const bridge = await daemon.bridgeInterface()
  await daemon.ok(['rm', '-f', 'two'])
  await daemon.ok(['network', 'rm', 'own'])
  await until(() => trusted().join() === bridge, { what: 'the zone' })
  firewalld.run('--zone=drop', `--change-interface=${bridge}`)
  await daemon.restart()
  assert.equal(firewalld.run(`--get-zone-of-interface=${bridge}`), 'drop')
  firewalld.run('--zone=drop', `--remove-interface=${bridge}`)
  await until(() => trusted().includes(bridge), { what: 'the zone' })
})

test('firewalld can start after the daemon', async () => {
  await firewalld.stop()
  assert.ok(await reachesOut('web'))
  await firewalld.start()
  await until(() => reachesOut('web'), { what: 'the way out of web' })
})

test("with host-rules, published ports obey firewalld's zones", async () => {
  await using strict = OwnHost.make()
  await using zones = await Firewalld.on(strict)
  const engine = await strict.startDaemon(['--firewall-published', 'host-rules'], zones.env)
  await engine.ok(['run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'sh', '-c', script])
  const page = () => strict.page(8080)
  await until(async () => (await strict.page(8080, '127.0.0.1', strict.netns)) === 'hello', { what: 'the page' })
  assert.equal(await page(), 'failed')
  zones.run('--permanent', '--add-port=8080/tcp')
  zones.run('--reload')
  await until(async () => (await page()) === 'hello', { what: 'the opened port' })
  // Another zone for the neighbor, with other open ports.
  zones.run('--zone=internal', `--add-source=${strict.outsideAddress}`)
  assert.equal(await page(), 'failed')
  zones.run('--zone=internal', '--add-port=8080/tcp')
  await until(async () => (await page()) === 'hello', { what: 'the port in the other zone' })
  zones.run('--zone=internal', `--add-rich-rule=rule family=ipv4 source address=${strict.outsideAddress} drop`)
  assert.equal(await page(), 'failed')
})
