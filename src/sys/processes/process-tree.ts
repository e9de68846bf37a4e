/** Processes and their descendants. */
import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { signalProcess } from './process.ts'

const sigkill = 9
const sigstop = 19

/** Kills a process and its descendants, except those whose parent has ended. They are stopped first, from the top down,
 *  so that none of them starts another process meanwhile. */
export function killDescendants(pid: number): void {
  const stopped = new Set<number>()
  let level = [pid]
  while (level.length > 0) {
    for (const one of level) {
      signalProcess(one, sigstop)
      stopped.add(one)
    }
    level = childrenOf(stopped).filter((one) => !stopped.has(one))
  }
  for (const one of stopped) signalProcess(one, sigkill)
}

function childrenOf(parents: ReadonlySet<number>): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parents.has(parentOf(pid) ?? 0))
}

function parentOf(pid: number): number | undefined {
  try {
    // `pid (name) state ppid`: the name may contain any character.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ', 1)[0])
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
