import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { polled } from '../../../test/helpers/polled.ts'
import { until } from '../../../test/helpers/wait.ts'
import { closeFd, duplicateFd, FdPoll, sendFile, writeFd } from '../index.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-send-'))
const bytes = randomBytes(3_000_000)
const path = join(directory, 'file')
writeFileSync(path, bytes)
after(() => rmSync(directory, { recursive: true }))

/** Both ends of a connection over loopback, and the descriptor of the first. */
async function connection(): Promise<{ near: Socket; far: Socket; fd: number; close: () => void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const accepted = once(server, 'connection')
  const far = connect(address.port, '127.0.0.1')
  const [near] = (await accepted) as [Socket & { readonly _handle: { readonly fd: number } }]
  near.on('error', () => {})
  const close = () => {
    near.destroy()
    far.destroy()
    server.close()
  }
  return { near, far, fd: near._handle.fd, close }
}

/** True when a socket has no room. */
async function isFull(fd: number): Promise<boolean> {
  let hasRoom = false
  const own = duplicateFd(fd)
  const poll = FdPoll.start(own, { write: true }, () => {
    hasRoom = true
    poll.stop()
  })
  await polled()
  poll.stop()
  closeFd(own)
  return !hasRoom
}

test('sendFile() sends a part of a file to a slow reader', async () => {
  const { near, far, fd, close } = await connection()
  const file = openSync(path, 'r')
  try {
    far.pause()
    let told = 0
    const sending = sendFile(fd, file, {
      start: 1000,
      sizeBytes: 2_900_000,
      onSent: (count) => {
        told += count
        // By now the socket was full at least once.
        far.resume()
      },
    })
    const received: Buffer[] = []
    far.on('data', (chunk: Buffer) => received.push(chunk))
    assert.equal(await sending, 2_900_000)
    assert.equal(told, 2_900_000)
    near.end()
    await once(far, 'end')
    assert.ok(Buffer.concat(received).equals(bytes.subarray(1000, 2_901_000)))
  } finally {
    closeSync(file)
    close()
  }
})

test('sendFile() resolves with the number of bytes sent when the file ends early', async () => {
  const { far, fd, close } = await connection()
  const file = openSync(path, 'r')
  try {
    far.resume()
    assert.equal(await sendFile(fd, file, { start: 2_999_000, sizeBytes: 5000, onSent() {} }), 1000)
  } finally {
    closeSync(file)
    close()
  }
})

test('sendFile() ends at an abort although the reader reads nothing', async () => {
  const { far, fd, close } = await connection()
  // More than a socket's buffers hold.
  const big = join(directory, 'big')
  writeFileSync(big, '')
  truncateSync(big, 100_000_000)
  const file = openSync(big, 'r')
  const controller = new AbortController()
  const reason = new Error('enough')
  try {
    far.pause()
    let sent = 0
    const onSent = (count: number) => {
      sent += count
    }
    const options = { start: 0, sizeBytes: 100_000_000, onSent, signal: controller.signal }
    const ended = assert.rejects(sendFile(fd, file, options), (error) => error === reason)
    await until(async () => sent > 0 && (await isFull(fd)), { what: 'a full socket' })
    controller.abort(reason)
    await ended
    assert.ok(sent < 100_000_000)
  } finally {
    closeSync(file)
    close()
  }
})

test('sendFile() ends when its signal aborts while a thread finds the socket full', async () => {
  const { far, fd, close } = await connection()
  const file = openSync(path, 'r')
  const controller = new AbortController()
  const reason = new Error('enough')
  try {
    far.pause()
    while (writeFd(fd, Buffer.alloc(1_000_000)) > 0 || !(await isFull(fd)));
    const options = {
      start: 0,
      sizeBytes: 1000,
      onSent: () => assert.fail('there is no room'),
      signal: controller.signal,
    }
    const ended = assert.rejects(sendFile(fd, file, options), (error) => error === reason)
    controller.abort(reason)
    await ended
  } finally {
    closeSync(file)
    close()
  }
})

test('sendFile() fails with the reason when the other side is gone', async () => {
  const { far, fd, close } = await connection()
  const file = openSync(path, 'r')
  try {
    far.resetAndDestroy()
    await assert.rejects(sendFile(fd, file, { start: 0, sizeBytes: 3_000_000, onSent() {} }), {
      code: /^(?:EPIPE|ECONNRESET)$/,
    })
  } finally {
    closeSync(file)
    close()
  }
})
