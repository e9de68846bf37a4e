/** The limits of a control group as a whole: kept, and put back when a change of several went wrong midway.
 *  https://docs.kernel.org/admin-guide/cgroup-v1/, https://docs.kernel.org/admin-guide/cgroup-v2.html */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { type Cgroups, detectCgroups } from './cgroup.ts'

/** Files that hold limits, by controller. Those of the same controller stand in an order in which they can be raised. */
const files: readonly (readonly [version: 1 | 2, controller: string, names: readonly string[]])[] = [
  [1, 'memory', ['memory.memsw.limit_in_bytes', 'memory.limit_in_bytes', 'memory.soft_limit_in_bytes']],
  [1, 'cpu', ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us', 'cpu.rt_period_us', 'cpu.rt_runtime_us']],
  [1, 'cpuset', ['cpuset.cpus', 'cpuset.mems']],
  [1, 'pids', ['pids.max']],
  [1, 'blkio', ['blkio.weight', 'blkio.bfq.weight']],
  [2, 'memory', ['memory.max', 'memory.swap.max', 'memory.low']],
  [2, 'cpu', ['cpu.weight', 'cpu.max']],
  [2, 'cpuset', ['cpuset.cpus', 'cpuset.mems']],
  [2, 'pids', ['pids.max']],
  [2, 'io', ['io.weight', 'io.bfq.weight']],
]

/** Reads the limits of a group; the function that is given writes them back, as far as the kernel takes them. */
export function keepCgroupLimits(path: string, cgroups: Cgroups = detectCgroups()): () => void {
  const kept: (readonly [file: string, text: string])[] = []
  for (const [version, controller, names] of files) {
    if (version !== cgroups.version) continue
    const hierarchy = cgroups.hierarchies.find((one) => one.version === version && one.controllers.includes(controller))
    if (hierarchy === undefined) continue
    for (const name of names) {
      const file = join(hierarchy.path, path, name)
      const text = readLimit(file)
      if (text !== undefined) kept.push([file, text])
    }
  }
  return () => {
    // Twice: a limit that depends on another may have to wait for that one, up or down.
    for (let round = 0; round < 2; round += 1) for (const [file, text] of kept) writeLimit(file, text)
  }
}

/** Takes the limit of processes away; crun writes a number that the kernel refuses. */
export function clearPidsLimit(path: string, cgroups: Cgroups = detectCgroups()): void {
  const { version, hierarchies } = cgroups
  const hierarchy = hierarchies.find((one) => one.version === version && one.controllers.includes('pids'))
  if (hierarchy !== undefined) writeFileSync(join(hierarchy.path, path, 'pids.max'), 'max', { flag: 'r+' })
}

/** The file's text as it can be written; undefined when there is no such file. */
function readLimit(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    // `default 100`, and lines of single devices, which are left alone.
    return file.endsWith('.weight') ? text.split('\n', 1)[0] : text
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined
    throw error
  }
}

function writeLimit(file: string, text: string): void {
  try {
    // With its line feed: an empty text alone would write nothing.
    if (readLimit(file) !== text) writeFileSync(file, `${text}\n`, { flag: 'r+' })
  } catch (error) {
    // Refused (EINVAL, EBUSY), or the group is gone.
    if (errnoOf(error) === undefined) throw error
  }
}
