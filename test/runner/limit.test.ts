/** `test/run` always ends: against test files that hang, are frozen, or leave a child with the output. An inner run sees
 *  what the surrounding run does as a leftover of its own, so the number of its failures may be one higher. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { inTime, patience } from '../helpers/wait.ts'
import { longFirst } from './long-first.ts'
import { allProcesses } from './run-processes.ts'

const skip = process.env.BERTH_TEST_ROOT === undefined ? 'needs root, in test/run' : false

interface Run {
  readonly output: string
  readonly code: number
  readonly seconds: number
  /** Processes of the run that live on after it. */
  readonly left: readonly string[]
}

/** Runs `bash test/run FILE… | cat`, which also waits for everything that holds the output. */
async function nestedRun(files: readonly string[], limitSeconds: number): Promise<Run> {
  const { BERTH_TEST_WORK: _, NODE_TEST_CONTEXT: __, BERTH_TEST_RUN: outer = '0', ...env } = process.env
  const began = Date.now()
  const command = 'set -o pipefail; bash test/run "$@" 2>&1 | cat'
  const child = spawn('bash', ['-c', command, 'bash', ...files.map((file) => `test/fixtures/hanging/${file}`)], {
    env: {
      ...env,
      BERTH_TEST_RUN: `${outer}/${process.pid}`,
      BERTH_TEST_LIMIT: String(limitSeconds * patience),
      BERTH_TEST_SHARED: '1',
      BERTH_TEST_NO_SETUP: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  const code = await inTime(closed, () => `the end of the run; it printed:\n${output}`)
  const left = allProcesses().filter(({ mark }) => mark.startsWith(`${outer}/${process.pid}/`))
  return { output, code, seconds: (Date.now() - began) / 1000, left: left.map(({ command }) => command) }
}

test('a run that reaches its limit says what hangs, and ends it', { skip }, async () => {
  const { output, code, left } = await nestedRun(['hangs.test.ts'], 15)
  assert.equal(code, 1, output)
  assert.match(output, /the limit of the whole run, \d+ s \(BERTH_TEST_LIMIT\), is reached\nstage files, for \d+ s/)
  assert.match(
    output,
    /running: test\/fixtures\/hanging\/hangs\.test\.ts, for \d+ s\n {2}test: waits forever, for \d+ s/,
  )
  assert.match(output, / {4}the last words of the hanging test\n/)
  assert.match(output, /process \d+, for \d+ s: sh -c trap/)
  assert.match(output, /\n0 passed, [12] failed\n$/)
  assert.deepEqual(left, [])
})

test('a run that reaches its limit thaws and ends frozen processes', { skip }, async () => {
  const { output, code, left } = await nestedRun(['frozen.test.ts'], 15)
  assert.equal(code, 1, output)
  assert.match(output, /frozen: \d+\n/)
  assert.deepEqual(left, [], output)
  assert.deepEqual(globSync('/sys/fs/cgroup/*/berth-hang-*'), [], output)
})

test('a child that holds the output of a run does not hold the run', { skip }, async () => {
  const { output, code, seconds, left } = await nestedRun(['leaves-child.test.ts'], 50)
  assert.equal(code, 1, output)
  assert.match(output, /FAILED \S*leaves-child\.test\.ts: left a process that holds its output: \d+ sleep 1000\n/)
  assert.match(output, /\n1 passed, [12] failed\n$/)
  assert.ok(seconds < 45 * patience, `${seconds} s`)
  assert.deepEqual(left, [], output)
})

test('the long files start first', () => {
  const long = 'test/e2e/two-clis/two-clis.test.ts'
  assert.deepEqual(longFirst(['a.test.ts', 'b.test.ts', long]), [long, 'a.test.ts', 'b.test.ts'])
})
