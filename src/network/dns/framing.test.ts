import assert from 'node:assert/strict'
import { test } from 'node:test'
import { framed, MessageReader } from './framing.ts'

test('MessageReader finds messages however the stream is cut', () => {
  const messages = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(700, 'x')]
  const stream = Buffer.concat(messages.map(framed))
  for (const size of [1, 2, 3, 5, 300, stream.length]) {
    const found: string[] = []
    const reader = new MessageReader((message) => found.push(message.toString()))
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
    assert.deepEqual(found, messages.map(String))
  }
})
