/** Control groups, named by their path below every hierarchy (`/berth/<id>`): creates, lists, kills and removes
 *  them. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, internal } from '../../base/index.ts'
import { signalProcess } from '../processes/process.ts'
import { type CgroupHierarchy, detectCgroups } from './cgroup.ts'
import { thawCgroup } from './cgroup-freezer.ts'

const sigkill = 9
const removalIntervalMs = 10

/** Creates the group in every hierarchy. No error if it exists. Throws the errors of mkdir(2). */
export function createCgroup(path: string): void {
  for (const hierarchy of detectCgroups().hierarchies) mkdirSync(directoryIn(hierarchy, path), { recursive: true })
}

/** Removes the group, and all groups below it, from every hierarchy. Returns false when processes keep one of them
 *  busy. */
export function removeCgroup(path: string): boolean {
  let removed = true
  for (const hierarchy of detectCgroups().hierarchies) {
    if (!removeTree(directoryIn(hierarchy, path))) removed = false
  }
  return removed
}

/** Kills all processes in the group and removes it from every hierarchy. Killed processes take a moment to leave, and
 *  others may enter meanwhile. Returns false when the group is still busy after `timeoutMs`. */
export async function dissolveCgroup(path: string, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (!removeCgroup(path)) {
    if (Date.now() >= deadline) return false
    killCgroup(path)
    await sleep(removalIntervalMs)
  }
  return true
}

/** Removes the group from those hierarchies in which it has neither processes nor groups below it. */
export function removeEmptyCgroup(path: string): void {
  for (const hierarchy of detectCgroups().hierarchies) tryRemove(directoryIn(hierarchy, path))
}

/** Names of the groups directly below `path`, from all hierarchies. */
export function listCgroups(path: string): string[] {
  const names = new Set<string>()
  for (const hierarchy of detectCgroups().hierarchies) {
    for (const name of childrenOf(directoryIn(hierarchy, path))) names.add(name)
  }
  return [...names]
}

/** Process ids in the group and in all groups below it; none when there is no such group. */
export function readPids(path: string): number[] {
  const hierarchy = mainHierarchy()
  return hierarchy === undefined ? [] : pidsOfTree(directoryIn(hierarchy, path))
}

/** Kills every process in the group and below, including those that fork meanwhile, and returns how many it found. The
 *  processes may take a moment to end. With v1, a process enters one hierarchy after another, so all are searched. */
export function killCgroup(path: string): number {
  const hierarchy = mainHierarchy()
  if (hierarchy === undefined) return 0
  // A process that the freezer of v1 holds does not die.
  thawCgroup(path)
  if (hierarchy.version === 2) {
    const { length } = readPids(path)
    if (writeIfThere(join(directoryIn(hierarchy, path), 'cgroup.kill'), '1')) return length
  }
  const killed = new Set<number>()
  // Each round finds processes that were forked during the round before. The bound is for a zombie that stays listed.
  for (let round = 0; round < 20; round++) {
    const fresh = pidsInAny(path).filter((pid) => !killed.has(pid))
    if (fresh.length === 0) break
    for (const pid of fresh) {
      signalProcess(pid, sigkill)
      killed.add(pid)
    }
  }
  return killed.size
}

/** Path of the group that a process is in, in the main hierarchy; undefined when the process is gone. */
export function cgroupPathOfPid(pid: number): string | undefined {
  const text = readIfThere(`/proc/${pid}/cgroup`)
  if (text === undefined) return undefined
  const wanted = mainHierarchy()
  for (const line of text.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const matches = wanted?.version === 2 ? controllers === '' : controllers === wanted?.controllers.join(',')
    if (path !== undefined && matches) return path
  }
  return undefined
}

/** The hierarchy that every container is in: the only one of v2, or that of v1's memory controller, or else any. */
export function mainHierarchy(): CgroupHierarchy | undefined {
  return hierarchyOf('memory') ?? hierarchyOf('pids') ?? detectCgroups().hierarchies[0]
}

function hierarchyOf(controller: string): CgroupHierarchy | undefined {
  const { hierarchies, version } = detectCgroups()
  return hierarchies.find((hierarchy) => hierarchy.version === version && hierarchy.controllers.includes(controller))
}

/** A group's directory in a hierarchy. Throws `internal` for the root and for paths with `..`: killing or removing
 *  those would affect groups that are not Berth's. */
function directoryIn(hierarchy: CgroupHierarchy, path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.length === 0 || parts.some((part) => part === '.' || part === '..')) {
    throw internal('not a control group of ours', { details: { path } })
  }
  return join(hierarchy.path, ...parts)
}

/** Processes that are in the group in at least one hierarchy. Processes that this one can't see are listed as 0. */
function pidsInAny(path: string): number[] {
  const all = detectCgroups().hierarchies.flatMap((hierarchy) => pidsOfTree(directoryIn(hierarchy, path)))
  return [...new Set(all)].filter((pid) => pid > 0)
}

function pidsOfTree(directory: string): number[] {
  const own = (readIfThere(join(directory, 'cgroup.procs')) ?? '').split('\n').filter((line) => line !== '')
  const below = childrenOf(directory).flatMap((name) => pidsOfTree(join(directory, name)))
  return [...own.map(Number), ...below]
}

function removeTree(directory: string): boolean {
  if (tryRemove(directory)) return true
  let removed = true
  for (const name of childrenOf(directory)) {
    if (!removeTree(join(directory, name))) removed = false
  }
  return removed && tryRemove(directory)
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT') return true
    // EBUSY: it has processes or groups below.
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false
    throw error
  }
}

function childrenOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = errnoOf(error)
    // ENODEV: the group was removed between open and read; ESRCH: the process was.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ESRCH') return undefined
    throw error
  }
}

function writeIfThere(path: string, text: string): boolean {
  try {
    // No O_CREAT: a kernel before 5.14 has no such file.
    writeFileSync(path, text, { flag: 'r+' })
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENODEV') return false
    throw error
  }
}
