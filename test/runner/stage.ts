/** One stage of a test run: `stage.ts NAME SECONDS CONCURRENCY FILE…`. When the stage reaches its limit, it says what was
 *  running and ends it; the next stage can begin. */
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runLimited } from './limited.ts'
import { endRunning } from './running.ts'

const { BERTH_TEST_WORK: work = '', BERTH_TEST_RUN: mark = '' } = process.env
const [name, seconds, concurrency = '', ...files] = process.argv.slice(2)
const runner = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'run-files.ts')]
const ending = await runLimited([...runner, concurrency, ...files], Number(seconds))
if (typeof ending !== 'object') {
  const reason =
    ending === 'limit' ? `the limit of stage ${name}, ${seconds} s, is reached` : `stage ${name} is stopped`
  await endRunning(work, mark, reason)
  rmSync(join(work, 'running.json'), { force: true })
}
// A failed test does not change the runner's code.
if (typeof ending !== 'object' || ending.code !== 0) {
  const how = typeof ending === 'object' ? `with code ${ending.code}` : 'early'
  console.log(`FAILED ${name}: the test runner ended ${how}`)
  appendFileSync(join(work, 'totals'), '0 1 0\n')
}
