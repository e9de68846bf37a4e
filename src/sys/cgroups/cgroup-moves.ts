/** Keeps moves of processes between control groups fast.
 *  A move takes a kernel lock that covers all forks and exits. The first process that takes the lock waits for an RCU
 *  grace period, about 8 ms; that happens at each container start and each exec. If the lock was taken a few
 *  milliseconds before, there is no such wait (`rcu_sync` in the kernel's percpu-rwsem). So the daemon takes and
 *  releases the lock as soon as it expects a start, and the grace period passes while it does other work. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { detectCgroups } from './cgroup.ts'
import { cgroupPathOfPid, mainHierarchy } from './cgroup-tree.ts'

const intervalMs = 4

let until = 0
let movers = 0
let isRunning = false

/** Call this when a process will probably be moved into a control group soon. Keeps the lock fast for `durationMs`
 *  milliseconds, by moving this process into its own group again, in a thread. Never fails: where it doesn't work,
 *  moves just take longer. */
export function expectCgroupMove(durationMs = 30): void {
  until = Math.max(until, performance.now() + durationMs)
  start()
}

/** Keeps the lock fast until the result is disposed. For a caller that waits for a move, however long it takes. */
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
    // This process may not move processes, or its group may not contain any.
  }
}

/** `cgroup.procs` of this process's own group. Writing this process to it changes nothing. */
function ownProcsFile(): string | undefined {
  const hierarchy = mainHierarchy()
  const path = cgroupPathOfPid(process.pid)
  if (hierarchy === undefined || path === undefined || detectCgroups().layout === 'none') return undefined
  return join(hierarchy.path, path, 'cgroup.procs')
}
