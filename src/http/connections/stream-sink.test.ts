import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StreamSink } from './stream-sink.ts'

/** The frames of a multiplexed stream: stream number and payload. */
function framesOf(bytes: Buffer): (readonly [number, string])[] {
  const frames: (readonly [number, string])[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const length = bytes.readUInt32BE(offset + 4)
    frames.push([bytes.readUInt32BE(offset) / 0x1000000, bytes.toString('latin1', offset + 8, offset + 8 + length)])
    offset += 8 + length
  }
  return frames
}

async function collect(write: (sink: StreamSink) => void, multiplexed = true, framePerLine = false): Promise<Buffer> {
  const output = new PassThrough({ highWaterMark: 1 << 24 })
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const sink = new StreamSink(output, { multiplexed, framePerLine })
  write(sink)
  sink.end()
  await once(output, 'end')
  return Buffer.concat(chunks)
}

test('StreamSink keeps the order and joins neighboring chunks of one stream', async () => {
  const bytes = await collect((sink) => {
    sink.write('stdout', Buffer.from('a'))
    sink.write('stdout', Buffer.from('b'))
    sink.write('stderr', Buffer.from('c'))
    sink.write('stdout', Buffer.from('d'))
    sink.write('stdout', Buffer.alloc(0))
  })
  assert.deepEqual(framesOf(bytes), [
    [1, 'ab'],
    [2, 'c'],
    [1, 'd'],
  ])
})

test('StreamSink sends no frames when it is not multiplexed', async () => {
  const bytes = await collect((sink) => {
    sink.write('stdout', Buffer.from('a'))
    sink.write('stderr', Buffer.from('b'))
    sink.write('stdout', Buffer.alloc(40_000, 'x'))
  }, false)
  assert.equal(bytes.toString('latin1'), `ab${'x'.repeat(40_000)}`)
})

test('StreamSink carries chunks of all sizes completely', async () => {
  let expected = { 1: '', 2: '' }
  const bytes = await collect((sink) => {
    for (let i = 0; i < 3000; i++) {
      const stream = i % 7 === 0 ? 'stderr' : 'stdout'
      const text = String(i % 10).repeat((i * 7919) % (i % 50 === 0 ? 70_000 : 300))
      sink.write(stream, Buffer.from(text))
      expected = stream === 'stdout' ? { ...expected, 1: expected[1] + text } : { ...expected, 2: expected[2] + text }
    }
  })
  const got = { 1: '', 2: '' }
  for (const [number, text] of framesOf(bytes)) {
    assert.ok(text.length > 0)
    got[number as 1 | 2] += text
  }
  assert.equal(got[1], expected[1])
  assert.equal(got[2], expected[2])
})

test('StreamSink with framePerLine gives each line a frame', async () => {
  const long = 'x'.repeat(20_000)
  const write = (sink: StreamSink) => {
    sink.write('stdout', Buffer.from(`a\nb\n${long}\nc`))
    sink.write('stderr', Buffer.from('d\n'))
  }
  assert.deepEqual(framesOf(await collect(write, true, true)), [
    [1, 'a\n'],
    [1, 'b\n'],
    [1, `${long}\n`],
    [1, 'c'],
    [2, 'd\n'],
  ])
  assert.equal((await collect(write, false, true)).toString(), `a\nb\n${long}\ncd\n`)
})

test('StreamSink sends small chunks at the end of the turn', async () => {
  const output = new PassThrough()
  new StreamSink(output, { multiplexed: false }).write('stdout', Buffer.from('prompt'))
  assert.equal(output.readableLength, 0)
  await nextTurn()
  assert.equal(String(output.read()), 'prompt')
})

test('StreamSink asks its source to stop and to continue', async () => {
  let release: (() => void) | undefined
  const slow = new Writable({
    highWaterMark: 1024,
    write: (_chunk, _encoding, callback) => {
      release = callback
    },
  })
  const sink = new StreamSink(slow, { multiplexed: true })
  let drained = 0
  sink.onDrain(() => drained++)
  assert.equal(sink.write('stdout', Buffer.alloc(20_000)), false)
  assert.equal(drained, 0)
  for (let i = 0; i < 3 && drained === 0; i++) {
    release?.()
    await nextTurn()
  }
  assert.equal(drained, 1)
})

test('StreamSink reports once that the receiver has gone, and drops later chunks', async () => {
  const output = new PassThrough()
  const sink = new StreamSink(output, { multiplexed: true })
  let closed = 0
  sink.onClose(() => closed++)
  output.destroy(new Error('gone'))
  await once(output, 'close').catch(() => undefined)
  await nextTurn()
  assert.equal(closed, 1)
  assert.equal(sink.write('stdout', Buffer.alloc(100_000)), true)
  sink.end()
  const late = Promise.withResolvers<void>()
  sink.onClose(() => late.resolve())
  await late.promise
})
