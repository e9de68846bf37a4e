import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expandWord, splitWords } from './shell-word.ts'

const variables = new Map([
  ['A', 'x y'],
  ['EMPTY', ''],
])

test('expandWord() replaces variables and removes quotes', () => {
  for (const [text, expected] of [
    ['a$A-b', 'ax y-b'],
    ['${A}b', 'x yb'],
    ['$NONE', ''],
    ['${NONE:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${A:-d}', 'x y'],
    ['${A:+other}', 'other'],
    ['${EMPTY:+other}', ''],
    ['${NONE:-${A}}', 'x y'],
    ["'$A'", '$A'],
    ['"$A"', 'x y'],
    ['\\$A', '$A'],
    ['"a\\"b"', 'a"b'],
    ['end\\', 'end\\'],
  ] as const) {
    assert.equal(expandWord(text, variables), expected, text)
  }
})

test('expandWord() refuses open quotes and braces', () => {
  for (const text of ["'a", '"a', '${A']) {
    assert.throws(() => expandWord(text, variables), { kind: 'invalidArgument' }, text)
  }
})

test('splitWords() splits at blanks outside of quotes', () => {
  assert.deepEqual(splitWords(`a "b c"=d 'e f' g\\ h`), ['a', '"b c"=d', "'e f'", 'g\\ h'])
  assert.deepEqual(splitWords('  '), [])
})
