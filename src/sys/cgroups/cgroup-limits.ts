/** Saves all limits of a control group, to restore them when a change of several limits fails midway.
 *  https://docs.kernel.org/admin-guide/cgroup-v1/, https://docs.kernel.org/admin-guide/cgroup-v2.html */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { type Cgroups, detectCgroups } from './cgroup.ts'

/** Files with limits, by controller. The files of a controller are in an order in which their values can be raised. */
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

/** Reads the limits of the group at `path`. Returns a function that writes them back; values that the kernel refuses
 *  are skipped. */
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
    // Twice, because some limits can be written only after others, depending on whether they rise or fall.
    for (let round = 0; round < 2; round += 1) for (const [file, text] of kept) writeLimit(file, text)
  }
}

/** Removes the group's limit on processes. (crun would write a number that the kernel refuses.) Throws the system's
 *  error. */
export function clearPidsLimit(path: string, cgroups: Cgroups = detectCgroups()): void {
  const { version, hierarchies } = cgroups
  const hierarchy = hierarchies.find((one) => one.version === version && one.controllers.includes('pids'))
  if (hierarchy !== undefined) writeFileSync(join(hierarchy.path, path, 'pids.max'), 'max', { flag: 'r+' })
}

/** A limit's value in a form that can be written back; undefined when there is no such file. */
function readLimit(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    // The first line is `default 100`. The lines of single devices are left alone.
    return file.endsWith('.weight') ? text.split('\n', 1)[0] : text
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined
    throw error
  }
}

function writeLimit(file: string, text: string): void {
  try {
    // The line feed makes sure that an empty value is written at all.
    if (readLimit(file) !== text) writeFileSync(file, `${text}\n`, { flag: 'r+' })
  } catch (error) {
    // The kernel refused the value (EINVAL, EBUSY), or the group is gone.
    if (errnoOf(error) === undefined) throw error
  }
}
