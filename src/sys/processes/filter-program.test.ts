import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { filterThrough } from './filter-program.ts'

async function* repeat(chunk: Buffer, count: number, onEnd = () => {}): AsyncGenerator<Buffer> {
  try {
    for (let index = 0; index < count; index += 1) yield chunk
  } finally {
    onEnd()
  }
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('filterThrough() gives the output of the program, also to a slow reader', async () => {
  const chunk = Buffer.alloc(100_000, 'a')
  assert.equal((await collect(filterThrough('tr', ['a', 'b'], repeat(chunk, 50)))).indexOf('a'), -1)
  let bytes = 0
  for await (const piece of filterThrough('cat', [], repeat(chunk, 50))) {
    bytes += piece.length
    await nextTurn()
  }
  assert.equal(bytes, 5_000_000)
  assert.equal((await collect(filterThrough('cat', [], repeat(chunk, 0)))).length, 0)
})

test('filterThrough() reads the source to its end when the program does not', async () => {
  let hasEnded = false
  const source = repeat(Buffer.alloc(100_000), 50, () => {
    hasEnded = true
  })
  assert.equal((await collect(filterThrough('head', ['-c', '3'], source))).length, 3)
  assert.ok(hasEnded)
})

test('filterThrough() throws when the program fails or is missing, or when the source fails', async () => {
  const run = (program: string, args: readonly string[], source = repeat(Buffer.from('x'), 1)) =>
    collect(filterThrough(program, args, source))
  await assert.rejects(run('sh', ['-c', 'cat >/dev/null; echo broken >&2; exit 3']), {
    kind: 'invalidArgument',
    message: 'sh: broken',
  })
  await assert.rejects(run('sh', ['-c', 'exit 3']), { message: 'sh: exit code 3' })
  await assert.rejects(run('/nonexistent/xz', []), {
    kind: 'notImplemented',
    message: '/nonexistent/xz is not installed on this host',
  })
  async function* breaking(): AsyncGenerator<Buffer> {
    yield Buffer.from('x')
    throw new Error('connection lost')
  }
  await assert.rejects(run('cat', [], breaking()), /connection lost/)
})

test('filterThrough() kills the program when the reader stops or the signal aborts', async () => {
  for await (const _ of filterThrough('cat', [], repeat(Buffer.alloc(1_000_000), 1_000_000))) break
  const abort = new AbortController()
  const reading = collect(filterThrough('sleep', ['1000'], repeat(Buffer.from('x'), 1), { signal: abort.signal }))
  abort.abort(new Error('enough'))
  await assert.rejects(reading, /enough/)
})
