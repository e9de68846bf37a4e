/** What aborted test runs left: `earlier-runs.ts [--report]`, before a run. Prints and removes what is Berth's and dead.
 *  Invariant: nothing that a living daemon or a living test uses is touched. With --report, or if other tests run, it
 *  removes nothing. Dead are
 *    - the processes of runs that are over, with their daemons' data roots;
 *    - data roots of tests below /tmp that no living process names, with their mounts, cgroups, devices and tables;
 *    - if no daemon lives: what appeared since the start of an aborted run, which recorded the state before. */
import { globSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupName, mountsBelow, networkTag, removeHostTraces } from '../helpers/daemons/daemon.ts'
import { isActive, type MachineState, machineState, newLeaks, otherRuns, readIfThere, removeLeaks } from './leaks.ts'
import { allProcesses, endProcesses, type FoundProcess, removeTree, runProcesses } from './run-processes.ts'

/** The programs that go on without their daemon. They do not make a data root a living one. */
const survivor = /^\S*(?:conmon|crun)(?: |$)/

function say(kind: string, name: string): void {
  console.log(`left by an earlier run: ${kind}: ${name.slice(0, 200)}`)
}

/** The directories of test daemons and disks below /tmp. */
function testRoots(): string[] {
  return globSync(['/tmp/b-*/daemon.json', '/tmp/b-*/disk']).map((file) => file.slice(0, file.lastIndexOf('/')))
}

/** The processes that name a path below `root`, or that are in the cgroup of its daemon. */
function usersOf(root: string, processes: readonly FoundProcess[]): FoundProcess[] {
  const groups = dataRootsOf(root).map(cgroupName)
  return processes.filter(
    ({ pid, command, cgroups }) =>
      cgroups.some((path) => groups.includes(path.split('/')[1] ?? '')) ||
      `${command} `.includes(`${root}/`) ||
      hasOpen(pid, root),
  )
}

function dataRootsOf(root: string): string[] {
  return [join(root, 'd'), join(root, 'm/d')]
}

function hasOpen(pid: number, root: string): boolean {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`)
    return [...fds, `/proc/${pid}/cwd`].some((link) => `${linkTarget(link)}/`.startsWith(`${root}/`))
  } catch {
    return false // ended meanwhile
  }
}

function linkTarget(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return '' // closed meanwhile
  }
}

/** A root is dead if only containers and their monitors use it. */
function isDead(root: string, processes: readonly FoundProcess[]): boolean {
  const groups = dataRootsOf(root).map(cgroupName)
  return usersOf(root, processes).every(
    ({ command, cgroups }) =>
      survivor.test(command) || cgroups.some((path) => groups.includes(path.split('/')[1] ?? '')),
  )
}

/** The work directories of runs that are over. */
function deadWork(): string[] {
  return globSync('/tmp/berth-test-*/run')
    .filter((file) => statSync(file).uid === process.getuid?.() && !isActive(readFileSync(file, 'utf8').trim()))
    .map((file) => file.slice(0, file.lastIndexOf('/')))
}

/** What appeared since the start of the run with this work directory, without processes and other programs' mounts. */
function leftSince(work: string): MachineState | undefined {
  const before = readIfThere(join(work, 'machine.json'))
  if (before === '') return undefined
  const leaks = newLeaks(JSON.parse(before), machineState())
  return { ...leaks, processes: [], mounts: leaks.mounts.filter((path) => /^\/tmp\/b-[^/]+\//.test(path)) }
}

async function removeRoot(root: string): Promise<void> {
  say('data root', `${root} (tag ${networkTag(join(root, 'd'))}, ${mountsBelow(root).length} mounts)`)
  await endProcesses(() => usersOf(root, allProcesses()))
  for (const dataRoot of dataRootsOf(root)) removeHostTraces(dataRoot)
  removeTree(root)
}

/** Removes a work directory, and what appeared since its run began unless a living daemon may own it. */
function removeWork(work: string, isServed: boolean): void {
  const left = leftSince(work)
  for (const kind of ['mounts', 'links', 'tables', 'cgroups'] as const) {
    for (const name of left?.[kind] ?? []) say(kind, isServed ? `${name} (kept: a daemon runs)` : name)
  }
  if (left !== undefined && !isServed) removeLeaks(left)
  rmSync(work, { recursive: true, force: true })
}

async function main(flag: string | undefined): Promise<void> {
  const ofDeadRuns = () => runProcesses((mark) => !isActive(mark))
  const isTested = allProcesses().some(({ pid }) => readIfThere(`/proc/${pid}/environ`).includes('NODE_TEST_CONTEXT='))
  const processes = ofDeadRuns()
  for (const { pid, command } of processes) say('process', `${pid} ${command}`)
  // Directories that nothing uses at the moment may belong to a living test.
  if (flag === '--report' || otherRuns().length > 0 || isTested) {
    if (processes.length > 0) console.log('nothing was removed, as other tests may run')
    return
  }
  await endProcesses(ofDeadRuns)
  for (const root of testRoots()) if (isDead(root, allProcesses())) await removeRoot(root)
  const isServed = allProcesses().some(({ command }) => /berthd|daemon\/main\.ts|conmon/.test(command))
  for (const work of deadWork()) removeWork(work, isServed)
}

await main(process.argv[2])
