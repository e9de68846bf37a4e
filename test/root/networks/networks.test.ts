/** The default bridge on the real kernel: which addresses reach each other, and that nothing is left behind. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isKind, messageOf } from '../../../src/base/index.ts'
import type { Networks, Sandbox } from '../../../src/network/index.ts'
import { deleteLink, inNetworkNamespace, RouteSocket, runNft } from '../../../src/sys/index.ts'
import { until } from '../../helpers/wait.ts'
import {
  answerUdp,
  get,
  linkNames,
  neighbour,
  networkHost,
  networkRequest,
  publish,
  runIn,
  sandboxRequest,
  serve,
  skip,
} from './namespaces.ts'

const run = promisify(execFile)

async function tableText(table: string): Promise<string> {
  return (await run('nft', ['list', 'table', 'ip', table])).stdout
}

function tableOf(bridgeVeth: string): string {
  return `berth-${bridgeVeth.slice(2, 7)}`
}

test('a published port is reachable from the host, from neighbors and from containers', { skip }, async (t) => {
  const networks = await networkHost(t).open()
  const outside = neighbour(t)
  const ports = [publish(80), publish(80, { hostIp: '127.0.0.1' })]
  const web = await networks.sandboxes.setUp(sandboxRequest('web', { ports }))
  const other = await networks.sandboxes.setUp(sandboxRequest('other'))
  serve(t, web.netnsPath, 80)
  const [endpoint] = web.endpoints
  const port = web.ports[0]?.hostPort ?? 0
  const localPort = web.ports[1]?.hostPort ?? 0
  assert.ok(port >= 49000 && port <= 49900)

  const gateway = endpoint?.gateway ?? ''
  assert.equal(await get(`http://127.0.0.1:${port}/`), gateway)
  assert.equal(await get(`http://${outside.hostAddress}:${port}/`), outside.hostAddress)
  assert.equal(await get(`http://${outside.hostAddress}:${port}/`, outside.netns), outside.address)
  assert.equal(await get(`http://${gateway}:${port}/`, web.netnsPath), gateway)
  assert.equal(await get(`http://${gateway}:${port}/`, other.netnsPath), gateway)
  assert.equal(await get(`http://${outside.hostAddress}:${port}/`, other.netnsPath), gateway)
  assert.equal(await get(`http://${endpoint?.ipv4}/`, other.netnsPath), other.endpoints[0]?.ipv4)

  assert.equal(await get(`http://127.0.0.1:${localPort}/`), gateway)
  assert.equal(await get(`http://${outside.hostAddress}:${localPort}/`, outside.netns), 'failed')
})

test('a port that is not published is not reachable from neighbors', { skip }, async (t) => {
  const networks = await networkHost(t).open()
  const outside = neighbour(t)
  const web = await networks.sandboxes.setUp(sandboxRequest('web', { ports: [publish(81)] }))
  serve(t, web.netnsPath, 80)
  assert.equal(await get(`http://${web.endpoints[0]?.ipv4}/`), web.endpoints[0]?.gateway)
  // The neighbor's default route leads to the host.
  assert.equal(await get(`http://${web.endpoints[0]?.ipv4}/`, outside.netns), 'failed')
})

test("a container's outgoing connections come from the host's address", { skip }, async (t) => {
  const networks = await networkHost(t).open()
  const outside = neighbour(t)
  serve(t, outside.netns, 8080)
  const client = await networks.sandboxes.setUp(sandboxRequest('client'))
  assert.equal(await get(`http://${outside.address}:8080/`, client.netnsPath), outside.hostAddress)
})

test('UDP clients reach the container that has the port now', { skip }, async (t) => {
  const networks = await networkHost(t).open()
  const client = createSocket('udp4')
  t.after(() => client.close())
  const answers: string[] = []
  client.on('message', (message) => answers.push(message.toString()))
  const ask = (port: number) =>
    new Promise<void>((resolve, reject) =>
      client.send('hello', port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
    )
  const first = await networks.sandboxes.setUp(sandboxRequest('one', { ports: [publish(7, { protocol: 'udp' })] }))
  const hostPort = first.ports[0]?.hostPort ?? 0
  const stopFirst = answerUdp(t, first.netnsPath, 'one')
  await ask(hostPort)
  await until(() => answers.length === 1, { what: 'an answer of the first' })
  stopFirst()
  const endpoint = first.endpoints[0]?.endpointId.slice(0, 8) ?? '?'
  const table = tableOf(linkNames('bv').find((name) => name.endsWith(endpoint)) ?? '')
  await networks.sandboxes.release(first.containerId)
  await until(async () => !/elements = \{ udp/.test(await tableText(table)), { what: 'the port to be free' })
  // Sent while no container has the port: the kernel records a flow without translation.
  await ask(hostPort)
  const second = await networks.sandboxes.setUp(
    sandboxRequest('two', { ports: [publish(7, { protocol: 'udp', hostPort })] }),
  )
  answerUdp(t, second.netnsPath, 'two')
  await ask(hostPort)
  await until(() => answers.length === 2, { what: 'an answer of the second' })
  assert.deepEqual(answers, ['one', 'two'])
})

test('a sandbox has the devices, addresses and routes that inspect shows', { skip }, async (t) => {
  const networks = await networkHost(t).open({ mtu: 1400 })
  const box = await networks.sandboxes.setUp(sandboxRequest('box'))
  const [endpoint] = box.endpoints
  const route = inNetworkNamespace(box.netnsPath, () => RouteSocket.open())
  t.after(() => route.close())
  const links = route.links().filter((link) => link.up)
  assert.deepEqual(links.map((link) => link.name).sort(), ['eth0', 'lo'])
  const eth0 = links.find((link) => link.name === 'eth0')
  assert.equal(eth0?.mac, endpoint?.mac)
  assert.equal(eth0?.mtu, 1400)
  assert.ok(route.addresses().some((entry) => entry.address === endpoint?.ipv4 && entry.prefix === endpoint.prefix))
  assert.ok(route.routes().some((entry) => entry.prefix === 0 && entry.gateway === endpoint?.gateway))
  assert.doesNotMatch(await runIn(box.netnsPath, 'ip', '-6', 'address', 'show', 'dev', 'eth0'), /inet6/)
  const found = networks.inspect('bridge')
  assert.equal(found.containers[0]?.containerName, 'box')
  assert.equal(networks.inspect(found.id.slice(0, 12)).name, 'bridge')
})

test('network none has only a loopback device', { skip }, async (t) => {
  const networks = await networkHost(t).open()
  const box = await networks.sandboxes.setUp(sandboxRequest('box', { endpoints: [{ network: 'none' }] }))
  const route = inNetworkNamespace(box.netnsPath, () => RouteSocket.open())
  t.after(() => route.close())
  const up = route.links().filter((link) => link.up)
  assert.deepEqual(
    up.map((link) => link.name),
    ['lo'],
  )
  assert.equal(box.endpoints[0]?.networkName, 'none')
})

test('without icc containers reach the outside and published ports, but not each other', { skip }, async (t) => {
  const networks = await networkHost(t).open({ icc: false })
  const outside = neighbour(t)
  serve(t, outside.netns, 8080)
  const web = await networks.sandboxes.setUp(sandboxRequest('web', { ports: [publish(80)] }))
  const other = await networks.sandboxes.setUp(sandboxRequest('other'))
  serve(t, web.netnsPath, 80)
  assert.equal(await get(`http://${web.endpoints[0]?.ipv4}/`, other.netnsPath), 'failed')
  assert.equal(await get(`http://${outside.address}:8080/`, other.netnsPath), outside.hostAddress)
  assert.notEqual(await get(`http://127.0.0.1:${web.ports[0]?.hostPort}/`), 'failed')
})

test('tearDown leaves nothing and can be repeated', { skip }, async (t) => {
  const host = networkHost(t)
  const networks = await host.open()
  const request = sandboxRequest('web', { ports: [publish(80), publish(81, { hostIp: '127.0.0.1' })] })
  const web = await networks.sandboxes.setUp(request)
  await networks.sandboxes.release(request.containerId)
  await networks.sandboxes.release(request.containerId)
  assert.equal(networks.sandboxes.find(request.containerId), undefined)
  assert.equal(existsSync(web.netnsPath), false)
  // Fixed ports are free again at once, although the kernel may still be removing the old elements.
  const again = { ...request, ports: web.ports.map((port) => ({ ...port })) }
  const second = await networks.sandboxes.setUp(again)
  assert.deepEqual(second.ports, web.ports)
  assert.notEqual(second.endpoints[0]?.ipv4, web.endpoints[0]?.ipv4)
  serve(t, second.netnsPath, 80)
  assert.notEqual(await get(`http://127.0.0.1:${web.ports[0]?.hostPort}/`), 'failed')
})

test('a port of another program is refused before anything is created', { skip }, async (t) => {
  const host = networkHost(t)
  const networks = await host.open()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const request = sandboxRequest('web', { ports: [publish(80), publish(80, { hostPort: port })] })
  await assert.rejects(networks.sandboxes.setUp(request), (error) => {
    assert.ok(isKind(error, 'internal'))
    assert.match(
      messageOf(error),
      new RegExp(
        `^driver failed programming external connectivity on endpoint web \\([0-9a-f]{64}\\): Bind for 0\\.0\\.0\\.0:${port} failed: port is already allocated$`,
      ),
    )
    return true
  })
  assert.equal(networks.sandboxes.find(request.containerId), undefined)
  assert.deepEqual(readdirSync(join(host.directory, 'netns')), [])
  const first = await networks.sandboxes.setUp(sandboxRequest('web'))
  assert.ok(first.endpoints[0]?.ipv4)
})

test('restore keeps what is in use, removes the rest and repairs what is missing', { skip }, async (t) => {
  const host = networkHost(t)
  const first = await host.open()
  const keep = sandboxRequest('keep', { ports: [publish(80)] })
  const drop = sandboxRequest('drop', { ports: [publish(80)] })
  const kept = await first.sandboxes.setUp(keep)
  await first.sandboxes.setUp(drop)
  serve(t, kept.netnsPath, 80)
  const url = `http://127.0.0.1:${kept.ports[0]?.hostPort}/`
  assert.notEqual(await get(url), 'failed')
  await first.close()
  assert.notEqual(await get(url), 'failed', 'works on without the daemon')

  const second = await host.open({}, [keep.containerId])
  assert.deepEqual(second.sandboxes.find(keep.containerId), kept)
  assert.equal(second.sandboxes.find(drop.containerId), undefined)
  assert.equal(readdirSync(join(host.directory, 'netns')).length, 1)
  assert.notEqual(await get(url), 'failed')

  // Another program removes the bridge and the rules.
  const device = second.inspect('bridge').bridge?.device ?? ''
  const [veth = ''] = linkNames('bv').filter((name) => name.endsWith(kept.endpoints[0]?.endpointId.slice(0, 8) ?? '?'))
  await second.close()
  const route = RouteSocket.open()
  t.after(() => route.close())
  route.execute(deleteLink(device))
  await runNft(`delete table ip ${tableOf(veth)}`)
  const third = await host.open({}, [keep.containerId])
  assert.notEqual(await get(url), 'failed')

  // The same, found at the next start.
  await runNft(`delete table ip ${tableOf(veth)}`)
  const late = await third.sandboxes.setUp(sandboxRequest('late', { ports: [publish(80)] }))
  serve(t, late.netnsPath, 80)
  assert.notEqual(await get(`http://127.0.0.1:${late.ports[0]?.hostPort}/`), 'failed')
  assert.notEqual(await get(url), 'failed')
  assert.match(await tableText(tableOf(veth)), new RegExp(`tcp \\. ${late.ports[0]?.hostPort}`))
})

test('two daemons take different bridges and ranges', { skip }, async (t) => {
  const hosts = [networkHost(t), networkHost(t), networkHost(t)]
  const all = await Promise.all(hosts.map((host) => host.open()))
  const devices = all.map((networks) => ({
    ...networks.inspect('bridge').bridge,
    ...networks.inspect('bridge').ipam[0],
  }))
  assert.equal(new Set(devices.map((device) => device.device)).size, 3)
  assert.equal(new Set(devices.map((device) => device.subnet)).size, 3)
  const boxes = await Promise.all(
    all.map((networks) => networks.sandboxes.setUp(sandboxRequest('web', { ports: [publish(80)] }))),
  )
  for (const box of boxes) serve(t, box.netnsPath, 80)
  for (const box of boxes) assert.notEqual(await get(`http://127.0.0.1:${box.ports[0]?.hostPort}/`), 'failed')
  assert.equal(await get(`http://${boxes[0]?.endpoints[0]?.ipv4}/`, boxes[1]?.netnsPath), 'failed')
  const across = `http://${devices[0]?.gateway}:${boxes[0]?.ports[0]?.hostPort}/`
  assert.notEqual(await get(across, boxes[1]?.netnsPath), 'failed')
})

test('bip gives the bridge its address', { skip }, async (t) => {
  const host = networkHost(t)
  const before = await host.open()
  const device = before.inspect('bridge').bridge?.device ?? ''
  const networks = await host.open({ bip: '10.77.199.9/28' })
  const network = networks.inspect('bridge')
  assert.deepEqual(network.ipam, [{ subnet: '10.77.199.0/28', gateway: '10.77.199.9' }])
  const box = await networks.sandboxes.setUp(sandboxRequest('box'))
  assert.equal(box.endpoints[0]?.ipv4, '10.77.199.10')
  const route = RouteSocket.open()
  t.after(() => route.close())
  const index = route.findLink(device)?.index
  assert.deepEqual(
    route.addresses().filter((entry) => entry.index === index),
    [{ index, address: '10.77.199.9', prefix: 28 }],
  )
})

test('forty concurrent set-ups and tear-downs leave nothing', { skip }, async (t) => {
  const host = networkHost(t)
  const networks = await host.open()
  const requests = Array.from({ length: 40 }, (_, index) => sandboxRequest(`c${index}x`, { ports: [publish(80)] }))
  const boxes = await Promise.all(requests.map((request) => networks.sandboxes.setUp(request)))
  assert.equal(new Set(boxes.map((box) => box.endpoints[0]?.ipv4)).size, 40)
  assert.equal(new Set(boxes.map((box) => box.ports[0]?.hostPort)).size, 40)
  const [veth = ''] = linkNames('bv').filter((name) =>
    name.endsWith(boxes[0]?.endpoints[0]?.endpointId.slice(0, 8) ?? '?'),
  )
  await Promise.all(requests.map((request) => networks.sandboxes.release(request.containerId)))
  assert.deepEqual(readdirSync(join(host.directory, 'netns')), [])
  await networks.close()
  assert.doesNotMatch(await tableText(tableOf(veth)), /elements = \{ (tcp|udp)/)
  await host.open()
  assert.deepEqual(linkNames(veth.slice(0, 7)), [])
})

test('restore cleans up after a daemon that was killed at any moment', { skip }, async (t) => {
  const host = networkHost(t)
  for (let round = 0; round < 5; round += 1) {
    const victim = spawn(process.execPath, [join(import.meta.dirname, 'victim.ts'), host.directory])
    await once(victim.stdout, 'data')
    await sleep(50 + 17 * round)
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    const networks = await host.open()
    assert.deepEqual(readdirSync(join(host.directory, 'netns')), [])
    assert.deepEqual(networks.inspect('bridge').containers, [])
    const { veth, box } = await firstVeth(networks)
    await networks.sandboxes.release(box.containerId)
    await networks.close()
    assert.doesNotMatch(await tableText(tableOf(veth)), /elements = \{ (tcp|udp)/)
    await host.open()
    assert.deepEqual(linkNames(veth.slice(0, 7)), [])
  }
})

async function firstVeth(networks: Networks): Promise<{ veth: string; box: Sandbox }> {
  const box = await networks.sandboxes.setUp(sandboxRequest('probe', { ports: [publish(80)] }))
  const end = box.endpoints[0]?.endpointId.slice(0, 8) ?? '?'
  return { box, veth: linkNames('bv').find((name) => name.endsWith(end)) ?? '' }
}

test('restore gives a container its missing devices', { skip }, async (t) => {
  const host = networkHost(t)
  const first = await host.open()
  await first.create(networkRequest('own'))
  const request = sandboxRequest('box', {
    endpoints: [{ network: 'own' }, { network: 'bridge' }],
    ports: [publish(80)],
  })
  const box = await first.sandboxes.setUp(request)
  serve(t, box.netnsPath, 80)
  await first.close()
  // As an interrupted connect or another program leaves it.
  const route = RouteSocket.open()
  t.after(() => route.close())
  for (const { endpointId } of box.endpoints) {
    const [veth = ''] = linkNames('bv').filter((name) => name.endsWith(endpointId.slice(0, 8)))
    route.execute(deleteLink(veth))
  }
  const second = await host.open({}, [request.containerId])
  assert.deepEqual(second.sandboxes.find(request.containerId), box)
  for (const { ipv4 } of box.endpoints) assert.notEqual(await get(`http://${ipv4}/`), 'failed', ipv4)
  assert.notEqual(await get(`http://127.0.0.1:${box.ports[0]?.hostPort}/`), 'failed')
  second.sandboxes.release(request.containerId)
  await second.remove('own')
})
