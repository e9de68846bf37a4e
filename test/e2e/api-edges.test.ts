/** What Docker does with requests that its command line never sends and libraries do: single streams of an exec,
 *  attachments of nothing, values left out. Each was compared with dockerd 26.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../helpers/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  await daemon.ok(['run', '-d', '--network', 'none', '--name', 'up', 'busybox', 'sleep', '1000'])
})
after(() => daemon?.[Symbol.asyncDispose]())

/** A frame as the stream has it, for texts of less than 256 bytes. */
function frame(stream: 1 | 2, text: string): string {
  return `${String.fromCharCode(stream)}\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`
}

async function exec(config: Readonly<Record<string, unknown>>, start = {}): Promise<string> {
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/up/exec', config)
  const { status, text } = await daemon.api('POST', `/exec/${body.Id}/start`, start)
  assert.equal(status, 200)
  return text
}

const both = ['sh', '-c', 'echo out; echo err >&2']

test('exec: only the streams that were asked for', async () => {
  assert.equal(await exec({ Cmd: both, AttachStdout: true }), frame(1, 'out\n'))
  assert.equal(await exec({ Cmd: both, AttachStderr: true }), frame(2, 'err\n'))
  assert.equal(await exec({ Cmd: ['echo', 'x'], Tty: true, AttachStderr: true }, { Tty: true }), '')
})

test('exec: without any stream the answer ends when the process runs, which goes on', async () => {
  const script = 'while [ ! -e /tmp/go ]; do sleep 0.05; done; echo out; echo done >/tmp/ran'
  assert.equal(await exec({ Cmd: ['sh', '-c', script] }), '')
  await exec({ Cmd: ['touch', '/tmp/go'], AttachStdout: true })
  const wait = 'until [ -e /tmp/ran ]; do sleep 0.05; done; cat /tmp/ran'
  assert.equal(await exec({ Cmd: ['sh', '-c', wait], AttachStdout: true }), frame(1, 'done\n'))
})

test('exec: the start decides about frames, not the exec', async () => {
  const all = { AttachStdout: true, AttachStderr: true }
  assert.equal(await exec({ Cmd: ['echo', 'x'], Tty: true, ...all }, { Tty: false }), frame(1, 'x\r\n'))
  assert.equal(await exec({ Cmd: both, ...all }, { Tty: true }), 'out\n')
})

test('exec: one that ran is refused; its detach keys are shown as bytes', async () => {
  const config = { Cmd: ['true'], AttachStdout: true, DetachKeys: 'ctrl-a,x' }
  const { body } = await daemon.api<{ Id: string }>('POST', '/containers/up/exec', config)
  await daemon.api('POST', `/exec/${body.Id}/start`, {})
  const again = await daemon.api('POST', `/exec/${body.Id}/start`, { Detach: true })
  assert.deepEqual([again.status, again.body], [409, { message: `Error: Exec command ${body.Id} has already run` }])
  const shown = await daemon.api<{ DetachKeys: string }>('GET', `/exec/${body.Id}/json`)
  assert.equal(shown.body.DetachKeys, Buffer.from([1, 'x'.charCodeAt(0)]).toString('base64'))
})

test('attach: with nothing to carry it ends', async () => {
  for (const query of ['', '?stream=1', '?stream=1&stdin=1', '?logs=1']) {
    const { status, text } = await daemon.api('POST', `/containers/up/attach${query}`)
    assert.deepEqual([status, text], [200, ''], query)
  }
})
