import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from '../helpers/wait.ts'
import { otherRuns } from './leaks.ts'

test('otherRuns() finds other running tests, and not its own', async () => {
  const own = process.env.BERTH_TEST_RUN
  const child = spawn('bash', ['-c', 'BERTH_TEST_RUN=$$ cat; true', 'test/run'])
  const mark = String(child.pid)
  try {
    await until(() => otherRuns().includes(mark), { what: 'the other run' })
    process.env.BERTH_TEST_RUN = mark
    assert.equal(otherRuns().includes(mark), false)
  } finally {
    if (own === undefined) delete process.env.BERTH_TEST_RUN
    else process.env.BERTH_TEST_RUN = own
    child.stdin.end()
    await once(child, 'exit')
  }
  await until(() => !otherRuns().includes(mark), { what: 'the end of the other run' })
})
