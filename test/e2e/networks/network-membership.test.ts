/** What a stopped container keeps of its networks, and what networks without devices report about their containers. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--host-gateway-ip', '192.0.2.1', '--host-gateway-ip', 'fd00::1'] })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Shown {
  readonly Name: string
  readonly EndpointID: string
}

async function containersOf(network: string): Promise<Readonly<Record<string, Shown>>> {
  return JSON.parse(await daemon.ok(['network', 'inspect', '-f', '{{json .Containers}}', network]))
}

function field(container: string, network: string, name: string): Promise<string> {
  return daemon.ok(['inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").${name}}}`, container])
}

test('host and none list their containers while they run', async () => {
  for (const network of ['host', 'none']) {
    const id = await daemon.ok([
      'run',
      '-d',
      '--network',
      network,
      '--name',
      `on-${network}`,
      'busybox',
      'sleep',
      '1000',
    ])
    const { [id]: shown } = await containersOf(network)
    assert.equal(shown?.Name, `on-${network}`)
    assert.match(shown.EndpointID, /^[0-9a-f]{64}$/)
    assert.equal(await field(id, network, 'EndpointID'), shown.EndpointID)
    await daemon.ok(['stop', '-t', '0', id])
    assert.equal((await containersOf(network))[id], undefined)
    assert.equal(await field(id, network, 'EndpointID'), '')
    await daemon.ok(['rm', id])
  }
})

test('a container that ran belongs to its network by id; one that never ran joins any network of the name', async () => {
  const first = await daemon.ok(['network', 'create', 'again'])
  await daemon.ok(['run', '-d', '--network', 'again', '--name', 'ran', 'busybox', 'sleep', '1000'])
  await daemon.ok(['create', '--network', 'again', '--name', 'new', 'busybox', 'sleep', '1000'])
  await daemon.ok(['stop', '-t', '0', 'ran'])
  await daemon.ok(['network', 'rm', 'again'])
  assert.match((await daemon.docker(['start', 'new'])).stderr, /network again not found/)
  const second = await daemon.ok(['network', 'create', 'again'])
  assert.match((await daemon.docker(['start', 'ran'])).stderr, new RegExp(`network ${first} not found`))
  // The exit code of the previous run stays, as with Docker.
  assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'ran']), 'exited 137')
  assert.equal(await field('ran', 'again', 'NetworkID'), first)
  await daemon.ok(['start', 'new'])
  assert.equal(await field('new', 'again', 'NetworkID'), second)
  // After disconnect and connect, it belongs to the new network.
  await daemon.ok(['network', 'disconnect', 'again', 'ran'])
  await daemon.ok(['network', 'connect', 'again', 'ran'])
  await daemon.ok(['start', 'ran'])
  assert.equal(await field('ran', 'again', 'NetworkID'), second)
  await daemon.ok(['rm', '-f', 'ran', 'new'])
  await daemon.ok(['network', 'rm', 'again'])
})

test('each endpoint of a create request has its own MAC address', async () => {
  for (const name of ['mac-a', 'mac-b']) await daemon.ok(['network', 'create', name])
  const EndpointsConfig = { 'mac-a': {}, 'mac-b': { MacAddress: '02:42:00:00:00:0b' } }
  const body = {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'mac-a' },
    NetworkingConfig: { EndpointsConfig },
  }
  const { status } = await daemon.api('POST', '/v1.51/containers/create?name=macs', body)
  assert.equal(status, 201)
  await daemon.ok(['start', 'macs'])
  assert.equal(await field('macs', 'mac-b', 'MacAddress'), '02:42:00:00:00:0b')
  assert.notEqual(await field('macs', 'mac-a', 'MacAddress'), '02:42:00:00:00:0b')
  await daemon.ok(['rm', '-f', 'macs'])
  await daemon.ok(['network', 'rm', 'mac-a', 'mac-b'])
})

test('host-gateway is an address of each family', async () => {
  const hosts = await daemon.inside(['--network', 'none', '--add-host', 'up:host-gateway'], 'cat /etc/hosts')
  assert.match(hosts, /^192\.0\.2\.1\tup\nfd00::1\tup$/m)
})
