import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCycle, withoutComments } from './source-files.ts'

test('withoutComments() cuts comments and nothing else', () => {
  assert.equal(withoutComments("a // import x from './y.ts'\nb"), 'a \nb')
  assert.equal(withoutComments('a /* 1\n2 */ b'), 'a \n b')
  assert.equal(withoutComments("const url = 'http://x' // y"), "const url = 'http://x' ")
  assert.equal(withoutComments('const r = /[/]\\/\\/x/ // y'), 'const r = /[/]\\/\\/x/ ')
  assert.equal(withoutComments('`// ${a} not a comment`'), '`// ${a} not a comment`')
})

test('findCycle() gives the path of a cycle', () => {
  assert.equal(findCycle(new Map([['a', ['b', 'c']], ['b', ['c']], ['c', []]])), undefined) // biome-ignore format: a graph
  assert.deepEqual(findCycle(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), ['b', 'c', 'b']) // biome-ignore format: a graph
})
