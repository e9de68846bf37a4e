/** `firewall.published = "host-rules"` under Debian's ufw, and ufw's rules for forwarding, on a host of the test's own. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { after, before, test } from 'node:test'
import { bindDatagramSocket, inNetworkNamespace } from '../../../src/sys/index.ts'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { Ufw } from '../../helpers/networks/ufw.ts'
import { until } from '../../helpers/wait.ts'

let host: OwnHost
let ufw: Ufw
let daemon: TestDaemon
let echo: Socket

before(async () => {
  host = OwnHost.make()
  ufw = Ufw.on(host)
  daemon = await host.startDaemon(['--firewall-published', 'host-rules'])
  const script = '#!/bin/sh\\necho; echo $REMOTE_ADDR'
  const page = `mkdir -p /www/cgi-bin; echo hello >/www/index.html; printf '${script}' >/www/cgi-bin/client
    chmod +x /www/cgi-bin/client; exec httpd -f -p 80 -h /www`
  const ports = ['-p', '8080:80', '-p', `${host.address}:8081:80`]
  await daemon.ok(['run', '-d', '--name', 'web', ...ports, 'busybox', 'sh', '-c', page])
  await daemon.ok(['run', '-d', '--name', 'udp', '-p', '7000:7/udp', 'busybox', 'sleep', '1000'])
  // busybox has no UDP server that answers more than one client.
  const netns = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.SandboxKey}}', 'udp'])
  echo = createSocket('udp4').bind({ fd: inNetworkNamespace(netns, () => bindDatagramSocket('0.0.0.0', 7)).fd })
  echo.on('message', (message, from) => echo.send(message, from.port, from.address))
})
after(async () => {
  echo?.close()
  ufw?.[Symbol.dispose]()
  await host?.[Symbol.asyncDispose]()
})

function answers(port: number): Promise<string> {
  return until(async () => ((await host.page(port)) === 'hello' ? 'yes' : undefined), { what: `port ${port}` })
}

/** Sends datagrams from the neighbor until one comes back; gives up after a few. */
async function echoes(port: number, tries: number): Promise<boolean> {
  const socket = createSocket('udp4')
  let answered = false
  socket.on('message', () => {
    answered = true
  })
  socket.bind({ fd: inNetworkNamespace(host.outside, () => bindDatagramSocket('0.0.0.0')).fd })
  try {
    for (let number = 0; number < tries && !answered; number += 1) {
      socket.send('hello', port, host.address)
      await until(() => answered, { timeoutMs: 300 }).catch(() => {})
    }
    return answered
  } finally {
    socket.close()
  }
}

test("without rules of the host, published ports are open, and the client's address is kept", async () => {
  await answers(8080)
  await answers(8081)
  assert.match(await host.page('8080/cgi-bin/client'), new RegExp(`\\b${host.outsideAddress}\\b`))
  assert.ok(await echoes(7000, 20))
})

test('ufw blocks and opens a published port', async () => {
  ufw.run('--force', 'enable')
  assert.equal(await host.page(8080), 'failed')
  assert.equal(await host.page(8081), 'failed')
  assert.equal(await echoes(7000, 3), false)
  // From the host itself, like every local program.
  assert.equal(await host.page(8080, '127.0.0.1', host.netns), 'hello')

  ufw.run('allow', '8080/tcp')
  await answers(8080)
  assert.equal(await host.page(8081), 'failed')
  ufw.run('allow', 'from', host.outsideAddress, 'to', 'any', 'port', '7000', 'proto', 'udp')
  assert.ok(await echoes(7000, 20))

  ufw.run('delete', 'allow', '8080/tcp')
  assert.equal(await host.page(8080), 'failed')
  ufw.run('allow', 'from', '203.0.113.7', 'to', 'any', 'port', '8080', 'proto', 'tcp')
  assert.equal(await host.page(8080), 'failed')
})

test('under ufw, which drops forwarded packets, containers reach the outside, each other and published ports', async () => {
  const get = (name: string, url: string) =>
    daemon.docker(['exec', name, 'wget', '-q', '-O', '-', url]).then(({ stdout }) => stdout.trim())
  const address = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'web'])
  await daemon.ok(['network', 'create', 'apart'])
  await daemon.ok(['run', '-d', '--name', 'other', '--network', 'apart', 'busybox', 'sleep', '1000'])
  await daemon.ok(['run', '-d', '--name', 'near', 'busybox', 'sleep', '1000'])
  assert.equal(await get('near', `http://${address}/`), 'hello')
  // ufw blocks 8080 for everyone; the engine still lets its own containers in.
  assert.equal(await get('other', `http://${host.address}:8080/`), 'hello')
  assert.equal((await daemon.docker(['exec', 'other', 'ping', '-c', '1', '-W', '2', host.outsideAddress])).code, 0)
})

test('rules apply after a restart of the daemon and while none runs', async () => {
  ufw.run('allow', '8081/tcp')
  await answers(8081)
  await daemon.kill9()
  assert.equal(await host.page(8080), 'failed')
  await answers(8081)
  await daemon.start()
  assert.equal(await host.page(8080), 'failed')
  await answers(8081)
  ufw.run('reload')
  await answers(8081)
})

test('ports at IPv6 addresses follow the rules as well', async () => {
  const [own, outside] = ['2001:db8::1', '2001:db8::2']
  host.run('ip', '-6', 'addr', 'add', `${own}/64`, 'dev', 'lan0', 'nodad')
  await host.runOutside(['ip', '-6', 'addr', 'add', `${outside}/64`, 'dev', 'eth0', 'nodad'])
  await daemon.ok(['network', 'create', '--ipv6', 'six'])
  const page = 'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'
  await daemon.ok(['run', '-d', '--name', 'six', '--network', 'six', '-p', '8090:80', 'busybox', 'sh', '-c', page])
  const answer = () => host.page(8090, `[${own}]`)
  assert.equal(await answer(), 'failed')
  ufw.run('allow', '8090/tcp')
  await until(async () => (await answer()) === 'hello')
  ufw.run('delete', 'allow', '8090/tcp')
  assert.equal(await answer(), 'failed')
})

test('rules of a firewall written in nftables apply as well', async () => {
  ufw.run('disable')
  await answers(8080)
  host.run(
    'nft',
    'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy accept; }',
  )
  host.run('nft', 'add rule inet mine input tcp dport 8080 reject with tcp reset')
  assert.equal(await host.page(8080), 'failed')
  await answers(8081)
  host.run('nft', 'delete', 'table', 'inet', 'mine')
  await answers(8080)
})
