/** Giving memory back to the system. After a burst of work with big buffers and worker threads, a third of the
 *  process's memory is free but kept: by V8, which collects only when it allocates, and by malloc's arenas. */
import { readFileSync } from 'node:fs'
import { nativeFunction } from './ffi.ts'

interface CollectGarbage {
  (options: { readonly type: 'major'; readonly execution: 'async' }): Promise<void>
  (options: { readonly type: 'minor'; readonly execution: 'sync' }): void
}

const mallocTrim = nativeFunction('int malloc_trim(size_t pad)')
const madvise = nativeFunction('int madvise(uintptr_t address, size_t length, int advice)')
const dontNeed = 4
let collect: CollectGarbage | undefined

/** Collects garbage and returns free pages; takes some 20 ms, in pieces. For moments of rest only. */
export async function releaseMemory(): Promise<void> {
  collect ??= findCollector()
  await collect({ type: 'major', execution: 'async' })
  mallocTrim(0)
  dropProgramPages()
}

/** Frees what was needed for a moment only; takes about a millisecond. For work that goes through many big buffers:
 *  V8 sees little reason to collect these, as the objects that hold them are small. */
export function releaseYoungMemory(): void {
  collect ??= findCollector()
  void collect({ type: 'minor', execution: 'sync' })
}

/** Unmaps the pages of Node's own program file that start-up has touched: half of the resident memory, most of it
 *  never used again. They stay in the page cache, so the few that are still needed come back by a minor fault each.
 *  Only mappings without a changed page are dropped (madvise(2): those changes would be lost). */
function dropProgramPages(): void {
  for (const block of readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p /.exec(block) ?? []
    if (start === undefined || end === undefined || !block.startsWith(process.execPath, block.indexOf('/'))) continue
    if (!/^Anonymous: +0 kB$/m.test(block)) continue
    const address = BigInt(`0x${start}`)
    madvise(address, BigInt(`0x${end}`) - address, dontNeed)
  }
}

/** The collector is only visible to contexts that are made after the flag. */
function findCollector(): CollectGarbage {
  // Not imported: the command line has this file in it and would load both each time.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as CollectGarbage
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
