import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from './drivers/log-record.ts'
import { RecordQueue } from './record-queue.ts'

function record(text: string): LogRecord {
  const position = { inode: 1, head: '', offset: 0 }
  return { stream: 'stdout', timeNs: 0n, text: Buffer.from(text), position }
}

const texts = (records: readonly LogRecord[]) => records.map(({ text }) => text.toString())

test('RecordQueue drops the newest records beyond its limit, which counts all undelivered ones', async () => {
  const queue = new RecordQueue(1000, 10)
  await queue.room(false)
  for (const text of ['aaaa', 'bbbb', 'cccc']) queue.push(record(text))
  const taken = await queue.take(1000)
  assert.deepEqual(texts(taken), ['aaaa', 'bbbb'])
  // They are being sent, and still count.
  queue.push(record('dddd'))
  assert.equal(queue.takeDropped(), 2)
  queue.delivered(taken)
  queue.push(record('longer than the limit'))
  assert.deepEqual(texts(await queue.take(1000)), ['longer than the limit'])
  assert.equal(queue.takeDropped(), 0)
})

test('RecordQueue drops nothing while it catches up or without a limit: the reader waits', async () => {
  for (const [limit, catchingUp] of [
    [10, true],
    [undefined, false],
  ] as const) {
    const queue = new RecordQueue(20, limit)
    if (!catchingUp) await queue.room(false)
    for (let index = 0; index < 10; index++) queue.push(record('xxxx'))
    let hasRoom = false
    const room = queue.room(catchingUp).then(() => {
      hasRoom = true
    })
    const taken = await queue.take(10_000)
    assert.deepEqual([taken.length, hasRoom, queue.takeDropped()], [10, false, 0])
    queue.delivered(taken)
    await room
    queue.end()
    assert.deepEqual(await queue.take(10), [])
  }
})
