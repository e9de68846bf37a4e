/** Compares what a daemon has in the kernel, on its disk and in its database with what its containers account for. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { until } from '../wait.ts'
import { cgroupName, mountsBelow, networkTag, type TestDaemon } from './daemon.ts'

interface Inspected {
  readonly Id: string
  readonly HostConfig: { readonly NetworkMode: string }
  readonly State: { readonly Status: string; readonly Pid: number }
  readonly NetworkSettings: {
    readonly SandboxKey: string
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

/** Waits until nothing is unexplained, because the daemon finishes some work after its answers. */
export async function assertExplained(daemon: TestDaemon): Promise<void> {
  let problems: string[] = []
  const clean = async () => {
    problems = await unexplained(daemon)
    return problems.length === 0
  }
  await until(clean, {
    intervalMs: 50,
    what: () => `nothing to be left over:\n${problems.join('\n')}\n${daemon.log.slice(-6000)}`,
  })
}

/** Everything below the daemon's roots and under its tag that belongs to no container, and everything that a running
 *  container lacks; empty if all is consistent. */
export async function unexplained(daemon: TestDaemon): Promise<string[]> {
  const { body } = await daemon.api<{ Id: string }[]>('GET', '/containers/json?all=1')
  const all = await Promise.all(
    body.map(async ({ Id }) => (await daemon.api<Inspected>('GET', `/containers/${Id}/json`)).body),
  )
  const running = all.filter(({ State }) => State.Status === 'running' || State.Status === 'paused')
  const allIds = new Set(all.map(({ Id }) => Id))
  const runningIds = new Set(running.map(({ Id }) => Id))
  const tag = networkTag(daemon.dataRoot)
  return [
    ...unexplainedMounts(daemon, running),
    ...unexplainedProcesses(daemon, runningIds),
    ...lacking(running),
    ...different('container directory', list(join(daemon.dataRoot, 'containers')), allIds),
    ...different('bundle', list(join(daemon.execRoot, 'c')), runningIds).map((problem) => {
      const id = problem.split(' ').at(-1) ?? ''
      return `${problem} (${list(join(daemon.execRoot, 'c', id)).join(' ')})`
    }),
    ...different('runtime state', list(join(daemon.execRoot, 'crun')), runningIds),
    ...surplus('exit file', list(join(daemon.execRoot, 'exits')), new Set()),
    ...different('cgroup', cgroupsOf(daemon.dataRoot), runningIds).map((problem) => withHierarchies(daemon, problem)),
    ...surplus('ingest', list(join(daemon.dataRoot, 'content/ingests')), new Set()),
    ...unexplainedNetwork(daemon, tag, running),
    ...unexplainedSnapshots(daemon),
    ...unexplainedRows(daemon, allIds, runningIds),
  ]
}

/** Processes with this text in their arguments, without the daemon itself and its clients. */
export function processesNaming(text: string): number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandOf(pid).includes(text) && !commandOf(pid).includes('daemon/main'))
    .map(Number)
}

/** Processes in the cgroups of the daemon's containers. */
export function processesInContainers(daemon: TestDaemon): number[] {
  const name = cgroupName(daemon.dataRoot)
  const files = globSync([`/sys/fs/cgroup/${name}/*/cgroup.procs`, `/sys/fs/cgroup/*/${name}/*/cgroup.procs`])
  const pids = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  return [...new Set(pids.filter((pid) => pid !== '').map(Number))]
}

/** A container's processes and the state of its control groups, for the message of a timeout. */
export function describeGroups(daemon: TestDaemon, id: string): string {
  const name = cgroupName(daemon.dataRoot)
  const freezers = globSync([
    `/sys/fs/cgroup/${name}/${id}/cgroup.freeze`,
    `/sys/fs/cgroup/*/${name}/${id}/freezer.state`,
  ])
  const states = freezers.map((path) => `${basename(path)} ${readFileSync(path, 'utf8').trim()}`)
  const about = processesNaming(id).map((pid) => `${pid} ${commandOf(String(pid))}`)
  return `${withHierarchies(daemon, id)}; ${states.join(', ')}; ${about.join('; ')}`
}

function unexplainedMounts(daemon: TestDaemon, running: readonly Inspected[]): string[] {
  return mountsBelow(daemon.root)
    .filter(
      (path) => !running.some(({ Id, NetworkSettings }) => path.includes(Id) || path === NetworkSettings.SandboxKey),
    )
    .map((path) => `mount ${path}`)
}

function unexplainedProcesses(daemon: TestDaemon, running: ReadonlySet<string>): string[] {
  const monitors = new Map<string, number>()
  const problems = list('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === daemon.pid) return []
    const command = commandOf(pid)
    if (!command.includes(`${daemon.root}/`) || command.includes('docker')) return []
    const id = [...running].find((one) => command.includes(one))
    if (id === undefined) return [`process ${pid} ${command}`]
    if (command.includes('conmon')) monitors.set(id, (monitors.get(id) ?? 0) + 1)
    return []
  })
  const odd = [...running].filter((id) => monitors.get(id) !== 1)
  return [...problems, ...odd.map((id) => `${monitors.get(id) ?? 0} monitors of ${id}`)]
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // ended meanwhile
  }
}

function lacking(running: readonly Inspected[]): string[] {
  return running
    .filter(({ State }) => !existsSync(`/proc/${State.Pid}`))
    .map(({ Id, State }) => `container ${Id} has no process ${State.Pid}`)
}

/** Containers' groups, in every hierarchy. */
function cgroupsOf(dataRoot: string): string[] {
  const name = cgroupName(dataRoot)
  const paths = globSync([`/sys/fs/cgroup/${name}/*/`, `/sys/fs/cgroup/*/${name}/*/`])
  return [...new Set(paths.map((path) => basename(path)))]
}

/** A group's path and its processes. */
function withHierarchies(daemon: TestDaemon, problem: string): string {
  const name = cgroupName(daemon.dataRoot)
  const id = problem.split(' ').at(-1) ?? ''
  const places = globSync([`/sys/fs/cgroup/${name}/${id}`, `/sys/fs/cgroup/*/${name}/${id}`]).map((path) => {
    const pids = processesOf(path)
    return `${path.split('/')[4]} (${pids.map((pid) => `${pid} ${commandOf(pid)}`).join(', ')})`
  })
  return `${problem} in ${places.join(' ')}`
}

function processesOf(group: string): string[] {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter((pid) => pid !== '') // biome-ignore format: one line
  } catch {
    return [] // removed meanwhile
  }
}

function unexplainedNetwork(daemon: TestDaemon, tag: string, running: readonly Inspected[]): string[] {
  const own = running.filter(({ NetworkSettings }) => NetworkSettings.SandboxKey.startsWith(daemon.root))
  const namespaces = new Set(own.map(({ NetworkSettings }) => basename(NetworkSettings.SandboxKey)))
  const links = list('/sys/class/net').filter((name) => name.startsWith(`bv${tag}`))
  const attached = running.filter(({ NetworkSettings }) => addressesOf(NetworkSettings).length > 0)
  return [
    ...different('network namespace', list(join(daemon.execRoot, 'netns')), namespaces),
    ...(links.length === attached.length ? [] : [`${links.length} veths for ${attached.length} containers: ${links}`]),
    ...unexplainedForwardings(daemon, tag, running),
  ]
}

function unexplainedForwardings(daemon: TestDaemon, tag: string, running: readonly Inspected[]): string[] {
  const maps = ['published_any', 'published_at'].map((name) => {
    const { stdout } = spawnSync('nft', ['list', 'map', 'ip', `berth-${tag}`, name], { encoding: 'utf8' })
    return stdout ?? ''
  })
  const forwarded = maps.join('').match(/(?<=: )\d+\.\d+\.\d+\.\d+(?= \.)/g) ?? []
  const known = new Set(running.flatMap(({ NetworkSettings }) => addressesOf(NetworkSettings)))
  const leased = rows(daemon, 'SELECT host_port FROM ports').length
  return [
    ...surplus('nft element for', forwarded, known),
    ...(forwarded.length === leased ? [] : [`${forwarded.length} nft elements for ${leased} leases of ports`]),
  ]
}

function addressesOf(settings: Inspected['NetworkSettings']): string[] {
  return Object.values(settings.Networks).flatMap(({ IPAddress }) => (IPAddress === '' ? [] : [IPAddress]))
}

function unexplainedSnapshots(daemon: TestDaemon): string[] {
  const root = join(daemon.dataRoot, 'snapshots')
  const directories = list(root).filter((name) => /^\d+$/.test(name))
  const numbers = new Set(rows(daemon, 'SELECT number FROM snapshots').map(({ number }) => String(number)))
  return [
    ...different('snapshot directory', directories, numbers),
    ...surplus('discarded snapshot', list(join(root, 'trash')), new Set()),
  ]
}

function unexplainedRows(daemon: TestDaemon, all: ReadonlySet<string>, running: ReadonlySet<string>): string[] {
  const column = (sql: string) => rows(daemon, sql).map(({ value }) => String(value))
  const keys = column("SELECT key AS value FROM snapshots WHERE kind <> 'committed'")
  return [
    ...different('snapshot', keys, new Set([...all].map((id) => `container-${id}`))),
    ...surplus('address of', column('SELECT owner AS value FROM addresses'), running),
    ...surplus('port of', column('SELECT container_id AS value FROM ports'), running),
    ...surplus('endpoint of', column('SELECT container_id AS value FROM endpoints'), running),
    ...surplus('volume reference of', column('SELECT container_id AS value FROM volume_references'), all),
    ...surplus('lease', column(strayLeases), new Set()),
  ]
}

function rows(daemon: TestDaemon, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(daemon.dataRoot, 'berth.db'), { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

function surplus(what: string, found: readonly string[], expected: ReadonlySet<string>): string[] {
  return [...new Set(found)].filter((one) => !expected.has(one)).map((one) => `${what} ${one}`)
}

function different(what: string, found: readonly string[], expected: ReadonlySet<string>): string[] {
  const lost = [...expected].filter((one) => !found.includes(one))
  return [...surplus(what, found, expected), ...lost.map((one) => `no ${what} ${one}`)]
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** The build cache holds a lease on what its rows need; all other leases belong to work that ended. */
const strayLeases = `SELECT l.id AS value FROM leases l
  WHERE NOT EXISTS (SELECT 1 FROM lease_resources r WHERE r.lease_id = l.id)
     OR EXISTS (SELECT 1 FROM lease_resources r WHERE r.lease_id = l.id AND NOT EXISTS (
          SELECT 1 FROM build_cache c
          WHERE json_extract(c.record, '$.chainId') = r.key OR json_extract(c.record, '$.blob.digest') = r.key))`
