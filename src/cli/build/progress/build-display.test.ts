import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildEvent } from '../../../api/index.ts'
import { CapturedOutput } from '../../testing/run-cli.ts'
import type { BuildDisplay } from './build-display.ts'
import { PlainDisplay } from './plain-display.ts'
import { QuietDisplay } from './quiet-display.ts'
import { toBuildStatus } from './solve-events.ts'
import { formatLogTime } from './step-text.ts'
import { TerminalDisplay } from './terminal-display.ts'

const begin = Date.parse('2026-01-02T03:04:05Z')
const at = (seconds: number) => new Date(begin + seconds * 1000).toISOString()

/** An event and its time in seconds. */
type Timed = readonly [number, BuildEvent]

function show(display: BuildDisplay, events: readonly Timed[]): void {
  for (const [seconds, event] of events) {
    const status = toBuildStatus(event, new Date(begin + seconds * 1000))
    if (status !== undefined) display.update(status)
  }
}

const load = { type: 'vertex', id: 'load', name: '[internal] load build definition from Dockerfile' } as const
const base = { type: 'vertex', id: 'base', name: '[1/3] FROM docker.io/library/debian:12' } as const
const run = { type: 'vertex', id: 'run', name: '[2/3] RUN make' } as const
const copy = { type: 'vertex', id: 'copy', name: '[3/3] COPY . /app' } as const

const begun: readonly Timed[] = [
  [0, { ...load, started: at(0) }],
  [
    0,
    { type: 'status', vertex: 'load', id: 'transferring dockerfile:', current: 120, started: at(0), completed: at(0) },
  ],
  [0, { ...load, started: at(0), completed: at(0) }],
  [0.1, base],
  [0.1, run],
  [0.1, copy],
  [0.1, { ...base, started: at(0.1), completed: at(0.1), cached: true }],
  [0.1, { ...run, started: at(0.1) }],
  [0.3, { type: 'log', vertex: 'run', stream: 1, text: 'first line\nsecond ' }],
  [0.4, { type: 'log', vertex: 'run', stream: 1, text: 'line\n 10%\r 90%\r100%\n' }],
]

const done: readonly Timed[] = [
  [1.5, { ...run, started: at(0.1), completed: at(1.5) }],
  [1.5, { ...copy, started: at(1.5), completed: at(1.6) }],
]

const failed: readonly Timed[] = [
  [
    1.5,
    {
      ...run,
      started: at(0.1),
      completed: at(1.5),
      error: 'process "make" did not complete successfully: exit code: 2',
    },
  ],
]

const beginning = `#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 120B done
#1 DONE 0.0s

#2 [1/3] FROM docker.io/library/debian:12
#2 CACHED

#3 [2/3] RUN make
#3 0.200 first line
#3 0.300 second line
#3 0.300 100%
`

test('PlainDisplay keeps the lines of each step together', () => {
  const output = new CapturedOutput()
  const display = new PlainDisplay(output)
  show(display, [...begun, ...done])
  display.finish({ failed: false })
  assert.equal(output.text, `${beginning}#3 DONE 1.4s\n\n#4 [3/3] COPY . /app\n#4 DONE 0.1s\n`)
})

test('PlainDisplay ends with the log of the failed step', () => {
  const output = new CapturedOutput()
  const display = new PlainDisplay(output)
  show(display, [...begun, ...failed])
  display.finish({ failed: true })
  const log = '------\n > [2/3] RUN make:\n0.200 first line\n0.300 second line\n0.300 100%\n------\n'
  const error = '#3 ERROR: process "make" did not complete successfully: exit code: 2\n'
  assert.equal(output.text, `${beginning}${error}${log}`)
})

test('PlainDisplay lets concurrent steps take turns', () => {
  const output = new CapturedOutput()
  let nowMs = 0
  const display = new PlainDisplay(output, { now: () => nowMs })
  const log = (vertex: string, text: string): Timed => [1, { type: 'log', vertex, stream: 1, text }]
  show(display, [
    [1, { ...run, started: at(1) }],
    [1, { ...copy, started: at(1) }],
    log('run', 'a\n'),
    log('copy', 'b\n'),
  ])
  assert.equal(output.text, '#1 [2/3] RUN make\n#1 0.000 a\n')
  nowMs = 6_000
  show(display, [log('copy', 'c\n')])
  show(display, [
    [2, { ...run, started: at(1), completed: at(2) }],
    [2, { ...copy, started: at(1), completed: at(2) }],
  ])
  const turn = '\n#2 [3/3] COPY . /app\n#2 0.000 b\n#2 0.000 c\n'
  assert.equal(
    output.text,
    `#1 [2/3] RUN make\n#1 0.000 a\n${turn}\n#1 [2/3] RUN make\n#1 DONE 1.0s\n\n#2 [3/3] COPY . /app\n#2 DONE 1.0s\n`,
  )
})

test('QuietDisplay prints only why a step failed', () => {
  const output = new CapturedOutput()
  const good = new QuietDisplay(output)
  show(good, [...begun, ...done])
  good.finish({ failed: false })
  assert.equal(output.text, '')
  const bad = new QuietDisplay(output)
  show(bad, [...begun, ...failed])
  bad.finish({ failed: true })
  assert.match(output.text, /^------\n > \[2\/3\] RUN make:\n0\.200 first line\n/)
})

/** The lines that a terminal shows after these bytes. Knows only the sequences that this display uses. */
function screenOf(text: string): string[] {
  const lines: string[] = ['']
  let row = 0
  for (const [, up, clear, newline, other] of text.matchAll(
    /\x1b\[(\d+)A|(\x1b\[J)|(\n)|\x1b\[[^a-zA-Z]*[a-zA-Z]|([^\x1b\n]+)/g,
  )) {
    if (up !== undefined) row -= Number(up)
    else if (clear !== undefined) lines.splice(row, Infinity, '')
    else if (newline !== undefined) lines[(row += 1)] ??= ''
    else if (other !== undefined) lines[row] += other
  }
  return lines
}

test('TerminalDisplay redraws in place', () => {
  const output = new CapturedOutput({ isTerminal: true, columns: 60 })
  let nowMs = begin
  const display = new TerminalDisplay(output, { now: () => nowMs, logLines: 2 })
  show(display, begun)
  nowMs = begin + 1000
  display.draw()
  assert.deepEqual(screenOf(output.text), [
    '[+] Building 1.0s (2/4)',
    ' => [internal] load build definition from Dockerfil    0.0s',
    ' => => transferring dockerfile: 120B                   0.0s',
    ' => CACHED [1/3] FROM docker.io/library/debian:12      0.0s',
    ' => [2/3] RUN make                                     0.9s',
    ' => => # second line',
    ' => => # 100%',
    '',
  ])
  nowMs = begin + 1600
  show(display, done)
  display.finish({ failed: false })
  assert.deepEqual(screenOf(output.text), [
    '[+] Building 1.6s (4/4) FINISHED',
    ' => [internal] load build definition from Dockerfil    0.0s',
    ' => => transferring dockerfile: 120B                   0.0s',
    ' => CACHED [1/3] FROM docker.io/library/debian:12      0.0s',
    ' => [2/3] RUN make                                     1.4s',
    ' => [3/3] COPY . /app                                  0.1s',
    '',
  ])
})

test("TerminalDisplay draws no more rows than the terminal has, and none of a program's control sequences", () => {
  const output = new CapturedOutput({ isTerminal: true, columns: 40 })
  const display = new TerminalDisplay(output, { now: () => begin })
  const many: Timed[] = Array.from({ length: 50 }, (_, index) => {
    return [0, { type: 'vertex', id: `s${index}`, name: `step ${index}`, started: at(0), completed: at(0) }]
  })
  show(display, [...many, [0, { ...run, started: at(0) }]])
  show(display, [
    [
      0,
      {
        type: 'log',
        vertex: 'run',
        stream: 1,
        text: '\x1b[2J\x1b[31mred\x1b[0m \x07日本語のとても長いテキストが続いている\n',
      },
    ],
  ])
  display.draw()
  display.draw()
  const lines = screenOf(output.text)
  assert.equal(lines.length, output.rows)
  assert.equal(lines.at(-2), ' => => # red 日本語のとても長いテキスト')
  assert.equal(lines[1], ' => step 30                        0.0s')
})

test('formatLogTime() gives five characters', () => {
  assert.deepEqual([0, 0.1234, 1, 12.345678, 123.456, 1234.5].map(formatLogTime), [
    '0.000',
    '0.123',
    '1.000',
    '12.35',
    '123.5',
    '1235.',
  ])
})
