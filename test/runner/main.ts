/** A whole test run: `main.ts COMMAND…` with the limit BERTH_TEST_LIMIT in seconds.
 *  Invariant: it ends within a minute after the limit, whatever the command left: it says what was running, ends every
 *  process of the run, compares the machine with its state before, and prints the totals.
 *  The command inherits BERTH_TEST_RUN, the mark of the run, and BERTH_TEST_WORK, a directory with what it reports. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOfRun, readIfThere } from './leaks.ts'
import { type Ending, runLimited } from './limited.ts'
import { endProcesses, runProcesses } from './run-processes.ts'
import { endRunning } from './running.ts'

const outer = process.env.BERTH_TEST_RUN
const mark = outer === undefined ? String(process.pid) : `${outer}/${process.pid}`
const work = mkdtempSync('/tmp/berth-test-')
const env = { ...process.env, BERTH_TEST_RUN: mark, BERTH_TEST_WORK: work }
const totals = join(work, 'totals')
const limitSeconds = Number(process.env.BERTH_TEST_LIMIT)

/** Prints what is running and ends it. */
async function endEarly(reason: string): Promise<void> {
  await endRunning(work, mark, `\n${reason}`)
  appendFileSync(totals, '0 1 0\n')
}

/** Reports what the tests left on the machine. Processes of this run are ended in any case; the rest may belong to others. */
async function compareMachine(): Promise<void> {
  const before = join(work, 'machine.json')
  if (existsSync(before)) {
    const flags = process.env.BERTH_TEST_SHARED === undefined ? [] : ['--report']
    const program = join(import.meta.dirname, 'leaks.ts')
    const { status } = spawnSync(process.execPath, [program, 'compare', before, ...flags], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 25_000,
      killSignal: 'SIGKILL',
    })
    if (status === null) console.log('the search for leftovers took too long')
    if (status !== 0) appendFileSync(totals, '0 1 0\n')
  }
  await endProcesses(() => runProcesses((other) => isOfRun(other, mark)), 10)
}

/** Prints the longest files and the totals. Returns whether the run succeeded. */
function summarize(ending: Ending): boolean {
  const times = readIfThere(join(work, 'times')).trimEnd().split('\n')
  const longest = times.map((line) => line.split(' ')).sort(([a], [b]) => Number(b) - Number(a))
  if (longest.length > 1) console.log('the longest files:')
  for (const [ms, file] of longest.length > 1 ? longest.slice(0, 10) : []) {
    console.log(`  ${(Number(ms) / 1000).toFixed(1).padStart(6)} s ${file}`)
  }
  let [passed, failed, skipped] = [0, 0, 0]
  for (const line of readIfThere(totals).trimEnd().split('\n')) {
    const [p = 0, f = 0, s = 0] = line.split(' ').map(Number)
    passed += p
    failed += f
    skipped += s
  }
  if (failed === 0 && (typeof ending !== 'object' || ending.code !== 0)) failed = 1
  if (skipped > 0) console.log(`${skipped} skipped (see above)`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0
}

mkdirSync(join(work, 'output'))
writeFileSync(totals, '')
writeFileSync(join(work, 'run'), mark)
const ending = await runLimited(process.argv.slice(2), limitSeconds, env)
if (ending === 'limit') await endEarly(`the limit of the whole run, ${limitSeconds} s (BERTH_TEST_LIMIT), is reached`)
if (ending === 'stopped') await endEarly('the run is stopped')
await compareMachine()
process.exitCode = summarize(ending) ? 0 : 1
rmSync(work, { recursive: true, force: true })
// Nothing that is still open may keep this process.
process.exit()
