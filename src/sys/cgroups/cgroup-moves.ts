/** Moves of processes between control groups, kept fast.
 *  A move takes the kernel's lock over all forks and exits, and its first taker waits for an RCU grace period: about
 *  8 ms, each time a container starts or a process joins one. Those who come within some milliseconds of it don't wait
 *  again (`rcu_sync` in the kernel's percpu-rwsem). So the daemon takes and leaves the lock as soon as it knows that a
 *  start is coming, and the wait passes while there is other work to do. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { detectCgroups } from './cgroup.ts'
import { cgroupPathOfPid, mainHierarchy } from './cgroup-tree.ts'

const intervalMs = 4

let until = 0
let movers = 0
let isRunning = false

/** Call when a process will probably be moved into a control group soon; keeps the lock warm for so long. It moves this
 *  process to where it is already, in a thread of its own. Never fails: where it can't work, moves only take longer. */
export function expectCgroupMove(durationMs = 30): void {
  until = Math.max(until, performance.now() + durationMs)
  start()
}

/** The same until the result is disposed of: for who waits for a move, which takes long on a busy machine. */
export function awaitCgroupMove(): Disposable {
  let isOver = false
  movers += 1
  start()
  return {
    [Symbol.dispose]() {
      if (!isOver) movers -= 1
      isOver = true
    },
  }
}

function start(): void {
  if (isRunning) return
  isRunning = true
  void keepWarm().finally(() => {
    isRunning = false
  })
}

async function keepWarm(): Promise<void> {
  const path = ownProcsFile()
  if (path === undefined) return
  try {
    await using file = await process.getBuiltinModule('node:fs/promises').open(path, 'w')
    while (movers > 0 || performance.now() < until) {
      await file.write('0')
      await sleep(intervalMs, undefined, { ref: false })
    }
  } catch {
    // No right to move processes, or a group that may hold none.
  }
}

/** `cgroup.procs` of the group that this process is in: writing to it changes nothing. */
function ownProcsFile(): string | undefined {
  const hierarchy = mainHierarchy()
  const path = cgroupPathOfPid(process.pid)
  if (hierarchy === undefined || path === undefined || detectCgroups().layout === 'none') return undefined
  return join(hierarchy.path, path, 'cgroup.procs')
}
