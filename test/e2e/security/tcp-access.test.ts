/** The API over TCP: which clients reach it without a client certificate, and how the daemon warns. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestAuthority } from '../../helpers/certificates.ts'
import { RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { requestOverSocket } from '../../helpers/daemons/api.ts'
import { removeHostTraces, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

const berthd = join(import.meta.dirname, '../../../bin/berthd')

interface Told {
  readonly log: string
  readonly warnings: string
  readonly events: string
}

/** A daemon's messages about its TCP sockets. */
async function told(daemon: TestDaemon): Promise<Told> {
  const { body } = await daemon.api<{ Warnings: string[] }>('GET', '/info')
  const filters = encodeURIComponent('{"type":["daemon"],"event":["api-exposed"]}')
  const { text } = await daemon.api('GET', `/events?since=1&until=${Math.ceil(Date.now() / 1000)}&filters=${filters}`)
  const lines = daemon.log.split('\n').filter((line) => line.includes('without client certificates'))
  const log = lines.join('\n')
  return { log, warnings: body.Warnings.filter((text) => text.includes('API is accessible')).join('\n'), events: text }
}

/** Status and body of the response over TCP to a request for `host`. */
function ask(port: number, host: string, ca?: string): Promise<{ status: number; body: string }> {
  const options = { host: '127.0.0.1', port, path: '/_ping', agent: false, headers: { Host: host } }
  return new Promise((resolve, reject) => {
    const call = ca === undefined ? request(options) : secureRequest({ ...options, ca, servername: 'localhost' })
    call.on('response', (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    call.on('error', reject)
    call.end()
  })
}

test('a network address without client certificates is refused before anything is created', async () => {
  const root = mkdtempSync('/tmp/b-')
  try {
    const file = join(root, 'daemon.json')
    const roots = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x')]
    const start = (settings: object, ...flags: string[]) => {
      writeFileSync(file, JSON.stringify(settings))
      return runCommand(berthd, ['--config-file', file, ...roots, ...flags])
    }
    const certificates = { tls: true, tlscert: '/nowhere', tlskey: '/nowhere' }
    for (const refused of [
      await start({}, '-H', 'tcp://0.0.0.0:2375'),
      await start({}, '-H', 'tcp://0.0.0.0:2375', '--validate'),
      await start({ hosts: ['tcp://0.0.0.0:2375'], tlsverify: false }),
      await start({ hosts: [`unix://${root}/s`, 'tcp://0.0.0.0:2376'], ...certificates }),
    ]) {
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /berthd: refusing to listen on tcp address 0\.0\.0\.0 .* allow it with --tls/)
    }
    assert.ok(!existsSync(join(root, 'd')) && !existsSync(join(root, 'x')))
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('the same rule applies to a TCP socket of the service manager', async (context) => {
  const root = mkdtempSync('/tmp/b-')
  context.after(() => rmSync(root, { recursive: true, force: true }))
  writeFileSync(join(root, 'daemon.json'), '{}')
  const flags = ['--config-file', join(root, 'daemon.json'), '-H', 'fd://']
  const roots = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x')]
  const activate = (listen: string) =>
    new RunningCommand('systemd-socket-activate', ['-l', listen, berthd, ...flags, ...roots])

  const openPort = await freePort()
  const open = activate(`0.0.0.0:${openPort}`)
  context.after(() => open.kill('SIGKILL'))
  const isRefused = () =>
    ask(openPort, 'localhost').then(
      () => false,
      () => open.stderr.includes('refusing to listen on tcp address 0.0.0.0'),
    )
  await until(isRefused, { what: () => open.stderr })
  assert.equal((await open.ended).code, 1)
  assert.ok(!existsSync(join(root, 'd')))

  const port = await freePort()
  const local = activate(`127.0.0.1:${port}`)
  context.after(() => {
    local.kill('SIGKILL')
    removeHostTraces(join(root, 'd'))
  })
  const ping = () => ask(port, 'localhost').catch(() => undefined)
  await until(async () => (await ping())?.status === 200, { what: () => local.stderr })
  assert.equal((await ask(port, 'evil.example')).status, 403)
  assert.match(local.stderr, /without client certificates/)
  local.kill('SIGTERM')
  assert.equal((await local.ended).code, 0)
})

test('--tls=false allows a network address, with a warning in the log, in info and as an event', async () => {
  await using host = OwnHost.make()
  const daemon = await host.startDaemon(['--host', `tcp://${host.address}:2375`, '--tls=false'])
  const url = `http://${host.address}:2375`
  assert.equal(await host.page('2375/_ping'), 'OK')
  const { log, warnings, events } = await told(daemon)
  assert.match(log, new RegExp(`"level":"warn".*"address":"tcp://${host.address}:2375","access":"open"`))
  assert.match(warnings, new RegExp(`^WARNING: API is accessible on ${url} without encryption\\.\n.*root access`))
  assert.match(events, new RegExp(`"Action":"api-exposed".*"address":"tcp://${host.address}:2375"`))
})

test('on loopback there is a warning, and a request for a foreign host is refused', async () => {
  const port = await freePort()
  await using daemon = await TestDaemon.start({ flags: ['--host', `tcp://127.0.0.1:${port}`] })
  for (const host of [`127.0.0.1:${port}`, 'localhost:9999', '[::1]'])
    assert.deepEqual(await ask(port, host), { status: 200, body: 'OK' }, host)
  const { status, body } = await ask(port, `rebound.example:${port}`)
  assert.equal(status, 403)
  assert.match(JSON.parse(body).message, /^refused for the header "Host: rebound\.example:\d+".*scripts in browsers$/)
  const client = await runCommand('docker', ['-H', `tcp://127.0.0.1:${port}`, 'info'])
  assert.equal(client.code, 0, client.stderr)
  const { log, warnings, events } = await told(daemon)
  assert.match(log, /"access":"loopback"/)
  assert.match(warnings, new RegExp(`accessible on http://127\\.0\\.0\\.1:${port} without encryption`))
  assert.match(events, /"access":"loopback"/)
})

test('--tls without --tlsverify counts as open to any client; with it there is no warning', async () => {
  const authority = await TestAuthority.create()
  const issued = await authority.issue('server')
  const root = mkdtempSync('/tmp/b-')
  try {
    const written = (name: string, text: string): string => {
      writeFileSync(join(root, name), text)
      return join(root, name)
    }
    const certificate = ['--tlscert', written('cert', issued.certificate), '--tlskey', written('key', issued.key)]
    const port = await freePort()
    const listen = ['--host', `tcp://127.0.0.1:${port}`, ...certificate]
    {
      await using daemon = await TestDaemon.start({ flags: [...listen, '--tls'] })
      assert.equal((await ask(port, `localhost:${port}`, authority.certificate)).status, 200)
      assert.equal((await ask(port, 'rebound.example', authority.certificate)).status, 403)
      const { warnings } = await told(daemon)
      assert.match(warnings, new RegExp(`https://127\\.0\\.0\\.1:${port} without TLS client verification`))
    }
    const verify = ['--tlsverify', '--tlscacert', written('ca', authority.certificate)]
    await using daemon = await TestDaemon.start({ flags: [...listen, ...verify] })
    assert.deepEqual(await told(daemon), { log: '', warnings: '', events: '' })
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('no address answers before all of them accept connections', async (context) => {
  const authority = await TestAuthority.create()
  const issued = await authority.issue('server')
  const root = mkdtempSync('/tmp/b-')
  context.after(() => rmSync(root, { recursive: true, force: true }))
  writeFileSync(join(root, 'daemon.json'), '{}')
  writeFileSync(join(root, 'cert'), issued.certificate)
  // The daemon cannot listen on TCP before it has read the key.
  await runOrThrow('mkfifo', [join(root, 'key')])
  const port = await freePort()
  const socket = join(root, 's')
  const daemon = new RunningCommand(berthd, [
    ...['--config-file', join(root, 'daemon.json'), '--data-root', join(root, 'd'), '--exec-root', join(root, 'x')],
    ...['--host', `unix://${socket}`, '--host', `tcp://127.0.0.1:${port}`],
    ...['--tls', '--tlscert', join(root, 'cert'), '--tlskey', join(root, 'key')],
  ])
  context.after(async () => {
    daemon.kill('SIGTERM')
    await daemon.ended
    removeHostTraces(join(root, 'd'))
  })
  // Opening resolves when the daemon opens the other end.
  const key = await open(join(root, 'key'), 'w')
  const ping = requestOverSocket(socket, 'GET', '/_ping')
  assert.equal(await Promise.race([ping, sleep(300, 'no answer')]), 'no answer')
  await key.writeFile(issued.key)
  await key.close()
  assert.equal((await ping).status, 200)
  assert.equal((await ask(port, 'localhost', authority.certificate)).status, 200)
})
