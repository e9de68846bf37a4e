/** Preloaded into the process of each test file: copies the text that it prints into a file of the run. The runner holds
 *  the output of a file back until the files before it have ended, so it could not show what a hanging file printed. The
 *  first line is the path of the test file and the names of its two outputs, by which `output-holders.ts` finds other
 *  processes that hold them. */
import { appendFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const work = process.env.BERTH_TEST_WORK
const script = process.argv[1]
if (work !== undefined && script?.endsWith('.test.ts') && process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) {
  const file = join(work, 'output', String(process.pid))
  const outputs = [1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`))
  writeFileSync(file, `${[relative(process.cwd(), script), ...outputs].join(' ')}\n`)
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = new Proxy(stream.write, {
      apply(write, self, args) {
        // What is not text is the runner's own protocol.
        if (typeof args[0] === 'string') appendFileSync(file, args[0])
        return Reflect.apply(write, self, args)
      },
    })
  }
}
