import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readJsonBody } from './json-body.ts'

function read(text: string, contentType = 'application/json', limitBytes?: number): Promise<unknown> {
  const headers = { 'content-type': contentType, 'content-length': String(text.length) }
  return readJsonBody(Readable.from([Buffer.from(text)]), headers, { limitBytes })
}

test('readJsonBody() accepts JSON with any charset parameter', async () => {
  assert.deepEqual(await read('{"a":1}', 'application/json; charset=utf-8'), { a: 1 })
})

test('readJsonBody() gives undefined without a body', async () => {
  assert.equal(await readJsonBody(Readable.from([]), {}), undefined)
  assert.equal(await readJsonBody(Readable.from([]), { 'content-length': '0' }), undefined)
})

test('readJsonBody() refuses other bodies with Docker’s texts', async () => {
  await assert.rejects(read('{}', 'text/plain'), {
    kind: 'invalidArgument',
    message: "unsupported Content-Type header (text/plain): must be 'application/json'",
  })
  await assert.rejects(read('{}', ''), /malformed Content-Type header/)
  await assert.rejects(read('  '), { message: 'invalid JSON: got EOF while reading request body' })
  await assert.rejects(read('{oops'), { kind: 'invalidArgument', message: /^invalid JSON: / })
  await assert.rejects(read('{"a":"bbbbbbbb"}', 'application/json', 8), /too large/)
})
