import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyDecoder } from './body-decoder.ts'
import { BodyFault } from './body-fault.ts'

/** Decodes `text` in parts of a given number of bytes. Gives the body and the bytes after it. */
function decode(text: string, { sizeBytes, partBytes = text.length }: { sizeBytes?: number; partBytes?: number } = {}) {
  const decoder = new BodyDecoder(sizeBytes)
  let body = ''
  let rest = ''
  for (let offset = 0; offset < text.length; offset += partBytes) {
    const part = Buffer.from(text.slice(offset, offset + partBytes))
    const { pieces, endOffset } = decoder.decode(part)
    body += Buffer.concat(pieces)
    rest += part.subarray(endOffset)
  }
  return { body, rest, isEnded: decoder.isEnded }
}

test('BodyDecoder finds chunks wherever the bytes are cut', () => {
  const large = 'x'.repeat(20_000)
  const text = `3\r\nabc\r\n0A;name="v"\r\n0123456789\r\n${(20_000).toString(16)}\r\n${large}\r\n1\r\nz\r\n0\r\n\r\nNEXT`
  const body = `abc0123456789${large}z`
  assert.deepEqual(decode(text), { body, rest: 'NEXT', isEnded: true })
  for (const partBytes of [1, 2, 3, 5, 7, 100, 8191]) {
    assert.deepEqual(decode(text, { partBytes }), { body, rest: 'NEXT', isEnded: true }, `${partBytes}`)
  }
  assert.equal(decode(text.slice(0, text.length - 6)).isEnded, false)
})

test('BodyDecoder joins many small chunks to one piece', () => {
  const bytes = Buffer.from('1\r\nx\r\n'.repeat(1000))
  const { pieces } = new BodyDecoder(undefined).decode(bytes)
  assert.deepEqual(pieces.map(String), ['x'.repeat(1000)])
})

test('BodyDecoder skips trailers', () => {
  const text = '1\r\na\r\n0\r\nDigest: x\r\nOther: y\r\n\r\nNEXT'
  for (const partBytes of [1, 4, 100])
    assert.deepEqual(decode(text, { partBytes }), { body: 'a', rest: 'NEXT', isEnded: true })
})

test('BodyDecoder ends a sized body, and gives the offset of the bytes after it', () => {
  for (const partBytes of [1, 4, 100]) {
    assert.deepEqual(decode('abcdeNEXT', { sizeBytes: 5, partBytes }), { body: 'abcde', rest: 'NEXT', isEnded: true })
  }
  assert.deepEqual(decode('abc', { sizeBytes: 5 }), { body: 'abc', rest: '', isEnded: false })
  assert.deepEqual(decode('NEXT', { sizeBytes: 0 }), { body: '', rest: 'NEXT', isEnded: true })
})

test('BodyDecoder refuses malformed chunks', () => {
  for (const text of [
    '\r\n',
    'x\r\n',
    '-1\r\n',
    ' 1\r\na\r\n',
    '0x1\r\na\r\n',
    '1\na',
    '1 \r\na',
    '1;a\nb',
    '1\r\nab\r\n',
    '1\r\na\n',
    '1\rxa',
    '0\r\nTrailer\n',
    `${'f'.repeat(13)}\r\n`,
    `1;${'x'.repeat(20_000)}\r\n`,
    `0\r\n${'x: y\r\n'.repeat(5000)}`,
  ]) {
    assert.throws(
      () => decode(text),
      (error) => error instanceof BodyFault && error.kind === 'malformed',
      JSON.stringify(text.slice(0, 30)),
    )
  }
})
