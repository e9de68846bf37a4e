/** Finds and kills processes that a dead daemon left behind: a monitor whose pid was not written down yet, and an OCI
 *  runtime that this monitor, or the dead daemon, had started. Only boots look for them, and by their command lines:
 *  pid files may be stale. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, internal } from '../base/index.ts'
import { signalProcess, waitAll } from '../sys/index.ts'

const sigkill = 9
const patienceMs = 5_000
/** A monitor has a child, which has a child. Each round finds at least one generation. */
const maxRounds = 5

/** Kills every monitor and OCI runtime that works on a container, and waits for their end. Throws `internal` when one
 *  of them does not end. */
export async function endStrays(execRoot: string, id: string): Promise<void> {
  for (let round = 0; round < maxRounds; round += 1) {
    const pids = findStrays(execRoot, id)
    if (pids.length === 0) return
    for (const pid of pids) signalProcess(pid, sigkill)
    if (!(await waitAll(pids, patienceMs))) throw internal(`processes of ${id} do not end: ${pids.join(' ')}`)
  }
}

function findStrays(execRoot: string, id: string): number[] {
  const isStray = (pid: number) => {
    const found = containerOf(argumentsOf(pid), execRoot)
    return found !== undefined && found === id
  }
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid && isStray(pid))
}

/** The id of the container that a monitor (`-b <bundle>`) or an OCI runtime (`--root <directory> … <id>`) of this exec
 *  root works on; undefined for any other command line. */
export function containerOf(args: readonly string[], execRoot: string): string | undefined {
  const after = (flag: string) => (args.includes(flag) ? (args[args.indexOf(flag) + 1] ?? '') : '')
  if (after('--root').startsWith(`${execRoot}/`)) return args.at(-1)
  const bundle = after('-b')
  return bundle.startsWith(`${join(execRoot, 'c')}/`) ? basename(bundle) : undefined
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0')
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ESRCH') return []
    throw error
  }
}
