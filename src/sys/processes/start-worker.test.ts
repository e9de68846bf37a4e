import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

/** A process that starts one thread and prints the thread's message. */
const program = (cache: string) => `
  import { enableCompileCache } from 'node:module'
  if (${JSON.stringify(cache)} !== '') enableCompileCache(${JSON.stringify(cache)})
  const { startWorker } = await import(${JSON.stringify(join(import.meta.dirname, 'start-worker.ts'))})
  const worker = startWorker(new URL('thread.ts', import.meta.url), { workerData: 'given' })
  worker.on('message', console.log)
  worker.on('error', (error) => console.log(error.message))`

test('startWorker() runs a TypeScript module, with the compile cache of the process if it has one', (t) => {
  const home = mkdtempSync('/tmp/b-sw-')
  t.after(() => rmSync(home, { recursive: true }))
  const run = (cache: string, thread: string): string => {
    writeFileSync(join(home, 'thread.ts'), thread)
    writeFileSync(join(home, 'main.mjs'), program(cache))
    return execFileSync(process.execPath, [join(home, 'main.mjs')], { encoding: 'utf8' }).trim()
  }
  const thread = `import { parentPort, workerData } from 'node:worker_threads'
    import { getCompileCacheDir } from 'node:module'
    const cached: boolean = getCompileCacheDir() !== undefined
    parentPort?.postMessage(workerData + ' ' + cached)`
  assert.equal(run('', thread), 'given false')
  assert.equal(run(join(home, 'cache'), thread), 'given true')
  assert.equal(readdirSync(join(home, 'cache')).length, 1, 'both use the same version directory')
  assert.equal(run(join(home, 'cache'), "throw new Error('from the thread')"), 'from the thread')
})
