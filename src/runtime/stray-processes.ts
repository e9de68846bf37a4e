/** Processes of a container that nobody watches: a monitor whose daemon died before it knew the monitor's pid, and the
 *  runtime that this monitor, or the dead daemon, still runs. Looked for at boot only, by their arguments: no pid file
 *  is trusted. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, internal } from '../base/index.ts'
import { signalProcess, waitAll } from '../sys/index.ts'

const sigkill = 9
const patienceMs = 5_000
/** A monitor has a child, which has one; each is found in a round of its own at the latest. */
const maxRounds = 5

/** Kills every monitor and runtime that works on a container, and waits until they are gone. Throws when one stays. */
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

/** The container that a monitor (`-b <bundle>`) or a runtime (`--root <directory> … <id>`) of this directory works on. */
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
