/** Returns memory to the system. After a burst of work with big buffers and worker threads, a third of the process's
 *  memory is free but not returned: V8 collects garbage only when it allocates, and malloc keeps its arenas. */
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

/** Collects garbage and returns free pages. Takes about 20 ms, in pieces, so call it only when the process is idle. */
export async function releaseMemory(): Promise<void> {
  collect ??= findCollector()
  await collect({ type: 'major', execution: 'async' })
  mallocTrim(0)
  dropProgramPages()
}

/** Frees short-lived objects, in about a millisecond. For work that uses many big buffers: V8 rarely collects those,
 *  because the objects that hold them are small. */
export function releaseYoungMemory(): void {
  collect ??= findCollector()
  void collect({ type: 'minor', execution: 'sync' })
}

/** Unmaps the pages of Node's program file that start-up has used. They are half of the resident memory, and most are
 *  never used again. They stay in the page cache, so that the few needed ones return with a minor fault each. Mappings
 *  with changed pages are left alone, because madvise(2) would lose the changes. */
function dropProgramPages(): void {
  for (const block of readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p /.exec(block) ?? []
    if (start === undefined || end === undefined || !block.startsWith(process.execPath, block.indexOf('/'))) continue
    if (!/^Anonymous: +0 kB$/m.test(block)) continue
    const address = BigInt(`0x${start}`)
    madvise(address, BigInt(`0x${end}`) - address, dontNeed)
  }
}

/** V8's `gc` function, which only contexts created after the flag was set can see. */
function findCollector(): CollectGarbage {
  // Not imported at the top, because the command line loads this file, and would load both modules each time.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as CollectGarbage
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
