/** Published ports and network modes, with real traffic from the host and from outside. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort, freePorts } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** A web server that returns `text`, in a container with these options. */
function web(text: string, ...options: string[]): Promise<string> {
  const script = `mkdir /www; echo '${text}' >/www/index.html; exec httpd -f -p 80 -h /www`
  return daemon.ok(['run', '-d', ...options, 'busybox', 'sh', '-c', script])
}

/** The text of the page, fetched with curl until the server has started. */
function page(address: string, port: number | string): Promise<string> {
  return until(
    async () => {
      const { stdout } = await runCommand('curl', ['-s', '--max-time', '2', `http://${address}:${port}/`])
      return stdout.trim()
    },
    { what: `a page on ${address}:${port}` },
  )
}

function hostAddress(): string | undefined {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    /^(lo|berth|docker|veth)/.test(name) ? [] : (list ?? []),
  )
  return addresses.find(({ family }) => family === 'IPv4')?.address
}

async function listenOn(port: number, address = '0.0.0.0'): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve))
  return server
}

describe('published ports', () => {
  test("-p HOST:CONTAINER on 127.0.0.1 and on the host's own address", async () => {
    const port = await freePort()
    const id = await web('hello page', '-p', `${port}:80`)
    assert.equal(await page('127.0.0.1', port), 'hello page')
    const address = hostAddress()
    if (address !== undefined) assert.equal(await page(address, port), 'hello page')
    assert.match(await daemon.ok(['port', id]), new RegExp(`^80/tcp -> 0\\.0\\.0\\.0:${port}$`, 'm'))
    assert.match(await daemon.ok(['port', id, '80']), new RegExp(`^0\\.0\\.0\\.0:${port}$`, 'm'))
    assert.match(
      await daemon.ok(['ps', '--filter', `id=${id}`, '--format', '{{.Ports}}']),
      new RegExp(`0\\.0\\.0\\.0:${port}->80/tcp`),
    )
    await daemon.ok(['rm', '-f', id])
    assert.notEqual((await runCommand('curl', ['-s', '--max-time', '1', `http://127.0.0.1:${port}/`])).code, 0)
  })

  test('-p 127.0.0.1:…: only reachable there', async () => {
    const port = await freePort()
    const id = await web('loopback', '-p', `127.0.0.1:${port}:80`)
    assert.equal(await page('127.0.0.1', port), 'loopback')
    const address = hostAddress()
    if (address !== undefined) {
      assert.notEqual((await runCommand('curl', ['-s', '--max-time', '1', `http://${address}:${port}/`])).code, 0)
    }
    await daemon.ok(['rm', '-f', id])
  })

  test('-p CONTAINER takes a port of 49000-49900; -P publishes all exposed ports', async () => {
    const id = await web('random', '-p', '80')
    const port = Number((await daemon.ok(['port', id, '80/tcp'])).split('\n')[0]?.split(':').pop())
    assert.ok(port >= 49000 && port <= 49900, `port ${port}`)
    assert.equal(await page('127.0.0.1', port), 'random')
    const all = await web('all', '-P', '--expose', '80', '--expose', '443/tcp', '--expose', '53/udp')
    assert.equal((await daemon.ok(['port', all])).split('\n').filter((line) => line.includes('0.0.0.0')).length, 3)
    await daemon.ok(['rm', '-f', id, all])
  })

  test('from another machine: a namespace with a cable to the host', async (t) => {
    const name = `b${process.pid % 100000}`
    const ip = (...args: string[]) => runOrThrow('ip', args)
    t.after(() => spawnSync('ip', ['netns', 'del', name]))
    await ip('netns', 'add', name)
    await ip('link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'outside', 'netns', name)
    await ip('addr', 'add', '198.51.100.1/30', 'dev', `${name}h`)
    await ip('link', 'set', `${name}h`, 'up')
    await ip('-n', name, 'addr', 'add', '198.51.100.2/30', 'dev', 'outside')
    await ip('-n', name, 'link', 'set', 'outside', 'up')
    const port = await freePort()
    const id = await web('from outside', '-p', `${port}:80`)
    await page('127.0.0.1', port)
    const outside = await ip('netns', 'exec', name, 'curl', '-s', '--max-time', '3', `http://198.51.100.1:${port}/`)
    assert.equal(outside, 'from outside')
    // And from the container to the outside: with the host's address.
    const answer = await daemon.ok(['run', '--rm', 'busybox', 'ping', '-c', '1', '-W', '2', '198.51.100.1'])
    assert.match(answer, /1 packets received/)
    await daemon.ok(['rm', '-f', id])
  })

  test('udp ports are published', async () => {
    const port = await freePort()
    const id = await daemon.ok(['run', '-d', '-p', `${port}:9/udp`, 'busybox', 'sleep', '1000'])
    // busybox has no UDP server: one of Node runs in the container's network.
    const sandbox = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.SandboxKey}}', id])
    const script = `const s = require('dgram').createSocket('udp4'); s.on('message', (m, from) => s.send(m, from.port, from.address)); s.bind(9)`
    const server = new RunningCommand('nsenter', [`--net=${sandbox}`, process.execPath, '-e', script])
    const socket = createSocket('udp4')
    let answer = ''
    socket.on('message', (message) => {
      answer = message.toString()
    })
    try {
      await until(
        () => {
          socket.send('ping', port, '127.0.0.1')
          return answer === 'ping'
        },
        { what: 'the echo', intervalMs: 100 },
      )
    } finally {
      socket.close()
      server.kill('SIGKILL')
      await server.ended
    }
    await daemon.ok(['rm', '-f', id])
  })

  test('a port of another container: a clear error, and nothing half-made', async () => {
    const port = await freePort()
    const id = await web('first', '-p', `${port}:80`)
    const second = await daemon.docker([
      'run',
      '-d',
      '--name',
      'second',
      '-p',
      `${port}:80`,
      'busybox',
      'sleep',
      '1000',
    ])
    assert.equal(second.code, 125)
    assert.match(second.stderr, new RegExp(`[Bb]ind for 0\\.0\\.0\\.0:${port} failed: port is already allocated`))
    assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}}', 'second']), 'created')
    assert.equal(await page('127.0.0.1', port), 'first')
    await daemon.ok(['rm', '-f', id])
    await daemon.ok(['start', 'second'])
    await daemon.ok(['rm', '-f', 'second'])
  })

  test('a port of a program of the host: a clear error', async () => {
    const server = await listenOn(0)
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const { code, stderr } = await daemon.docker(['run', '--rm', '-p', `${address.port}:80`, 'busybox', 'true'])
    server.close()
    assert.equal(code, 125)
    assert.match(stderr, /port is already allocated|address already in use/)
  })

  test('a range of ports', async () => {
    const first = await freePorts(3)
    const id = await daemon.ok(['run', '-d', '-p', `127.0.0.1:${first}-${first + 2}:80-82`, 'busybox', 'sleep', '1000'])
    assert.deepEqual((await daemon.ok(['port', id])).split('\n').sort(), [
      `80/tcp -> 127.0.0.1:${first}`,
      `81/tcp -> 127.0.0.1:${first + 1}`,
      `82/tcp -> 127.0.0.1:${first + 2}`,
    ])
    await daemon.ok(['rm', '-f', id])
  })
})

describe('networks', () => {
  test('bridge: an address, a route, a MAC; containers reach each other', async () => {
    const first = await web('neighbour')
    const address = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', first])
    assert.match(address, /^(172|10|192)\./)
    const script = `ip -o -4 addr show eth0; ip route; wget -qO- http://${address}/`
    const out = await until(
      async () => {
        const { code, stdout } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', script])
        return code === 0 && stdout
      },
      { what: 'the neighbor to answer' },
    )
    assert.match(out, /^default via /m)
    assert.match(out, /neighbour/)
    assert.equal(await daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', first]), address)
    await daemon.ok(['rm', '-f', first])
  })

  test('addresses are unique, and are released', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])))
    const addresses = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', ...ids])
    assert.equal(new Set(addresses.split('\n')).size, 5)
    await daemon.ok(['rm', '-f', ...ids])
    const { body } = await daemon.api<{ Containers: Record<string, unknown> }>('GET', '/networks/bridge')
    assert.deepEqual(body.Containers, {})
  })

  test('none: only loopback', async () => {
    const links = await daemon.ok(['run', '--rm', '--network', 'none', 'busybox', 'ls', '/sys/class/net'])
    assert.equal(links, 'lo')
  })

  test("host: the host's interfaces and name", async () => {
    const links = await daemon.ok(['run', '--rm', '--network', 'host', 'busybox', 'cat', '/proc/net/dev'])
    for (const name of Object.keys(networkInterfaces())) assert.ok(links.includes(name), name)
    const { hostname } = await import('node:os')
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'host', 'busybox', 'hostname']), hostname())
  })

  test('container:NAME shares network, hosts file and name', async () => {
    const id = await web('shared', '--name', 'owner')
    const out = await until(
      async () => {
        const { code, stdout } = await daemon.docker([
          'run',
          '--rm',
          '--network',
          'container:owner',
          'busybox',
          'sh',
          '-c',
          'wget -qO- http://127.0.0.1/ && hostname',
        ])
        return code === 0 && stdout
      },
      { what: 'the shared server' },
    )
    assert.equal(out, `shared\n${id.slice(0, 12)}\n`)
    const missing = await daemon.docker(['run', '--rm', '--network', 'container:no-such', 'busybox', 'true'])
    assert.equal(missing.code, 125)
    await daemon.ok(['rm', '-f', id])
  })

  test('an unknown network is an error', async () => {
    const { code, stderr } = await daemon.docker(['run', '--rm', '--network', 'no-such', 'busybox', 'true'])
    assert.equal(code, 125)
    assert.match(stderr, /network no-such not found/)
  })

  test('the network can be listed and inspected', async () => {
    const names = await daemon.ok(['network', 'ls', '--format', '{{.Name}} {{.Driver}}'])
    for (const line of ['bridge bridge', 'host host', 'none null']) assert.ok(names.includes(line), names)
  })
})
