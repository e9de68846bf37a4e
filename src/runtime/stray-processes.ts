/** Processes that belong to a bundle and that nobody watches: a monitor whose daemon died before it knew the monitor's
 *  pid, and the runtime that such a monitor still runs. Looked for at boot only, by their arguments, which hold the
 *  bundle's path: no pid file is trusted. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, internal } from '../base/index.ts'
import { signalProcess, waitAll } from '../sys/index.ts'

const sigkill = 9
const patienceMs = 5_000
/** A monitor has a child, which has one; each is found in a round of its own at the latest. */
const maxRounds = 5

/** The processes whose arguments name a path in `directory/<name>`, by that name. */
export function findStrays(directory: string): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const name = argumentsOf(pid)
      .find((argument) => argument.startsWith(`${directory}/`))
      ?.slice(directory.length + 1)
      .split('/')[0]
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), pid])
  }
  return found
}

/** Kills every process of a bundle and waits until they are gone. Throws when one of them does not go. */
export async function endStrays(bundle: string): Promise<void> {
  const [directory, name] = [join(bundle, '..'), basename(bundle)]
  for (let round = 0; round < maxRounds; round += 1) {
    const pids = findStrays(directory).get(name)
    if (pids === undefined) return
    for (const pid of pids) signalProcess(pid, sigkill)
    if (!(await waitAll(pids, patienceMs))) throw internal(`processes of ${bundle} do not end: ${pids.join(' ')}`)
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ESRCH') return []
    throw error
  }
}
