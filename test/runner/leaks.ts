/** Leaks of a test run in the kernel: processes, mounts, bridges, nftables tables, cgroups.
 *  As a program: `leaks.ts snapshot FILE` before the tests, `leaks.ts compare FILE [--report]` after them:
 *  prints the new objects of tests, removes them (unless --report) and exits with 1 if there were any. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { nullLogger } from '../../src/base/index.ts'
import { prepareCgroups } from '../../src/sys/index.ts'

/** The state of the machine, as far as tests change it. Each list has stable names. */
export interface MachineState {
  readonly processes: readonly string[]
  readonly mounts: readonly string[]
  readonly links: readonly string[]
  readonly tables: readonly string[]
  readonly cgroups: readonly string[]
  readonly ipForward: string
}

const ipForwardPath = '/proc/sys/net/ipv4/ip_forward'

/** The machine's current state. */
export function machineState(): MachineState {
  return {
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(processKey).filter((key) => key !== ''), // biome-ignore format: one chain
    mounts: mountPoints(),
    links: readdirSync('/sys/class/net').filter((name) => /^(?:berth\d|bv[0-9a-f]{13})/.test(name) || isOurs(name)),
    tables: nftTables(),
    cgroups: globSync(['/sys/fs/cgroup/berth*', '/sys/fs/cgroup/*/berth*']),
    ipForward: readFileSync(ipForwardPath, 'utf8').trim(),
  }
}

/** What is in `after` but not in `before`, and belongs to a test. */
export function newLeaks(before: MachineState, after: MachineState): MachineState {
  const added = (field: 'processes' | 'mounts' | 'links' | 'tables' | 'cgroups') => {
    const known = new Set(before[field])
    return after[field].filter((item) => !known.has(item))
  }
  return {
    processes: added('processes').filter((key) => isTestProcess(Number(key.split(' ')[0]))),
    mounts: added('mounts').filter((path) => path.startsWith('/tmp/')),
    links: added('links'),
    tables: added('tables'),
    cgroups: added('cgroups'),
    ipForward: after.ipForward,
  }
}

/** A device that a daemon made for a network has the tag in its alias. */
function isOurs(link: string): boolean {
  const alias = `/sys/class/net/${link}/ifalias`
  return existsSync(alias) && readFileSync(alias, 'utf8').startsWith('berth:')
}

/** Pid, start time and command line, because a pid may be reused by another process. */
function processKey(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return `${pid} ${startTime} ${command.slice(0, 200)}`
  } catch {
    return '' // ended meanwhile
  }
}

/** A process belongs to a test if it has the run's mark in its environment, or a test's directory (below
 *  /tmp) on its command line, or in its mounts but not in ours (a container's program). */
function isTestProcess(pid: number): boolean {
  const read = (file: string) => readIfThere(`/proc/${pid}/${file}`)
  if (pid === process.pid || read('stat').split(') ')[1]?.startsWith('Z') === true) return false
  const mark = process.env.BERTH_TEST_RUN
  // The runner of the tests and this program carry the mark too, but are our own ancestors.
  if (isAncestor(pid)) return false
  if (mark !== undefined && isOfRun(markOf(pid), mark)) return true
  if (/(?:conmon|crun|berthd|daemon\/main\.ts|docker-registry).*\/tmp\//.test(read('cmdline').replaceAll('\0', ' '))) {
    return true
  }
  return (
    / \/tmp\/\S+ \/etc\/host/.test(read('mountinfo')) &&
    read('mountinfo') !== readFileSync('/proc/self/mountinfo', 'utf8')
  )
}

/** The mark that a process inherited from its test run, or ''. A run that a test starts adds its own part:
 *  `<pid of the outer run>/<pid of the inner run>`. */
export function markOf(pid: number | string): string {
  return /(?:^|\0)BERTH_TEST_RUN=([\d/]+)/.exec(readIfThere(`/proc/${pid}/environ`))?.[1] ?? ''
}

/** Whether a process with the mark `mark` belongs to `run` or to a run inside it. */
export function isOfRun(mark: string, run: string): boolean {
  return mark === run || mark.startsWith(`${run}/`)
}

/** Whether a run of this mark, or one that it is inside, is active. */
export function isActive(mark: string): boolean {
  return mark.split('/').some(isUnderWay)
}

/** The pid of a run is part of its mark; another process may have it after the run's end. */
function isUnderWay(pid: string): boolean {
  return readIfThere(`/proc/${pid}/cmdline`).includes('test/run')
}

/** The other active test runs on this machine, by the pids of their `test/run`. */
export function otherRuns(): string[] {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => markOf(pid).split('/'))
  const own = process.env.BERTH_TEST_RUN?.split('/').at(-1)
  return [...new Set(found)].filter((pid) => pid !== '' && pid !== own && isUnderWay(pid))
}

/** The text of a file, or '' if there is none. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // ended meanwhile
  }
}

function isAncestor(pid: number): boolean {
  for (let current = process.pid; current > 1; ) {
    if (current === pid) return true
    const stat = readFileSync(`/proc/${current}/stat`, 'utf8')
    current = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  }
  return false
}

function mountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
}

/** Unmounts everything below a directory. */
export function unmountBelow(directory: string): void {
  const mounts = mountPoints().filter((path) => path.startsWith(`${directory}/`))
  for (const path of mounts.reverse()) spawnSync('umount', ['-l', path])
}

function nftTables(): string[] {
  const list = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' })
  return (list.stdout ?? '').split('\n').flatMap((line) => /^table (\S+ berth\S*)$/.exec(line)?.[1] ?? [])
}

/** Removes everything in `leaks`. */
export function removeLeaks(leaks: MachineState): void {
  // Processes that the freezer of v1 holds cannot be killed.
  for (const path of leaks.cgroups) thaw(path)
  for (const key of leaks.processes) {
    try {
      process.kill(Number(key.split(' ')[0]), 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  }
  for (const path of [...leaks.mounts].reverse()) spawnSync('umount', ['-l', path])
  for (const link of leaks.links) spawnSync('ip', ['link', 'del', link])
  for (const table of leaks.tables) spawnSync('nft', ['delete', 'table', ...table.split(' ')])
  for (const path of leaks.cgroups) removeCgroup(path)
}

function thaw(cgroup: string): void {
  for (const [file, text] of [
    ['freezer.state', 'THAWED'],
    ['cgroup.freeze', '0'],
  ] as const) {
    for (const path of globSync(`${cgroup}/**/${file}`)) {
      try {
        writeFileSync(path, text, { flag: 'r+' })
      } catch {
        // removed meanwhile
      }
    }
  }
}

/** A cgroup and its descendants. A cgroup with processes stays, and the leak check reports it. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(`${path}/${entry.name}`)
  }
  try {
    rmdirSync(path)
  } catch {
    // has processes
  }
}

/** Reverts host-wide settings that a daemon makes at boot and leaves because other daemons may rely on
 *  them: cgroup v1 controllers that it mounted, and forwarding. They are no leaks, but a test run must not keep
 *  them. */
export function restoreHostSettings(before: MachineState): void {
  const known = new Set(before.mounts)
  for (const path of mountPoints().filter((mount) => mount.startsWith('/sys/fs/cgroup/') && !known.has(mount))) {
    execFileSync('umount', [path])
    rmdirSync(path)
  }
  writeFileSync(ipForwardPath, before.ipForward)
}

function describeLeaks(leaks: MachineState): string[] {
  const { ipForward: _, ...lists } = leaks
  return Object.entries(lists).flatMap(([kind, items]) => items.map((item) => `left behind: ${kind}: ${item}`))
}

/** The program. */
function main([command, file, flag]: readonly string[]): number {
  if (file === undefined) throw new Error('usage: leaks.ts snapshot|compare FILE [--report]')
  if (command === 'snapshot') {
    const mounts = mountPoints()
    // A hierarchy that the first daemon mounts may contain earlier groups: they are no leaks of this run.
    prepareCgroups(nullLogger)
    writeFileSync(file, JSON.stringify({ ...machineState(), mounts }))
    return 0
  }
  const before: MachineState = JSON.parse(readFileSync(file, 'utf8'))
  let leaks = newLeaks(before, machineState())
  // Processes that end within a moment (a conmon whose container has just ended) are not leaks.
  for (let tries = 0; tries < 30 && describeLeaks(leaks).length > 0; tries++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    leaks = newLeaks(before, machineState())
  }
  const lines = describeLeaks(leaks)
  for (const line of lines) console.log(line)
  if (flag === '--report') return lines.length > 0 ? 1 : 0
  const others = otherRuns()
  // New objects may belong to another run: if they were removed, its daemon would fail without a word in its log.
  if (others.length > 0) console.log(`nothing was removed, as other tests run: ${others.join(' ')}`)
  else {
    removeLeaks(leaks)
    restoreHostSettings(before)
  }
  return lines.length > 0 ? 1 : 0
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2))
