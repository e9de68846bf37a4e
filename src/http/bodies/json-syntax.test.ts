import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonSyntaxMessage } from './json-syntax.ts'

test('jsonSyntaxMessage() has Go’s texts', () => {
  const cases: readonly [text: string, message: string][] = [
    ['{', 'unexpected EOF'],
    ['{"a":', 'unexpected EOF'],
    ['{"a', 'unexpected EOF'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['nul', 'unexpected EOF'],
    ['foo', "invalid character 'o' in literal false (expecting 'a')"],
    ['"a\nb"', String.raw`invalid character '\n' in string literal`],
    [String.raw`"\x"`, "invalid character 'x' in string escape code"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['{} {}', 'unexpected content after JSON'],
  ]
  for (const [text, message] of cases) assert.equal(jsonSyntaxMessage(text), message, text)
})
