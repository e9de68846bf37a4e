/** Compares what a daemon has in the kernel with what its running containers explain. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mountsBelow, networkTag, type TestDaemon } from './daemon.ts'

interface Inspected {
  readonly Id: string
  readonly State: { readonly Running: boolean }
  readonly NetworkSettings: {
    readonly SandboxKey: string
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

/** Everything below the daemon's roots and under its tag that no container accounts for; empty when all
 *  is as it should be. */
export async function unexplained(daemon: TestDaemon): Promise<string[]> {
  const { body } = await daemon.api<{ Id: string }[]>('GET', '/containers/json?all=1')
  const all = await Promise.all(
    body.map(async ({ Id }) => (await daemon.api<Inspected>('GET', `/containers/${Id}/json`)).body),
  )
  const running = all.filter(({ State }) => State.Running)
  const tag = networkTag(daemon.dataRoot)
  return [
    ...unexplainedMounts(daemon, running),
    ...unexplainedProcesses(daemon, running),
    ...unexplainedDirectories(daemon, all, running),
    ...unexplainedLinks(tag, running),
    ...unexplainedAddresses(tag, running),
  ]
}

function unexplainedMounts(daemon: TestDaemon, running: readonly Inspected[]): string[] {
  return mountsBelow(daemon.root)
    .filter(
      (path) => !running.some(({ Id, NetworkSettings }) => path.includes(Id) || path === NetworkSettings.SandboxKey),
    )
    .map((path) => `mount ${path}`)
}

function unexplainedProcesses(daemon: TestDaemon, running: readonly Inspected[]): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== daemon.pid)
    .flatMap((pid) => {
      const command = commandOf(pid)
      const isOurs = command.includes(`${daemon.root}/`) && !command.includes('docker')
      return isOurs && !running.some(({ Id }) => command.includes(Id)) ? [`process ${pid} ${command}`] : []
    })
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // ended meanwhile
  }
}

function unexplainedDirectories(
  daemon: TestDaemon,
  all: readonly Inspected[],
  running: readonly Inspected[],
): string[] {
  const list = (path: string) => {
    try {
      return readdirSync(path)
    } catch {
      return []
    }
  }
  const homes = list(join(daemon.dataRoot, 'containers')).filter((name) => !all.some(({ Id }) => Id === name))
  const bundles = list(join(daemon.execRoot, 'c')).filter((name) => !running.some(({ Id }) => Id === name))
  const ingests = list(join(daemon.dataRoot, 'content/ingests'))
  return [
    ...homes.map((name) => `container directory ${name}`),
    ...bundles.map((name) => `bundle ${name}`),
    ...ingests.map((name) => `ingest ${name}`),
  ]
}

function unexplainedLinks(tag: string, running: readonly Inspected[]): string[] {
  const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(`bv${tag}`))
  const expected = running.filter(({ NetworkSettings }) => addressesOf(NetworkSettings).length > 0).length
  return links.length === expected ? [] : [`${links.length} veths for ${expected} containers: ${links.join(' ')}`]
}

function unexplainedAddresses(tag: string, running: readonly Inspected[]): string[] {
  const maps = ['published_any', 'published_at'].map((name) => {
    const { stdout } = spawnSync('nft', ['list', 'map', 'ip', `berth-${tag}`, name], { encoding: 'utf8' })
    return stdout ?? ''
  })
  const forwarded = [...new Set(maps.join('').match(/(?<=: )\d+\.\d+\.\d+\.\d+(?= \.)/g) ?? [])]
  const known = new Set(running.flatMap(({ NetworkSettings }) => addressesOf(NetworkSettings)))
  return forwarded.filter((address) => !known.has(address)).map((address) => `nft element for ${address}`)
}

function addressesOf(settings: Inspected['NetworkSettings']): string[] {
  return Object.values(settings.Networks).flatMap(({ IPAddress }) => (IPAddress === '' ? [] : [IPAddress]))
}
