import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHealthcheck } from './healthcheck-change.ts'

const arrayOf = (text: string): string[] | undefined => (text.startsWith('[') ? JSON.parse(text) : undefined)

test('parseHealthcheck() parses commands and options', () => {
  assert.deepEqual(parseHealthcheck('NONE', arrayOf), { Test: ['NONE'] })
  assert.deepEqual(parseHealthcheck('cmd curl -f x', arrayOf), { Test: ['CMD-SHELL', 'curl -f x'] })
  assert.deepEqual(
    parseHealthcheck('--interval=1m30s --timeout=1.5s --start-period=0 --retries=3 CMD ["a", "b"]', arrayOf),
    { Test: ['CMD', 'a', 'b'], Interval: 90e9, Timeout: 1.5e9, StartPeriod: 0, Retries: 3 },
  )
})

test('parseHealthcheck() refuses with Docker’s texts', () => {
  for (const [text, message] of [
    ['', 'Missing command after HEALTHCHECK'],
    ['CMD', 'Missing command after HEALTHCHECK CMD'],
    ['CMD []', 'Missing command after HEALTHCHECK CMD'],
    ['NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['run x', 'Unknown type "RUN" in HEALTHCHECK (try CMD)'],
    ['--what=1 CMD x', 'unknown flag: --what'],
    ['--interval=1x CMD x', 'time: invalid duration "1x"'],
    ['--interval=1us CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['--timeout=-1s CMD x', 'Interval "timeout" cannot be less than 1ms'],
    ['--retries=-1 CMD x', '--retries cannot be negative (-1)'],
    ['--retries=x CMD x', 'strconv.ParseInt: parsing "x": invalid syntax'],
  ] as const) {
    assert.throws(() => parseHealthcheck(text, arrayOf), { kind: 'invalidArgument', message }, text)
  }
})
