/** Berth and a stock Docker on one host: neither blocks the other's containers, in either order of their start. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { until } from '../../helpers/wait.ts'

let host: OwnHost
let berth: TestDaemon
let docker: StockDocker
const script = 'mkdir -p /www; echo $0 >/www/index.html; exec httpd -f -p 80 -h /www'

before(async () => {
  host = OwnHost.make()
  ;[berth, docker] = await Promise.all([host.startDaemon(), StockDocker.start({ netns: host.netns })])
  const archive = join(docker.root, 'busybox.tar')
  await writeBusyboxArchive({ path: archive, reference: 'busybox:latest' })
  await docker.ok(['load', '-q', '-i', archive])
  rmSync(archive)
  // As dockerd does if it is the first to enable forwarding.
  host.run('iptables', '-P', 'FORWARD', 'DROP')
})
after(async () => {
  await docker?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

function shows(page: string | number, text: string): Promise<boolean> {
  return until(async () => (await host.page(page)) === text, { what: `${text} at ${page}` })
}

async function pings(engine: TestDaemon | StockDocker, name: string, address: string): Promise<boolean> {
  return (await engine.docker(['exec', name, 'ping', '-c', '1', '-W', '2', address])).code === 0
}

test('containers of both engines reach the outside and each other, and their published ports work', async () => {
  await docker.ok(['run', '-d', '--name', 'dd', '-p', '7001:80', 'busybox', 'sh', '-c', script, 'docker'])
  await berth.ok(['run', '-d', '--name', 'bb', '-p', '7002:80', 'busybox', 'sh', '-c', script, 'berth'])
  await berth.ok(['run', '-d', '--name', 'other', 'busybox', 'sleep', '1000'])
  await shows(7001, 'docker')
  await shows(7002, 'berth')
  assert.ok(await pings(docker, 'dd', host.outsideAddress))
  await until(() => pings(berth, 'bb', host.outsideAddress))
  assert.ok(await pings(berth, 'other', await berth.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'bb'])))
})

test('networks that are created later work as well, and leave no trace', async () => {
  await berth.ok(['network', 'create', 'later'])
  await berth.ok([
    'run',
    '-d',
    '--name',
    'cc',
    '--network',
    'later',
    '-p',
    '7003:80',
    'busybox',
    'sh',
    '-c',
    script,
    'later',
  ])
  await shows(7003, 'later')
  assert.ok(await pings(berth, 'cc', host.outsideAddress))
  const chain = /BERTH-\w+/.exec(host.run('iptables', '-S', 'FORWARD'))?.[0] ?? ''
  assert.equal(
    host
      .run('iptables', '-S', chain)
      .split('\n')
      .filter((rule) => rule.startsWith('-A')).length,
    4,
  )
  await berth.ok(['rm', '-f', 'cc'])
  await berth.ok(['network', 'rm', 'later'])
  await until(() => !host.run('iptables', '-S', chain).includes('br-'))
})

test("when one engine rewrites its rules, the other's containers keep working", async () => {
  host.run('iptables', '-F', 'FORWARD')
  await shows(7002, 'berth')
  // A rule that a user puts first applies.
  host.run('iptables', '-I', 'FORWARD', '-d', '172.16.0.0/12', '-p', 'tcp', '-j', 'REJECT')
  assert.equal(await host.page(7002), 'failed')
  host.run('iptables', '-D', 'FORWARD', '-d', '172.16.0.0/12', '-p', 'tcp', '-j', 'REJECT')
  await shows(7002, 'berth')
  await docker.ok(['rm', '-f', 'dd'])
  await docker.ok(['run', '-d', '--name', 'dd', '-p', '7001:80', 'busybox', 'sh', '-c', script, 'docker'])
  await berth.restart()
  await shows(7002, 'berth')
  await docker.ok(['rm', '-f', 'dd'])
})
