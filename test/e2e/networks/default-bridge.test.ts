/** `bridge` of daemon.json: a bridge of the host as the default one, or no default bridge. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { until } from '../../helpers/wait.ts'

interface Shown {
  readonly NetworkMode: string
  readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly GlobalIPv6Address: string }>>
}

let host: OwnHost
let daemon: TestDaemon

before(async () => {
  host = OwnHost.make()
  daemon = await host.startDaemon()
})
after(() => host?.[Symbol.asyncDispose]())

/** Restarts the daemon with this daemon.json. */
async function restartWith(settings: Readonly<Record<string, unknown>>): Promise<void> {
  await daemon.stop()
  writeFileSync(join(daemon.root, 'daemon.json'), JSON.stringify(settings))
  await daemon.start()
}

/** Starts the daemon with settings that it refuses; returns its message. */
async function refusal(settings: Readonly<Record<string, unknown>>): Promise<string> {
  await daemon.stop()
  writeFileSync(join(daemon.root, 'daemon.json'), JSON.stringify(settings))
  try {
    await daemon.start()
  } catch (error) {
    return String(error)
  }
  throw new Error(`the daemon took ${JSON.stringify(settings)}`)
}

async function networksOf(container: string): Promise<Shown> {
  const format = '{"NetworkMode":{{json .HostConfig.NetworkMode}},"Networks":{{json .NetworkSettings.Networks}}}'
  return JSON.parse(await daemon.ok(['inspect', '--format', format, container]))
}

async function poolsOf(network: string): Promise<unknown> {
  return JSON.parse(await daemon.ok(['network', 'inspect', '--format', '{{json .IPAM.Config}}', network]))
}

function devices(container: string): Promise<string> {
  return daemon.ok(['exec', container, 'sh', '-c', 'ls /sys/class/net'])
}

/** The addresses of the host's bridge, without the one that the kernel gives every device. */
function addresses(device: string): string[] {
  const lines = host.run('ip', '-o', 'addr', 'show', 'dev', device).trim().split('\n')
  const all = lines.map((line) => /inet6? (\S+)/.exec(line)?.[1] ?? '')
  return all.filter((address) => address !== '' && !address.startsWith('fe80:')).sort()
}

describe('bridge: none', () => {
  test('there is no default bridge, and a container without --network has only a loopback device', async () => {
    await restartWith({ bridge: 'none' })
    assert.equal(await daemon.ok(['network', 'ls', '--format', '{{.Name}}']), 'host\nnone')
    assert.doesNotMatch(host.run('ip', '-o', 'link'), /berth0/)
    await daemon.ok(['run', '-d', '--name', 'plain', '-p', '8081:80', 'busybox', 'sleep', '1000'])
    assert.equal(await devices('plain'), 'lo')
    assert.equal(await daemon.ok(['port', 'plain']), '')
    assert.deepEqual(Object.keys((await networksOf('plain')).Networks), ['bridge'])
    const { stderr } = await daemon.docker(['network', 'connect', 'bridge', 'plain'])
    assert.match(stderr, /network bridge not found/)
    assert.match((await daemon.docker(['network', 'create', 'bridge'])).stderr, /predefined/)
    const { code, stderr: gateway } = await daemon.docker([
      ...['run', '--rm', '--add-host', 'me:host-gateway', 'busybox', 'true'],
    ])
    assert.match(`${code} ${gateway}`, /^125 .*unable to derive the IP value for host-gateway/s)
  })

  test('user-defined networks work, also for a container that runs without a network', async () => {
    await daemon.ok(['network', 'create', 'own'])
    await daemon.ok(['network', 'connect', 'own', 'plain'])
    assert.equal(await devices('plain'), 'eth0\nlo')
    await daemon.ok(['network', 'disconnect', 'own', 'plain'])
    assert.equal(await devices('plain'), 'lo')
    await daemon.restart()
    assert.deepEqual(Object.keys((await networksOf('plain')).Networks), ['bridge'])
    await daemon.ok(['network', 'rm', 'own'])
  })

  test('a daemon that has a bridge again gives it to such a container at its start, or at once', async () => {
    await restartWith({})
    assert.equal(await devices('plain'), 'lo')
    await daemon.ok(['network', 'connect', 'bridge', 'plain'])
    assert.equal(await devices('plain'), 'eth0\nlo')
    await daemon.ok(['restart', '-t', '0', 'plain'])
    assert.notEqual((await networksOf('plain')).Networks.bridge?.IPAddress, '')
  })

  test('the default bridge stays while containers run on it', async () => {
    const before = await networksOf('plain')
    await restartWith({ bridge: 'none' })
    assert.deepEqual(await networksOf('plain'), before)
    await daemon.ok(['rm', '-f', 'plain'])
    await daemon.restart()
    assert.equal(await daemon.ok(['network', 'ls', '--format', '{{.Name}}']), 'host\nnone')
    await restartWith({})
  })
})

describe('bridge: NAME', () => {
  before(() => {
    host.run('ip', 'link', 'add', 'lab0', 'type', 'bridge')
    host.run('ip', 'addr', 'add', '10.77.0.1/24', 'dev', 'lab0')
    host.run('ip', 'addr', 'add', 'fd00:77::1/64', 'dev', 'lab0')
    host.run('ip', 'link', 'set', 'lab0', 'up')
  })

  test('its own address gives the range; it keeps its settings when the daemon ends or uses another bridge', async () => {
    await restartWith({ bridge: 'lab0', 'fixed-cidr': '10.77.0.128/25' })
    assert.deepEqual(await poolsOf('bridge'), [
      { Subnet: '10.77.0.0/24', IPRange: '10.77.0.128/25', Gateway: '10.77.0.1' },
    ])
    assert.equal(await daemon.bridgeInterface(), 'lab0')
    assert.doesNotMatch(host.run('ip', '-o', 'link'), /berth0/)
    await daemon.ok(['run', '-d', '--name', 'page', '-p', '8082:80', 'busybox', 'httpd', '-f', '-h', '/etc'])
    assert.match((await networksOf('page')).Networks.bridge?.IPAddress ?? '', /^10\.77\.0\.1[2-9]\d$/)
    await until(async () => (await host.page('8082/passwd')).startsWith('root'), { what: 'the page' })
    assert.match(await daemon.ok(['exec', 'page', 'ip', 'route']), /default via 10\.77\.0\.1 /)

    await daemon.restart()
    assert.match(await host.page('8082/passwd'), /^root/)
    await daemon.ok(['rm', '-f', 'page'])
    assert.deepEqual(addresses('lab0'), ['10.77.0.1/24', 'fd00:77::1/64'])
    await restartWith({})
    assert.notEqual(await daemon.bridgeInterface(), 'lab0')
    assert.deepEqual(addresses('lab0'), ['10.77.0.1/24', 'fd00:77::1/64'])
  })

  test('with ipv6 its IPv6 address is used too', async () => {
    await restartWith({ bridge: 'lab0', ipv6: true })
    assert.deepEqual(await poolsOf('bridge'), [
      { Subnet: '10.77.0.0/24', Gateway: '10.77.0.1' },
      { Subnet: 'fd00:77::/64', Gateway: 'fd00:77::1' },
    ])
    await restartWith({})
    assert.deepEqual(addresses('lab0'), ['10.77.0.1/24', 'fd00:77::1/64'])
  })

  test('a bridge without an address gets one, and loses only that one later', async () => {
    host.run('ip', 'link', 'add', 'lab1', 'type', 'bridge')
    await restartWith({ bridge: 'lab1' })
    const [pool] = (await poolsOf('bridge')) as { Gateway: string; Subnet: string }[]
    assert.deepEqual(addresses('lab1'), [`${pool?.Gateway}/${pool?.Subnet.split('/')[1]}`])
    host.run('ip', 'addr', 'add', '10.78.0.1/24', 'dev', 'lab1')
    await restartWith({ bridge: 'none' })
    assert.deepEqual(addresses('lab1'), ['10.78.0.1/24'])
  })

  test('impossible settings are refused by name', async () => {
    assert.match(await refusal({ bridge: 'lab9' }), /lab9 must be created manually/)
    assert.match(await refusal({ bridge: 'lo' }), /interface lo exists and is not a bridge/)
    assert.match(await refusal({ bridge: 'lab0', bip: '10.77.0.2/24' }), /-b & --bip, mutually exclusive options/)
    assert.match(
      await refusal({ bridge: 'lab0', 'fixed-cidr': '10.79.0.0/25' }),
      /fixed-cidr 10\.79\.0\.0\/25 is not part/,
    )
    await restartWith({})
  })

  test('a network that uses a bridge of the host leaves its addresses', async () => {
    const option = 'com.docker.network.bridge.name=lab0'
    await daemon.ok(['network', 'create', '--subnet', '10.77.0.0/24', '-o', option, 'lab'])
    await daemon.ok(['network', 'rm', 'lab'])
    assert.deepEqual(addresses('lab0'), ['10.77.0.1/24', 'fd00:77::1/64'])
  })
})
