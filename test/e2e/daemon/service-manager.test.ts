/** berthd under a service manager: sockets that it passes on, and the notification that the daemon accepts requests. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RunningCommand, runCommand } from '../../helpers/command.ts'
import { requestOverSocket } from '../../helpers/daemons/api.ts'
import { removeHostTraces } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const berthd = join(import.meta.dirname, '../../../bin/berthd')
/** Prints the messages to the datagram socket $1. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
print('bound', flush=True)
while True: print(s.recv(4096).decode(), end='', flush=True)
`

for (const kind of ['a file', 'a name without a file']) {
  test(`the daemon serves a socket of the service manager and notifies it (${kind})`, async (context) => {
    const root = mkdtempSync('/tmp/b-')
    context.after(() => rmSync(root, { recursive: true, force: true }))
    const notifyPath = kind === 'a file' ? join(root, 'notify') : `@${root}/notify`
    const told = new RunningCommand('python3', ['-c', receiver, notifyPath])
    context.after(() => told.kill('SIGKILL'))
    await told.sees('bound')

    writeFileSync(join(root, 'daemon.json'), '{}')
    const socket = join(root, 's')
    const roots = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x')]
    const daemon = new RunningCommand('systemd-socket-activate', [
      ...['-E', `NOTIFY_SOCKET=${notifyPath}`, '-l', socket, berthd],
      ...['--config-file', join(root, 'daemon.json'), '-H', 'fd://', ...roots],
    ])
    context.after(() => {
      daemon.kill('SIGKILL')
      removeHostTraces(join(root, 'd'))
    })
    const ping = () => requestOverSocket(socket, 'GET', '/_ping').catch(() => undefined)
    await until(async () => (await ping())?.status === 200, { what: () => daemon.stderr })
    await told.sees('READY=1\n')

    daemon.kill('SIGTERM')
    assert.equal((await daemon.ended).code, 0)
    await told.sees('STOPPING=1\n')
    assert.ok(existsSync(socket), 'the socket is the service manager’s and stays')
  })
}

test('fd:// without a service manager is an error', async () => {
  const root = mkdtempSync('/tmp/b-')
  try {
    writeFileSync(join(root, 'daemon.json'), '{}')
    const roots = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x')]
    const { code, stderr } = await runCommand(berthd, [
      '--config-file',
      join(root, 'daemon.json'),
      '-H',
      'fd://',
      ...roots,
    ])
    assert.equal(code, 1)
    assert.match(stderr, /berthd: fd:\/\/: no socket was passed on/)
    assert.deepEqual(readdirSync(root), ['daemon.json'], 'nothing was made')
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
