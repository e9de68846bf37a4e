/** Runs test files, each in its own process: `run-files.ts CONCURRENCY FILE…`. `node --test` would sort the files by
 *  name; here the long ones come first. */
import { join, resolve } from 'node:path'
import { run } from 'node:test'
import { patience } from '../helpers/wait.ts'
import { longFirst } from './long-first.ts'
import { watchOutputHolders } from './output-holders.ts'
import { report } from './reporter.ts'

using _ = watchOutputHolders(process.env.BERTH_TEST_WORK ?? '')
const [concurrency, ...files] = process.argv.slice(2)
const events = run({
  files: longFirst(files).map((file) => resolve(file)),
  concurrency: Number(concurrency),
  timeout: 600_000 * patience,
  execArgv: ['--disable-warning=ExperimentalWarning', '--import', join(import.meta.dirname, 'output-tail.ts')],
})
for await (const text of report(events)) process.stdout.write(text)
