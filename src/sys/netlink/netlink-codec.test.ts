import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  attribute,
  attributeText,
  formatRequest,
  nested,
  netlinkFlags,
  parseAttributes,
  parseReplies,
} from './netlink-codec.ts'

test('attribute pads to four bytes but keeps its own length', () => {
  const bytes = attribute(3, 'eth0')
  assert.deepEqual([...bytes], [9, 0, 3, 0, 101, 116, 104, 48, 0, 0, 0, 0])
  assert.deepEqual([...attribute(4, 1500)], [8, 0, 4, 0, 0xdc, 5, 0, 0])
})

test('nested attributes come back by type', () => {
  const bytes = Buffer.concat([attribute(1, 'a'), nested(18, attribute(1, 'veth'), attribute(2, 7))])
  const attributes = parseAttributes(bytes)
  assert.equal(attributeText(attributes.get(1)), 'a')
  const inner = parseAttributes(attributes.get(18) ?? Buffer.alloc(0))
  assert.equal(attributeText(inner.get(1)), 'veth')
  assert.equal(inner.get(2)?.readUInt32LE(), 7)
})

test('parseAttributes stops at a broken length', () => {
  assert.equal(parseAttributes(Buffer.from([2, 0, 1, 0, 9, 9, 9, 9])).size, 0)
  assert.equal(parseAttributes(Buffer.from([200, 0, 1, 0])).size, 0)
})

test('formatRequest and parseReplies agree on the header', () => {
  const request = { type: 16, flags: netlinkFlags.request | netlinkFlags.ack, body: Buffer.from('abcde'), label: 'x' }
  const bytes = Buffer.concat([formatRequest(request, 7), formatRequest(request, 8)])
  const replies = parseReplies(bytes)
  assert.deepEqual(
    replies.map((reply) => [reply.type, reply.flags, reply.sequence, reply.body.toString()]),
    [
      [16, 5, 7, 'abcde'],
      [16, 5, 8, 'abcde'],
    ],
  )
  assert.deepEqual(parseReplies(bytes.subarray(0, 20)), [])
})
