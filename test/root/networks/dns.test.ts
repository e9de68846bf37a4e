/** The embedded DNS in namespaces of the real kernel, queried with dig. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { type Answer, decode, encode } from 'dns-packet'
import { nullLogger } from '../../../src/base/index.ts'
import { EmbeddedDns } from '../../../src/network/dns/index.ts'
import type { NamedSandbox } from '../../../src/network/dns/name-service.ts'
import {
  bindDatagramSocket,
  createNetworkNamespace,
  deleteNetworkNamespace,
  inNetworkNamespace,
  listenOnSocket,
  RouteSocket,
  setLink,
} from '../../../src/sys/index.ts'
import { until } from '../../helpers/wait.ts'
import { runIn, skip } from './namespaces.ts'

const run = promisify(execFile)

type Owner = 'the initial user namespace' | 'another user namespace'

/** The kernel allows other rules in each, so port 53 is redirected in two ways. */
const owners: readonly Owner[] = ['the initial user namespace', 'another user namespace']

/** A namespace with only a loopback device. */
async function namespace(t: TestContext, owner: Owner = 'the initial user namespace'): Promise<string> {
  const path = `/tmp/bndns${randomBytes(4).toString('hex')}`
  const up = () => {
    const route = RouteSocket.open()
    route.execute(setLink(1, { up: true }))
    route.close()
  }
  if (owner === 'the initial user namespace') createNetworkNamespace(path, up)
  else {
    const child = spawn('unshare', ['--user', '--map-root-user', '--net', 'sh', '-c', 'echo; exec cat'])
    try {
      await once(child.stdout, 'data')
      createNetworkNamespace(path, up, `/proc/${child.pid}/ns/net`)
    } finally {
      child.stdin.end()
      await once(child, 'close')
    }
  }
  t.after(() => deleteNetworkNamespace(path))
  return path
}

function embeddedDns(t: TestContext): EmbeddedDns {
  const dns = new EmbeddedDns(nullLogger)
  t.after(() => dns.close())
  return dns
}

function sandbox(netnsPath: string, options: Partial<NamedSandbox> = {}): NamedSandbox {
  const base = { containerId: netnsPath, networkIds: ['n'], upstream: [], forward: true, links: [] }
  return { ...base, netnsPath, ...options }
}

function put(dns: EmbeddedDns, containerId: string, names: string[], ipv4: string): void {
  dns.putEndpoint({ networkId: 'n', networkName: 'net', containerId, endpointId: 'e', names, ipv4, ipv6: '' })
}

/** The output of dig in a namespace; several arguments each. */
async function dig(netns: string, ...args: string[]): Promise<string> {
  const server = args.some((arg) => arg.startsWith('@')) ? [] : ['@127.0.0.11']
  return runIn(netns, 'dig', ...server, '+time=4', '+tries=1', '+noall', '+answer', '+comments', ...args)
}

async function short(netns: string, ...args: string[]): Promise<string[]> {
  return (await dig(netns, '+nocomments', '+short', ...args)).split('\n').filter((line) => line !== '')
}

type Reply = (name: string, transport: 'udp' | 'tcp') => readonly Answer[] | 'silence' | 'servfail'

/** An upstream DNS server, by UDP and TCP, in a namespace or on the host. Counts its questions. */
function upstream(t: TestContext, address: string, reply: Reply, netns?: string): { asked: number } {
  const counter = { asked: 0 }
  const answer = (bytes: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    counter.asked += 1
    const query = decode(bytes)
    const answers = reply(query.questions?.[0]?.name ?? '', transport)
    if (answers === 'silence') return undefined
    const { id, questions } = query
    if (answers === 'servfail') return encode({ type: 'response', id, questions, flags: 2 })
    return encode({ type: 'response', id, questions, answers: [...answers] })
  }
  const open = () => [bindDatagramSocket(address, 53), listenOnSocket(address, 53)] as const
  const [udp, tcp] = netns === undefined ? open() : inNetworkNamespace(netns, open)
  const datagrams = createSocket('udp4')
  datagrams.on('message', (bytes, from) => {
    const response = answer(bytes, 'udp')
    if (response === undefined) return
    const truncated = response.length > 512
    if (truncated) response.writeUInt16BE(response.readUInt16BE(2) | 0x200, 2)
    datagrams.send(truncated ? encode({ ...decode(response), answers: [] }) : response, from.port, from.address)
  })
  datagrams.bind({ fd: udp.fd })
  const streams = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => {
      const response = answer(bytes.subarray(2), 'tcp')
      if (response !== undefined)
        socket.end(Buffer.concat([Buffer.from([response.length >> 8, response.length & 255]), response]))
    })
  })
  streams.listen({ fd: tcp.fd })
  t.after(() => {
    datagrams.close()
    streams.close()
  })
  return counter
}

function addressRecord(data: string): Reply {
  return (name) => [{ type: 'A', name, data, ttl: 1 }]
}

/** An unused loopback address of the host. */
function hostAddress(): string {
  return `127.${randomInt(50, 250)}.${randomInt(250)}.${randomInt(1, 250)}`
}

for (const owner of owners) {
  test(`the embedded DNS resolves names and addresses by UDP and TCP (${owner})`, { skip }, async (t) => {
    const [dns, netns] = [embeddedDns(t), await namespace(t, owner)]
    put(dns, 'one', ['web', 'www'], '10.9.0.2')
    put(dns, 'two', ['api', 'www'], '10.9.0.3')
    await dns.openSandbox(sandbox(netns))
    assert.deepEqual(await short(netns, 'web', 'A'), ['10.9.0.2'])
    assert.deepEqual(await short(netns, '+tcp', 'WEB.', 'A'), ['10.9.0.2'])
    assert.deepEqual((await short(netns, 'www', 'A')).sort(), ['10.9.0.2', '10.9.0.3'])
    assert.deepEqual(await short(netns, '-x', '10.9.0.3'), ['api.net.'])
    assert.match(await dig(netns, 'web', 'AAAA'), /status: NOERROR[\s\S]*ANSWER: 0/)
    assert.match(await dig(netns, '+edns=0', 'web', 'A'), /EDNS: version: 0/)
    dns.removeEndpoint('n', 'one')
    assert.deepEqual(await short(netns, 'www', 'A'), ['10.9.0.3'])
  })

  test(`the embedded DNS leaves port 53 to a server of the container (${owner})`, { skip }, async (t) => {
    const [dns, netns] = [embeddedDns(t), await namespace(t, owner)]
    put(dns, 'one', ['web'], '10.9.0.2')
    await dns.openSandbox(sandbox(netns))
    upstream(t, '0.0.0.0', addressRecord('192.0.2.77'), netns)
    assert.deepEqual(await short(netns, 'web', 'A'), ['10.9.0.2'])
    assert.deepEqual(await short(netns, '@127.0.0.1', 'web', 'A'), ['192.0.2.77'])
  })

  test(`the embedded DNS answers again after a restart, also on other ports (${owner})`, { skip }, async (t) => {
    const netns = await namespace(t, owner)
    const tables = async () => (await runIn(netns, 'nft', 'list', 'tables')).trim().split('\n')
    const restart = async () => {
      const dns = new EmbeddedDns(nullLogger)
      put(dns, 'one', ['web'], '10.9.0.2')
      await dns.openSandbox(sandbox(netns))
      assert.deepEqual(await short(netns, 'web', 'A'), ['10.9.0.2'])
      assert.deepEqual(await short(netns, '+tcp', 'web', 'A'), ['10.9.0.2'])
      dns.close()
      return tables()
    }
    const first = await restart()
    assert.equal(first.length, 1)
    assert.deepEqual(await restart(), first, 'the ports of the last run are taken again')
    // A program of the container uses one of them now.
    const port = Number(/berth-dns-(\d+)-/.exec(first[0] ?? '')?.[1])
    const other = createSocket('udp4').bind({
      fd: inNetworkNamespace(netns, () => bindDatagramSocket('0.0.0.0', port)).fd,
    })
    t.after(() => other.close())
    const second = await restart()
    assert.equal(second.length, 1)
    assert.notDeepEqual(second, first)
    // The container flushed all its rules.
    await run('nsenter', [`--net=${netns}`, 'nft', 'flush', 'ruleset'])
    assert.equal((await restart()).length, 1)
  })

  test(`the embedded DNS answers again after the container removed its rules (${owner})`, { skip }, async (t) => {
    const [dns, netns] = [embeddedDns(t), await namespace(t, owner)]
    put(dns, 'one', ['web'], '10.9.0.2')
    await dns.openSandbox(sandbox(netns))
    const nft = (...args: string[]) => run('nsenter', [`--net=${netns}`, 'nft', ...args])
    const answers = async () => (await short(netns, '+time=1', 'web', 'A').catch(() => []))[0] === '10.9.0.2'
    const table = (await runIn(netns, 'nft', 'list', 'tables')).trim().split(' ')
    for (const removal of [
      ['flush', 'ruleset'],
      ['delete', ...table],
      ['flush', ...table],
    ]) {
      await nft(...removal)
      await until(answers, { what: () => `an answer after nft ${removal.join(' ')}` })
      assert.deepEqual(await short(netns, '+tcp', 'web', 'A'), ['10.9.0.2'])
    }
    assert.equal((await runIn(netns, 'nft', 'list', 'tables')).trim().split('\n').length, 1)
  })

  test(`the embedded DNS answers beside rules of the container (${owner})`, { skip }, async (t) => {
    const [dns, netns] = [embeddedDns(t), await namespace(t, owner)]
    put(dns, 'one', ['web'], '10.9.0.2')
    await dns.openSandbox(sandbox(netns))
    upstream(t, '0.0.0.0', addressRecord('192.0.2.77'), netns)
    const rules = [
      'add table ip own',
      'add chain ip own nat { type nat hook output priority -100; }',
      'add rule ip own nat meta l4proto { tcp, udp } th dport 53 dnat to 127.0.0.1',
      'add chain ip own filter { type filter hook output priority filter; }',
      'add rule ip own filter ct state invalid drop',
    ]
    await run('nsenter', [`--net=${netns}`, 'nft', rules.join('\n')])
    assert.deepEqual(await short(netns, 'web', 'A'), ['10.9.0.2'])
    assert.deepEqual(await short(netns, '+tcp', 'web', 'A'), ['10.9.0.2'])
    assert.deepEqual(await short(netns, '@127.0.0.9', 'web', 'A'), ['192.0.2.77'])
  })
}

test('the embedded DNS asks each server from the right namespace', { skip }, async (t) => {
  const [dns, netns] = [embeddedDns(t), await namespace(t)]
  const onHost = hostAddress()
  upstream(t, onHost, addressRecord('192.0.2.1'))
  upstream(t, onHost, addressRecord('192.0.2.2'), netns)
  await dns.openSandbox(sandbox(netns, { upstream: [{ address: onHost, from: 'host' }] }))
  assert.deepEqual(await short(netns, 'example.com', 'A'), ['192.0.2.1'])
  await dns.openSandbox(sandbox(netns, { upstream: [{ address: onHost, from: 'container' }] }))
  assert.deepEqual(await short(netns, 'example.com', 'A'), ['192.0.2.2'])
  assert.deepEqual(await short(netns, '+tcp', 'example.com', 'A'), ['192.0.2.2'])
})

test('the embedded DNS forwards unknown names, with whole answers by TCP', { skip }, async (t) => {
  const [dns, netns] = [embeddedDns(t), await namespace(t)]
  const address = hostAddress()
  upstream(t, address, (name) => [
    { type: 'MX', name, data: { preference: 10, exchange: 'mail.example.com' } },
    { type: 'SRV', name, data: { port: 5060, target: 'sip.example.com', priority: 1, weight: 2 } },
    ...Array.from({ length: 20 }, (_, index) => ({ type: 'TXT', name, data: `${index}`.padEnd(60, '.') }) as const),
  ])
  await dns.openSandbox(sandbox(netns, { upstream: [{ address, from: 'host' }] }))
  assert.equal((await short(netns, 'example.com', 'MX')).length, 22)
  assert.equal((await short(netns, '+tcp', '_sip._udp.example.com', 'SRV')).length, 22)
  assert.match(await dig(netns, '+ignore', 'example.com', 'TXT'), /flags: qr tc/)
})

test('a silent server delays neither other servers nor other questions', { skip }, async (t) => {
  const [dns, netns] = [embeddedDns(t), await namespace(t)]
  const [silent, failing, good] = [hostAddress(), hostAddress(), hostAddress()]
  const asked = upstream(t, silent, (name) =>
    name === 'slow.example' ? 'silence' : [{ type: 'A', name, data: '192.0.2.5' }],
  )
  upstream(t, failing, () => 'servfail')
  upstream(t, good, addressRecord('192.0.2.9'))
  const servers = [silent, failing, good].map((address) => ({ address, from: 'host' }) as const)
  await dns.openSandbox(sandbox(netns, { upstream: servers }))
  const slow = short(netns, 'slow.example', 'A')
  await until(() => asked.asked > 0)
  assert.deepEqual(await short(netns, 'quick.example', 'A'), ['192.0.2.5'])
  assert.deepEqual(await slow, ['192.0.2.9'])
})

test('unanswered questions fail; a closed port fails at once', { skip }, async (t) => {
  const [dns, netns] = [embeddedDns(t), await namespace(t)]
  // No socket listens there, which the kernel reports.
  await dns.openSandbox(sandbox(netns, { upstream: [{ address: '127.0.0.99', from: 'container' }] }))
  assert.match(await dig(netns, 'example.com', 'A'), /status: SERVFAIL/)
  const address = hostAddress()
  upstream(t, address, () => 'servfail')
  await dns.openSandbox(sandbox(netns, { upstream: [{ address, from: 'host' }] }))
  assert.match(await dig(netns, 'example.com', 'A'), /status: SERVFAIL/)
  const counter = upstream(t, hostAddress(), addressRecord('192.0.2.1'))
  await dns.openSandbox(sandbox(netns, { upstream: [{ address, from: 'host' }], forward: false }))
  assert.match(await dig(netns, 'example.com', 'A'), /status: SERVFAIL/)
  assert.equal(counter.asked, 0)
})

test('a namespace can be removed when its server is closed', { skip }, async (t) => {
  const [dns, netns] = [embeddedDns(t), await namespace(t)]
  await dns.openSandbox(sandbox(netns))
  dns.closeSandbox(netns)
  dns.closeSandbox(netns)
  await assert.rejects(dig(netns, '+time=1', 'web', 'A'))
})
