import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, mock, test } from 'node:test'
import { descriptorOf } from '../../../../http/index.ts'
import { duplicateFd } from '../../../../sys/index.ts'
import { BodyFault } from './body-fault.ts'
import { BodyReceiver, type BodyTarget } from './body-receiver.ts'

const directory = mkdtempSync('/tmp/br-rc-')
after(() => rmSync(directory, { recursive: true }))

type End = Parameters<BodyTarget['onEnd']>[0]

/** A client's connection, and a receiver of a chunked body at the other end. */
async function receive(name: string, { head = '', flags = 'w' }: { head?: string; flags?: string } = {}) {
  const server = createServer({ pauseOnConnect: true }).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  server.close()
  const file = openSync(join(directory, name), flags)
  const ended = Promise.withResolvers<End>()
  const receiver = new BodyReceiver(
    {
      socket: duplicateFd(descriptorOf(accepted) ?? -1),
      head: Buffer.from(head),
      bodyBytes: undefined,
      maxBytes: undefined,
      idleMs: 1000,
    },
    { file, offset: 0, onWritten() {}, onEnd: (end) => ended.resolve(end) },
  )
  receiver.start()
  return {
    receiver,
    client,
    end: ended.promise,
    close() {
      client.destroy()
      accepted.destroy()
      closeSync(file)
    },
  }
}

function faultOf(end: End): string | undefined {
  return 'error' in end && end.error instanceof BodyFault ? end.error.kind : undefined
}

test("bytes that wait while the thread is busy don't count as silence", async () => {
  // As in a busy thread, the late timer runs before the sockets are polled.
  const { setTimeout: sleep } = globalThis
  mock.timers.enable({ apis: ['setTimeout'] })
  const { client, end, close } = await receive('busy', { head: '3\r\nabc\r\n' })
  try {
    await new Promise<void>((resolve) => client.write('3\r\ndef\r\n0\r\n\r\nNEXT', () => resolve()))
    await new Promise<void>((resolve) => {
      sleep(() => {
        mock.timers.tick(5000)
        resolve()
      }, 1)
    })
    const ended = await end
    assert.ok('rest' in ended, JSON.stringify(ended))
    assert.equal(Buffer.from(ended.rest).toString(), 'NEXT')
    assert.equal(ended.sizeBytes, 6)
  } finally {
    mock.timers.reset()
    close()
  }
})

test('BodyReceiver ends with the fault silent if the client sends nothing for too long', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { end, close } = await receive('silent', { head: '3\r\nabc\r\n' })
  try {
    mock.timers.tick(5000)
    const ended = await end
    assert.equal(faultOf(ended), 'silent')
    assert.equal(ended.sizeBytes, 3)
  } finally {
    mock.timers.reset()
    close()
  }
})

test('a whole body that arrived with the headers is written, and the connection stays open', async () => {
  const { client, end, close } = await receive('head', { head: '3\r\nabc\r\n0\r\n\r\n' })
  assert.equal((await end).sizeBytes, 3)
  client.on('end', () => assert.fail('the connection was ended'))
  await new Promise<void>((resolve) => client.write('more', () => resolve()))
  close()
})

test('a receiver reports a failed write and a cancellation', async () => {
  const broken = await receive('head', { head: '3\r\nabc\r\n', flags: 'r' })
  const ended = await broken.end
  assert.ok('error' in ended && ended.error instanceof Error)
  assert.match(ended.error.message, /^EBADF/)
  broken.close()
  const cancelled = await receive('cancelled')
  cancelled.receiver.cancel()
  assert.equal(faultOf(await cancelled.end), 'gone')
  cancelled.close()
})
