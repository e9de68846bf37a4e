/** Names on networks as programs in containers resolve them, and with dig for details. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { decode, encode } from 'dns-packet'
import { bindDatagramSocket } from '../../../src/sys/index.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  await daemon.ok(['network', 'create', 'front'])
  await daemon.ok(['network', 'create', 'back'])
})
after(() => daemon?.[Symbol.asyncDispose]())

async function run(name: string, ...options: string[]): Promise<void> {
  await daemon.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sleep', '1000'])
}

async function addressOf(name: string, network: string): Promise<string> {
  return daemon.ok(['inspect', '-f', `{{.NetworkSettings.Networks.${network}.IPAddress}}`, name])
}

/** The answer of 127.0.0.11 in a container to dig: one record per line, or the status of an error. */
async function dig(name: string, ...question: string[]): Promise<string[]> {
  const netns = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.SandboxKey}}', name])
  const options = ['@127.0.0.11', '+time=5', '+tries=1', '+noall', '+answer', '+comments', ...question]
  const said = await runOrThrow('nsenter', [`--net=${netns}`, 'dig', ...options])
  const status = /status: (\w+)/.exec(said)?.[1]
  if (status !== 'NOERROR') return [status ?? said]
  return said.split('\n').flatMap((line) => (/^[^;\s]/.test(line) ? [line.split(/\s+/).at(-1) ?? ''] : []))
}

/** A DNS server on the host's loopback that answers every name with one address. */
function answering(address: string, data: string): Socket {
  const server = createSocket('udp4').bind({ fd: bindDatagramSocket(address, 53).fd })
  server.on('message', (message, from) => {
    const { id, questions } = decode(message)
    const name = questions?.[0]?.name ?? ''
    const answers = [{ type: 'A', name, data, ttl: 1 } as const]
    server.send(encode({ type: 'response', id, questions, answers }), from.port, from.address)
  })
  return server
}

test('containers find each other by name, id, alias and network, and names by address', async () => {
  await run('web', '--network', 'front', '--network-alias', 'service', '--hostname', 'shown')
  await run('api', '--network', 'front', '--network-alias', 'service')
  await daemon.ok(['network', 'connect', '--alias', 'store', 'back', 'api'])
  const [web, api, apiBack] = [
    await addressOf('web', 'front'),
    await addressOf('api', 'front'),
    await addressOf('api', 'back'),
  ]
  const id = (await daemon.ok(['inspect', '-f', '{{.Id}}', 'web'])).slice(0, 12)
  for (const name of ['web', 'WEB.', 'web.front', id, 'shown']) assert.deepEqual(await dig('api', name), [web], name)
  assert.deepEqual((await dig('api', 'service')).sort(), [web, api].sort())
  assert.deepEqual(await dig('api', 'store'), [apiBack])
  assert.deepEqual(await dig('api', '-x', web), ['web.front.'])
  assert.deepEqual(await dig('api', 'web', 'AAAA'), [])
  // Names of other networks are unknown.
  assert.notDeepEqual(await dig('web', 'store'), [apiBack])
  // As programs in the container resolve it.
  assert.match(await daemon.ok(['exec', 'api', 'ping', '-c', '1', 'web']), new RegExp(web))
  assert.match(await daemon.ok(['exec', 'api', 'cat', '/etc/resolv.conf']), /^nameserver 127\.0\.0\.11$/m)
})

test('names follow rename, disconnect, stop and start, and a crash of the daemon', async () => {
  await daemon.ok(['rename', 'web', 'site'])
  assert.deepEqual(await dig('api', 'site'), [await addressOf('site', 'front')])
  assert.notDeepEqual(await dig('api', 'web'), [await addressOf('site', 'front')])
  await daemon.kill9()
  await daemon.start()
  assert.deepEqual(await dig('api', 'site'), [await addressOf('site', 'front')])
  assert.deepEqual(await dig('api', '+tcp', 'site'), [await addressOf('site', 'front')])
  await daemon.ok(['stop', '-t', '0', 'site'])
  assert.deepEqual(await dig('api', 'service'), [await addressOf('api', 'front')])
  await daemon.ok(['start', 'site'])
  assert.equal((await dig('api', 'service')).length, 2)
  await daemon.ok(['network', 'disconnect', 'back', 'api'])
  assert.notEqual((await dig('api', 'store'))[0], 'NOERROR')
  await daemon.ok(['rm', '-f', 'site', 'api'])
})

test('--dns servers are asked from the container; search domains and options stay', async () => {
  await run('server', '--network', 'front')
  const server = await addressOf('server', 'front')
  const options = ['--dns', server, '--dns-search', 'example.test', '--dns-option', 'ndots:3']
  await run('asker', '--network', 'front', ...options)
  const conf = await daemon.ok(['exec', 'asker', 'cat', '/etc/resolv.conf'])
  assert.match(conf, /^nameserver 127\.0\.0\.11$/m)
  assert.match(conf, /^search example\.test$/m)
  assert.match(conf, /^options .*ndots:3/m)
  // No server listens there, which the kernel reports at once.
  assert.deepEqual(await dig('asker', 'example.com'), ['SERVFAIL'])
  await daemon.ok(['rm', '-f', 'server', 'asker'])
})

test("a loopback address of --dns is the container's own; internal networks forward no queries", async (t) => {
  const address = `127.${randomInt(50, 250)}.${randomInt(250)}.${randomInt(1, 250)}`
  const server = answering(address, '192.0.2.33')
  t.after(() => server.close())
  await daemon.ok(['network', 'create', '--internal', 'inside'])
  await run('outer', '--network', 'front', '--dns', address)
  // In the container's namespace this is the container's loopback, where no server listens.
  assert.deepEqual(await dig('outer', 'example.com'), ['SERVFAIL'])
  await run('inner', '--network', 'inside')
  assert.deepEqual(await dig('inner', 'example.com'), ['SERVFAIL'])
  assert.deepEqual(await dig('inner', 'inner'), [await addressOf('inner', 'inside')])
  await daemon.ok(['rm', '-f', 'outer', 'inner'])
})

test('a container can run its own DNS server on all addresses', async () => {
  await run('web', '--network', 'front')
  await run('own', '--network', 'front')
  const own = ['exec', '-d', 'own', 'nc', '-ll', '-p', '53', '-e', 'echo', 'mine']
  await daemon.ok(own)
  assert.deepEqual(await dig('own', '+tcp', 'web'), [await addressOf('web', 'front')])
  const said = await daemon.ok([
    'exec',
    'own',
    'sh',
    '-c',
    'for i in 1 2 3 4 5; do nc 127.0.0.1 53 </dev/null && break; sleep 1; done',
  ])
  assert.equal(said.trim(), 'mine')
  await daemon.ok(['rm', '-f', 'web', 'own'])
})

test("running containers use the host's new name servers at once", async () => {
  const file = `${daemon.root}/resolv.conf`
  const octet = randomInt(2, 250)
  const [first, second] = [`127.53.${octet}.1`, `127.53.${octet}.2`]
  writeFileSync(file, `nameserver ${first}\n`)
  const servers = [answering(first, '192.0.2.1'), answering(second, '192.0.2.2')]
  try {
    await using other = await TestDaemon.start({ resolvConf: file })
    await other.loadBusybox()
    await other.ok(['network', 'create', 'named'])
    await other.ok(['run', '-d', '--name', 'asking', '--network', 'named', 'busybox', 'sleep', '1000'])
    const asked = async (): Promise<string> =>
      (await other.docker(['exec', 'asking', 'nslookup', 'example.test'])).stdout
    assert.match(await asked(), /^Address: 192\.0\.2\.1$/m)
    writeFileSync(file, `nameserver ${second}\n`)
    await until(async () => /^Address: 192\.0\.2\.2$/m.test(await asked()), { what: 'the other server to be asked' })
    await other.ok(['rm', '-f', 'asking'])
    await other.ok(['network', 'rm', 'named'])
  } finally {
    for (const server of servers) server.close()
  }
})
