import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { polled } from '../../../test/helpers/polled.ts'
import { closeFd, duplicateFd, makePipe, openFd, writeFd } from '../native/fd.ts'
import { FdReader } from './fd-reader.ts'
import { FdWriter } from './fd-writer.ts'

function readAll(fd: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    FdReader.start(fd, {
      onData: (chunk) => chunks.push(chunk),
      onEnd: (error) => (error === undefined ? resolve(Buffer.concat(chunks)) : reject(error)),
    })
  })
}

test('FdWriter and FdReader: 30 MB pass unchanged through a pipe, at the speed of the reader', async () => {
  const [readEnd, writeEnd] = makePipe()
  const sent = createHash('sha256')
  let drains = 0
  const finished = Promise.withResolvers<Error | undefined>()
  const writer = FdWriter.open(writeEnd, {
    onDrain: () => {
      drains++
      feed()
    },
    onClose: finished.resolve,
  })
  let left = 300
  const feed = () => {
    while (left > 0) {
      left--
      const chunk = randomBytes(100_000)
      sent.update(chunk)
      if (!writer.write(chunk)) return
    }
    writer.end()
  }
  const received = readAll(readEnd)
  feed()
  const bytes = await received
  assert.equal(bytes.byteLength, 30_000_000)
  assert.equal(createHash('sha256').update(bytes).digest('hex'), sent.digest('hex'))
  assert.equal(await finished.promise, undefined)
  assert.ok(drains > 10)
})

test('FdReader: pause holds the data back, resume delivers it', async () => {
  const [readEnd, writeEnd] = makePipe()
  const chunks: string[] = []
  const reader = FdReader.start(readEnd, { onData: (chunk) => chunks.push(chunk.toString()), onEnd() {} })
  reader.pause()
  writeFd(writeEnd, Buffer.from('one'))
  await polled()
  assert.deepEqual(chunks, [])
  reader.resume()
  await polled()
  assert.deepEqual(chunks, ['one'])
  writeFd(writeEnd, Buffer.from('two'))
  reader.drain()
  assert.deepEqual(chunks, ['one', 'two'])
  reader.close()
  reader.close()
  closeFd(writeEnd)
})

test('FdReader: pausing from inside onData stops at once', async () => {
  const [readEnd, writeEnd] = makePipe()
  let calls = 0
  const reader = FdReader.start(readEnd, {
    onData: () => {
      calls++
      reader.pause()
    },
    onEnd() {},
  })
  writeFd(writeEnd, Buffer.alloc(65536))
  await polled()
  writeFd(writeEnd, Buffer.from('more'))
  await polled()
  assert.equal(calls, 1)
  reader.close()
  closeFd(writeEnd)
})

test('FdWriter: reports EPIPE once and drops the rest', async () => {
  const [readEnd, writeEnd] = makePipe()
  const errors: unknown[] = []
  const closed = Promise.withResolvers<void>()
  const onClose = (error: Error | undefined) => {
    errors.push((error as NodeJS.ErrnoException | undefined)?.code)
    closed.resolve()
  }
  const writer = FdWriter.open(writeEnd, { onClose })
  assert.equal(writer.write(Buffer.alloc(200_000)), false)
  closeFd(readEnd)
  await closed.promise
  assert.deepEqual(errors, ['EPIPE'])
  assert.equal(writer.write(Buffer.from('x')), true)
  writer.end()
  writer.close()
  assert.deepEqual(errors, ['EPIPE'])
})

test('FdWriter: end waits for the queue, close does not', async () => {
  const [readEnd, writeEnd] = makePipe()
  const writer = FdWriter.open(writeEnd)
  writer.write(Buffer.alloc(150_000))
  writer.end()
  assert.equal((await readAll(readEnd)).byteLength, 150_000)
  const [secondRead, secondWrite] = makePipe()
  const second = FdWriter.open(secondWrite)
  second.write(Buffer.alloc(150_000))
  second.close()
  assert.ok((await readAll(secondRead)).byteLength < 150_000)
})

test('duplicateFd: the new number is not below the minimum', () => {
  const fd = openFd('/dev/null', 0)
  const copy = duplicateFd(fd, 100)
  assert.ok(copy >= 100)
  closeFd(copy)
  closeFd(fd)
  assert.throws(() => closeFd(fd), { code: 'EBADF' })
})
