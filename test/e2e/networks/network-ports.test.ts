/** Many published ports, next to other programs, and after a crash of the daemon. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { RunningCommand, runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Outside } from '../../helpers/networks/outside.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

async function page(address: string, port: number): Promise<string> {
  return (await runCommand('curl', ['-s', '--max-time', '2', `http://${address}:${port}/`])).stdout.trim()
}

async function listenOn(port: number, address: string): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve))
  return server
}

test('a thousand published ports all work without a rebuild of the rules, and are all released', async () => {
  // A loopback address of its own keeps the range free of other programs.
  const address = `127.${10 + (process.pid % 200)}.0.1`
  const script =
    'mkdir /www; echo many >/www/index.html; httpd -h /www -p 20000; httpd -h /www -p 20500; exec httpd -f -h /www -p 20999'
  await daemon.ok([
    'run',
    '-d',
    '--name',
    'many',
    '-p',
    `${address}:20000-20999:20000-20999`,
    'busybox',
    'sh',
    '-c',
    script,
  ])
  assert.equal((await daemon.ok(['port', 'many'])).split('\n').length, 1000)
  for (const port of [20000, 20500, 20999]) {
    await until(async () => (await page(address, port)) === 'many', { what: `port ${port}` })
  }
  const second = await daemon.docker(['run', '--rm', '-p', `${address}:20999-21001:80-82`, 'busybox', 'true'])
  assert.match(second.stderr, /Bind for 127\.\d+\.0\.1:20999 failed: port is already allocated/)
  await daemon.ok(['rm', '-f', 'many'])
  for (const port of [20000, 20500, 20999]) {
    const server = await listenOn(port, address)
    server.close()
  }
  assert.doesNotMatch(readFileSync(daemon.logPath, 'utf8'), /built anew|building it anew/)
})

test('if a program of the host has the port on one address, the other addresses are free', async () => {
  const port = await freePort()
  const server = await listenOn(port, '127.0.0.1')
  try {
    for (const where of [`${port}`, `127.0.0.1:${port}`, `0.0.0.0:${port}`]) {
      const { code, stderr } = await daemon.docker(['run', '--rm', '-p', `${where}:80`, 'busybox', 'true'])
      assert.equal(code, 125)
      assert.match(stderr, /port is already allocated|address already in use/)
    }
    await daemon.ok(['run', '--rm', '-p', `127.0.0.2:${port}:80`, 'busybox', 'true'])
    await daemon.ok(['run', '--rm', '-p', `127.0.0.1:${port}:80/udp`, 'busybox', 'true'])
    // Conversely, a published port is taken for programs of the host.
    const taken = await freePort()
    await daemon.ok(['run', '-d', '--name', 'holder', '-p', `127.0.0.1:${taken}:80`, 'busybox', 'sleep', '1000'])
    await assert.rejects(listenOn(taken, '127.0.0.1'), /EADDRINUSE/)
    await daemon.ok(['rm', '-f', 'holder'])
  } finally {
    server.close()
  }
})

test("an outside client's source address is kept; sctp ports are published as requested", async () => {
  await using outside = await Outside.make()
  const port = await freePort()
  const id = await daemon.ok(['run', '-d', '-p', `${port}:8000`, '-p', `${port}:7/sctp`, 'busybox', 'sleep', '1000'])
  assert.match(await daemon.ok(['port', id]), new RegExp(`^7/sctp -> 0\\.0\\.0\\.0:${port}$`, 'm'))
  const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', id])
  const script = `require('http').createServer((q, s) => s.end(q.socket.remoteAddress.replace('::ffff:', ''))).listen(8000)`
  const server = new RunningCommand('nsenter', ['--net', '-t', pid, process.execPath, '-e', script])
  try {
    const url = `http://${outside.hostAddress}:${port}/`
    await until(async () => (await outside.page(url)) === outside.address, {
      what: 'the client to see its own address',
    })
  } finally {
    server.kill('SIGKILL')
    await server.ended
  }
  await daemon.ok(['rm', '-f', id])
})

test('ports of a container that ended without a daemon are free again', async () => {
  const port = await freePort()
  const name = 'ended'
  await daemon.ok(['run', '-d', '--name', name, '-p', `127.0.0.1:${port}:80`, 'busybox', 'sleep', '1000'])
  const pid = Number(await daemon.ok(['inspect', '-f', '{{.State.Pid}}', name]))
  await daemon.kill9()
  process.kill(pid, 'SIGKILL')
  await daemon.start()
  await until(async () => (await daemon.ok(['inspect', '-f', '{{.State.Status}}', name])) === 'exited', {
    what: 'the end',
  })
  const server = await listenOn(port, '127.0.0.1')
  server.close()
  await daemon.ok(['run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true'])
  await daemon.ok(['rm', name])
})
