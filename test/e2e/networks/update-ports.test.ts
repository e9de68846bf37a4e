/** `berth update --publish` and `--unpublish`, and `PortBindings` of the API's update. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
const script = 'mkdir -p /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

async function answers(port: number): Promise<boolean> {
  return (await runCommand('curl', ['-s', '-m', '2', '--noproxy', '*', `http://127.0.0.1:${port}/`])).code === 0
}

async function ports(name: string): Promise<string[]> {
  return (await daemon.ok(['port', name])).split('\n').filter((line) => line.includes('0.0.0.0'))
}

async function update(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.berth(['update', ...args])
  assert.equal(code, 0, stdout + stderr)
  return stdout
}

async function pid(name: string): Promise<string> {
  return daemon.ok(['inspect', '-f', '{{.State.Pid}}', name])
}

test('ports change while the container runs, and stay changed over restarts', async () => {
  const [first, second, third] = [await freePort(), await freePort(), await freePort()]
  await daemon.ok(['run', '-d', '--name', 'web', '-p', `${first}:80`, 'busybox', 'sh', '-c', script])
  await until(() => answers(first))
  const program = await pid('web')
  await update('--publish', `${second}:80`, '--publish', `${third}:80/udp`, '--unpublish', String(first), 'web')
  assert.deepEqual((await ports('web')).sort(), [`80/tcp -> 0.0.0.0:${second}`, `80/udp -> 0.0.0.0:${third}`].sort())
  assert.ok(await answers(second))
  await until(async () => !(await answers(first)))
  assert.match(
    await daemon.ok(['ps', '--format', '{{.Ports}}', '--filter', 'name=web']),
    new RegExp(`:${second}->80/tcp`),
  )
  const bindings = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .HostConfig.PortBindings}}', 'web']))
  assert.deepEqual(bindings['80/tcp'], [{ HostIp: '', HostPort: String(second) }])
  assert.equal(await pid('web'), program, 'the program was not restarted')
  // The removed port is free for others, the added one is not.
  await daemon.ok(['run', '-d', '--name', 'other', '-p', `${first}:80`, 'busybox', 'sleep', '1000'])
  const taken = await daemon.docker(['run', '--rm', '-p', `${second}:80`, 'busybox', 'true'])
  assert.match(taken.stderr, /port is already allocated/)

  await daemon.kill9()
  assert.ok(await answers(second))
  await daemon.start()
  assert.ok(await answers(second))
  await daemon.ok(['restart', '-t', '0', 'web'])
  await until(() => answers(second))
  assert.deepEqual((await ports('web')).length, 2)
  await daemon.ok(['rm', '-f', 'web', 'other'])
})

test('a port of another container is refused, and nothing changes', async () => {
  const [own, theirs, later] = [await freePort(), await freePort(), await freePort()]
  await daemon.ok(['run', '-d', '--name', 'web', '-p', `${own}:80`, 'busybox', 'sh', '-c', script])
  const server = createServer().listen(theirs)
  try {
    const change = [
      'update',
      '--unpublish',
      String(own),
      '--publish',
      `${later}:80`,
      '--publish',
      `${theirs}:80`,
      'web',
    ]
    const { code, stderr } = await daemon.berth([...change, '--cpu-shares', '512'])
    assert.equal(code, 1)
    assert.match(stderr, /port is already allocated|address already in use/)
  } finally {
    server.close()
  }
  await until(() => answers(own))
  assert.deepEqual(await ports('web'), [`80/tcp -> 0.0.0.0:${own}`])
  assert.equal(await daemon.ok(['inspect', '-f', '{{.HostConfig.CpuShares}}', 'web']), '0')
  // The port moves to another port of the container.
  await update('--unpublish', String(own), '--publish', `${own}:81`, 'web')
  assert.deepEqual(await ports('web'), [`81/tcp -> 0.0.0.0:${own}`])
  await daemon.ok(['rm', '-f', 'web'])
})

test('a stopped container publishes at its next start; a random port stays the same', async () => {
  const port = await freePort()
  await daemon.ok(['create', '--name', 'web', '-p', '80', 'busybox', 'sh', '-c', script])
  await update('--publish', `${port}:80`, 'web')
  await daemon.ok(['start', 'web'])
  await until(() => answers(port))
  const random = (await ports('web')).find((line) => !line.endsWith(`:${port}`))
  await update('--unpublish', `${port}:80`, 'web')
  assert.deepEqual(await ports('web'), [random])
  await update('--unpublish', random?.split(':').at(-1) ?? '', 'web')
  assert.deepEqual(await ports('web'), [])
  await daemon.ok(['rm', '-f', 'web'])
})

test('the API replaces the whole set', async () => {
  const port = await freePort()
  await daemon.ok(['run', '-d', '--name', 'web', '-p', '80', '-p', '81', 'busybox', 'sh', '-c', script])
  const change = { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } }
  assert.equal((await daemon.api('POST', '/containers/web/update', change)).status, 200)
  assert.equal(await daemon.ok(['port', 'web']), `80/tcp -> 127.0.0.1:${port}`)
  await until(() => answers(port))
  assert.equal((await daemon.api('POST', '/containers/web/update', { PortBindings: { x: [] } })).status, 400)
  assert.equal((await daemon.api('POST', '/containers/web/update', { PortBindings: {} })).status, 200)
  assert.equal(await daemon.ok(['port', 'web']), '')
  await daemon.ok(['rm', '-f', 'web'])
  await daemon.ok(['run', '-d', '--name', 'host', '--network', 'host', 'busybox', 'sleep', '1000'])
  const refused = await daemon.berth(['update', '--publish', `${port}:80`, 'host'])
  assert.match(refused.stderr, /publishes no ports of its own/)
  assert.equal((await daemon.berth(['update', '--unpublish', '80', 'host'])).stderr.trim(), 'port 80 is not published')
})
