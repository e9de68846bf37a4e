/** Giving memory back to the system. After a burst of work with big buffers and worker threads, a third of the
 *  process's memory is free but kept: by V8, which collects only when it allocates, and by malloc's arenas. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { nativeFunction } from './ffi.ts'

type CollectGarbage = (options: { readonly type: 'major'; readonly execution: 'async' }) => Promise<void>

const mallocTrim = nativeFunction('int malloc_trim(size_t pad)')
let collect: CollectGarbage | undefined

/** Collects garbage and returns free pages; takes some 20 ms, in pieces. For moments of rest only. */
export async function releaseMemory(): Promise<void> {
  collect ??= findCollector()
  await collect({ type: 'major', execution: 'async' })
  mallocTrim(0)
}

/** The collector is only visible to contexts that are made after the flag. */
function findCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as CollectGarbage
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
