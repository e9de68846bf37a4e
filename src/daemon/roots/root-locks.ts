/** Locks of the roots: only one daemon at a time works on a root. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { conflict, isBerthError } from '../../base/index.ts'
import type { DaemonConfig } from '../../config/index.ts'
import { acquireLock, isProcessAlive, type Lock } from '../../sys/index.ts'

/** How long a lock of a daemon that was killed may last, in milliseconds. If the daemon was starting a program, the new
 *  process keeps the daemon's descriptors until it executes that program. */
const patienceMs = 10_000
const intervalMs = 50

/** The roots of a configuration. */
export type Roots = Pick<DaemonConfig, 'dataRoot' | 'execRoot'>

/** The paths without duplicates, outer ones first. */
export function pathsOf(roots: readonly Roots[]): readonly string[] {
  return [...new Set(roots.flatMap(({ dataRoot, execRoot }) => [dataRoot, execRoot]))]
}

/** Makes the root directories, which only root can enter, and locks them. `roots`: those of the configuration, and with
 *  `userns-remap` also those of the mapping, which are below. All users can pass the directories above them, because a
 *  socket may be there. Rejects with `conflict` when another daemon works on one of the roots. */
export async function takeLocks(roots: readonly Roots[]): Promise<Lock[]> {
  const locks: Lock[] = []
  try {
    for (const root of pathsOf(roots)) {
      mkdirSync(dirname(root), { recursive: true, mode: 0o711 })
      mkdirSync(root, { recursive: true, mode: 0o700 })
      locks.push(await takeLock(join(root, 'lock')))
    }
    return locks
  } catch (cause) {
    for (const lock of locks) lock.release()
    throw conflict(`another daemon is using ${pathsOf(roots).join(' or ')}`, { cause })
  }
}

async function takeLock(path: string): Promise<Lock> {
  for (const deadline = Date.now() + patienceMs; ; await sleep(intervalMs)) {
    try {
      return acquireLock(path)
    } catch (error) {
      const pid = isBerthError(error) ? error.details.pid : undefined
      // The file names the process that took the lock. If that process has ended, a leftover of it holds the lock.
      const isLeftover = typeof pid === 'number' && !Number.isNaN(pid) && !isProcessAlive(pid)
      if (!isLeftover || Date.now() > deadline) throw error
    }
  }
}
