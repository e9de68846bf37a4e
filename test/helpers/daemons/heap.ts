/** Counts what a daemon keeps in memory, through its debugger's port. */
import { readdirSync } from 'node:fs'
import type { TestDaemon } from './daemon.ts'

/** For `TestDaemon.start`. */
export const withDebugger = { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } }

/** What a daemon keeps in memory after a garbage collection. */
export interface Holdings {
  /** Objects by the names of their classes, functions by `name()`. */
  readonly objects: ReadonlyMap<string, number>
  readonly descriptors: number
  readonly threads: number
}

/** Counts the objects in the heap. */
export async function holdingsOf(daemon: TestDaemon): Promise<Holdings> {
  const found = [...daemon.log.matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)
  if (found?.[1] === undefined) throw new Error('the daemon was not started with its debugger')
  const chunks: string[] = []
  const socket = new WebSocket(found[1])
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', reject)
    })
    const call = (id: number, method: string): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>()
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: { chunk?: string } }
        if (message.method === 'HeapProfiler.addHeapSnapshotChunk' && id === 3) chunks.push(message.params?.chunk ?? '')
        if (message.id === id) resolve()
      })
      socket.send(JSON.stringify({ id, method }))
      return promise
    }
    await call(1, 'HeapProfiler.enable')
    await call(2, 'HeapProfiler.collectGarbage')
    await call(3, 'HeapProfiler.takeHeapSnapshot')
  } finally {
    socket.close()
  }
  return {
    objects: countObjects(chunks.join('')),
    descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
    threads: readdirSync(`/proc/${daemon.pid}/task`).length,
  }
}

/** Names of which there are at least `count` more than before. */
export function grown(before: Holdings, after: Holdings, count: number): string[] {
  return [...after.objects]
    .map(([name, now]) => ({ name, more: now - (before.objects.get(name) ?? 0) }))
    .filter(({ more }) => more >= count)
    .map(({ name, more }) => `${name}: ${more} more`)
}

/** https://github.com/v8/v8/blob/main/include/v8-profiler.h: nodes are rows of numbers whose columns are named. */
function countObjects(text: string): ReadonlyMap<string, number> {
  const { snapshot, nodes, strings } = JSON.parse(text) as {
    snapshot: { meta: { node_fields: string[]; node_types: [string[]] } }
    nodes: number[]
    strings: string[]
  }
  const { node_fields: fields, node_types: types } = snapshot.meta
  const [typeAt, nameAt] = [fields.indexOf('type'), fields.indexOf('name')]
  const counts = new Map<string, number>()
  for (let row = 0; row < nodes.length; row += fields.length) {
    const type = types[0][nodes[row + typeAt] ?? 0]
    if (type !== 'object' && type !== 'closure') continue
    const name = strings[nodes[row + nameAt] ?? 0] ?? ''
    const key = type === 'closure' ? `${name}()` : name
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}
