import assert from 'node:assert/strict'
import { closeSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { polled } from '../../../test/helpers/polled.ts'
import { runCommand } from '../processes/run-command.ts'
import { closeFd, makePipe, openFd, readFd, writeFd } from './fd.ts'
import { FdPoll } from './poll.ts'

const byte = Buffer.from('x')

test('FdPoll: calls back while there is data to read, until it is stopped', async () => {
  const [readEnd, writeEnd] = makePipe()
  let calls = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const poll = FdPoll.start(readEnd, { read: true }, (events) => {
    assert.deepEqual(events, { read: true, write: false })
    if (++calls === 3) {
      poll.stop()
      resolve()
    }
  })
  writeFd(writeEnd, byte)
  await promise
  poll.stop()
  await polled()
  assert.equal(calls, 3)
  closeFd(readEnd)
  closeFd(writeEnd)
})

test('FdPoll: a promise resolved in the callback continues in the same turn of the loop', async () => {
  const [readEnd, writeEnd] = makePipe()
  const order: string[] = []
  const called = Promise.withResolvers<void>()
  const nextTurn = Promise.withResolvers<void>()
  const poll = FdPoll.start(readEnd, { read: true }, () => {
    poll.stop()
    setImmediate(() => {
      order.push('next turn')
      nextTurn.resolve()
    })
    called.resolve()
  })
  writeFd(writeEnd, byte)
  await called.promise
  order.push('promise')
  await nextTurn.promise
  assert.deepEqual(order, ['promise', 'next turn'])
  closeFd(readEnd)
  closeFd(writeEnd)
})

test('FdPoll: update pauses and continues', async () => {
  const [readEnd, writeEnd] = makePipe()
  let calls = 0
  const poll = FdPoll.start(readEnd, {}, () => {
    calls++
    poll.update({})
  })
  writeFd(writeEnd, byte)
  await polled()
  assert.equal(calls, 0)
  poll.update({ read: true })
  await polled()
  assert.equal(calls, 1)
  poll.stop()
  closeFd(readEnd)
  closeFd(writeEnd)
})

test('FdPoll: reports when the reader of a full pipe closes it', async () => {
  const [readEnd, writeEnd] = makePipe()
  const filled = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<void>()
  const poll = FdPoll.start(writeEnd, { write: true }, () => {
    filled.resolve()
    // -32 is EPIPE, which the owner sees at its next write.
    if (writeFd(writeEnd, Buffer.alloc(65536)) !== -32) return
    poll.stop()
    failed.resolve()
  })
  await filled.promise
  closeFd(readEnd)
  await failed.promise
  closeFd(writeEnd)
})

test('FdPoll: refuses descriptors that can not be polled', () => {
  assert.throws(() => FdPoll.start(9999, { read: true }, () => {}), { code: 'EBADF' })
  const fd = openFd('/etc/passwd', 0)
  assert.throws(() => FdPoll.start(fd, { read: true }, () => {}), { code: 'EPERM' })
  closeSync(fd)
})

test('FdPoll: two thousand polls of one descriptor number, opened and closed', async () => {
  let seen = 0
  for (let round = 0; round < 2000; round++) {
    const [readEnd, writeEnd] = makePipe()
    const { promise, resolve } = Promise.withResolvers<void>()
    const poll = FdPoll.start(readEnd, { read: true }, () => {
      seen += readFd(readEnd, Buffer.alloc(1))
      poll.stop()
      resolve()
    })
    writeFd(writeEnd, byte)
    await promise
    closeFd(readEnd)
    closeFd(writeEnd)
  }
  assert.equal(seen, 2000)
})

const modulePath = JSON.stringify(new URL('../index.ts', import.meta.url).href)

async function runNode(script: string) {
  const args = ['--input-type=module', '-e', `import { FdPoll, makePipe, writeFd } from ${modulePath}\n${script}`]
  return await runCommand(process.execPath, args, { timeoutMs: 20_000 })
}

test('FdPoll: an exception in the callback surfaces as an uncaught one', async () => {
  const { code, stderr } = await runNode(`
    const [r, w] = makePipe()
    FdPoll.start(r, { read: true }, () => { throw new Error('from the callback') })
    writeFd(w, Buffer.from('x'))`)
  assert.equal(code, 1)
  assert.match(stderr, /from the callback/)
})

test('FdPoll: an unref-ed poll lets the process exit, and process.exit works with any live poll', async () => {
  assert.equal((await runNode('FdPoll.start(makePipe()[0], { read: true }, () => {}, { unref: true })')).code, 0)
  const exit = 'FdPoll.start(makePipe()[0], { read: true }, () => {}); setImmediate(() => process.exit(3))'
  assert.equal((await runNode(exit)).code, 3)
})

test('FdPoll: throws in a worker thread, where descriptors still work', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads'
    import { FdPoll, makePipe, writeFd } from ${modulePath}
    const [r, w] = makePipe()
    const written = writeFd(w, Buffer.from('x'))
    try { FdPoll.start(r, { read: true }, () => {}) } catch (error) { parentPort.postMessage({ written, kind: error.kind }) }`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const { promise, resolve } = Promise.withResolvers<unknown>()
  worker.once('message', resolve)
  assert.deepEqual(await promise, { written: 1, kind: 'internal' })
  await worker.terminate()
  assert.ok(readFileSync('/proc/self/stat').length > 0)
})
