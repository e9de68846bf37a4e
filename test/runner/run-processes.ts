/** The processes of a test run: how they are found, and how they are ended.
 *  A process belongs to a run if it inherited the run's mark (BERTH_TEST_RUN), descends from such a process, is in a
 *  session that such a process leads, or is in the cgroup of the run's daemons. Containers' programs have their own
 *  environment, so the mark alone does not find them. */
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupName, mountsBelow, removeHostTraces } from '../helpers/daemons/daemon.ts'
import { markOf, readIfThere, removeCgroup, unmountBelow } from './leaks.ts'

export interface FoundProcess {
  readonly pid: number
  readonly parent: number
  readonly session: number
  /** For how long it has run. */
  readonly seconds: number
  readonly command: string
  /** The marks of its runs, the outer one first. Empty without a mark. */
  readonly mark: string
  /** Cgroup paths in all hierarchies. */
  readonly cgroups: readonly string[]
  /** The data root of a daemon. */
  readonly dataRoot: string | undefined
}

/** The processes that belong to the runs whose marks `isOurs` accepts, without this process and its ancestors. */
export function runProcesses(isOurs: (mark: string) => boolean): FoundProcess[] {
  const all = allProcesses()
  const kept = ancestors(all)
  const found = new Set(all.filter(({ pid, mark }) => !kept.has(pid) && mark !== '' && isOurs(mark)))
  for (let size = -1; size !== found.size; ) {
    size = found.size
    const pids = new Set([...found].map(({ pid }) => pid))
    const groups = new Set([...found].flatMap(({ dataRoot }) => (dataRoot === undefined ? [] : cgroupName(dataRoot))))
    for (const one of all) {
      if (kept.has(one.pid)) continue
      const isInGroup = one.cgroups.some((path) => groups.has(path.split('/')[1] ?? ''))
      if (pids.has(one.parent) || pids.has(one.session) || isInGroup) found.add(one)
    }
  }
  return [...found]
}

/** Ends what `find` returns until it returns nothing, and removes what these processes had on the host: cgroups of
 *  Berth, and what their daemons made. Returns the processes that could not be ended. */
export async function endProcesses(find: () => readonly FoundProcess[], limitSeconds = 20): Promise<FoundProcess[]> {
  const ended = new Map<number, FoundProcess>()
  const deadline = Date.now() + limitSeconds * 1000
  let left = find()
  while (left.length > 0 && Date.now() < deadline) {
    for (const one of left) ended.set(one.pid, one)
    // A process that the freezer of v1 holds cannot be killed. If it can run before the signal, it may fork; the next
    // round finds the child.
    for (const path of new Set(left.flatMap(({ cgroups }) => cgroups))) thaw(path)
    for (const { pid } of left) killNow(pid)
    await sleep(100)
    left = find()
  }
  removeTraces([...ended.values()])
  return [...left]
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // ended meanwhile
  }
}

function removeTraces(ended: readonly FoundProcess[]): void {
  const dataRoots = new Set(ended.flatMap(({ dataRoot }) => dataRoot ?? []))
  for (const dataRoot of dataRoots) {
    removeHostTraces(dataRoot)
    const root = /^\/tmp\/b-[^/]+/.exec(dataRoot)?.[0]
    if (root === undefined) continue
    removeTree(root)
  }
  const groups = new Set(ended.flatMap(({ cgroups }) => cgroups.map((path) => path.split('/')[1] ?? '')))
  for (const group of groups) {
    if (!group.startsWith('berth')) continue
    for (const path of globSync([`/sys/fs/cgroup/${group}`, `/sys/fs/cgroup/*/${group}`])) removeCgroup(path)
  }
}

/** Unmounts what is below a directory and removes it. Does nothing more if a mount stays, because the removal would go
 *  through it into files of the host. */
export function removeTree(root: string): void {
  unmountBelow(root)
  if (mountsBelow(root).length > 0) console.log(`not removed, because it has mounts: ${root}`)
  else rmSync(root, { recursive: true, force: true })
}

/** Thaws a cgroup and those above it: a group is frozen as long as one of them is. */
function thaw(path: string): void {
  for (let current = path; current.length > 1; current = current.slice(0, current.lastIndexOf('/'))) {
    for (const root of ['/sys/fs/cgroup/freezer', '/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
      for (const [name, text] of [
        ['freezer.state', 'THAWED'],
        ['cgroup.freeze', '0'],
      ] as const) {
        const file = `${root}${current}/${name}`
        if (!existsSync(file)) continue
        try {
          writeFileSync(file, text, { flag: 'r+' })
        } catch {
          // removed meanwhile
        }
      }
    }
  }
}

/** Every process of the machine except zombies. */
export function allProcesses(): FoundProcess[] {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (describeProcess(name, uptime) ?? []) : []))
}

function describeProcess(pid: string, uptime: number): FoundProcess | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  const [state, parent, , session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return undefined
  const words = readIfThere(`/proc/${pid}/cmdline`).split('\0')
  const root = words.indexOf('--data-root')
  return {
    pid: Number(pid),
    parent: Number(parent),
    session: Number(session),
    // Field 22 of stat in ticks, of which Linux shows 100 in a second.
    seconds: Math.max(0, Math.round(uptime - Number(rest[15]) / 100)),
    command: words.join(' ').trim(),
    mark: markOf(pid),
    cgroups: readIfThere(`/proc/${pid}/cgroup`)
      .split('\n')
      .map((line) => line.split(':').slice(2).join(':'))
      .filter((path) => path.length > 1),
    dataRoot: root === -1 ? undefined : words[root + 1],
  }
}

function ancestors(all: readonly FoundProcess[]): Set<number> {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]))
  const found = new Set<number>()
  for (let pid: number | undefined = process.pid; pid !== undefined && pid > 0; pid = parents.get(pid)) found.add(pid)
  return found
}
