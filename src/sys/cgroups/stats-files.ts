/** Statistics files of one control group and network namespace. They are read often, so each file stays open.
 *  https://docs.kernel.org/admin-guide/cgroup-v1/ and https://docs.kernel.org/admin-guide/cgroup-v2.html */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { detectCgroups } from './cgroup.ts'

/** The text of a statistics file by its name; undefined when the kernel has no such file. */
export type StatsText = (file: string) => string | undefined

/** Files of each v1 controller. */
const v1Files: Readonly<Record<string, readonly string[]>> = {
  cpuacct: ['cpuacct.usage', 'cpuacct.usage_percpu', 'cpuacct.stat'],
  cpu: ['cpu.stat'],
  memory: [
    'memory.usage_in_bytes',
    'memory.max_usage_in_bytes',
    'memory.failcnt',
    'memory.limit_in_bytes',
    'memory.stat',
  ],
  pids: ['pids.current', 'pids.max'],
  blkio: ['blkio.throttle.io_service_bytes_recursive', 'blkio.throttle.io_serviced_recursive'],
}

const v2Files = [
  'cpu.stat',
  'memory.current',
  'memory.max',
  'memory.stat',
  'memory.events',
  'pids.current',
  'pids.max',
  'io.stat',
]

const shared = Buffer.allocUnsafe(64 * 1024)

/** The open files of one container's run. */
export class StatsFiles {
  /** Version of the control groups, on which the files' names and formats depend. */
  readonly version: 1 | 2
  readonly #fds = new Map<string, number>()

  private constructor(version: 1 | 2) {
    this.version = version
  }

  /** Opens the existing files of the group `cgroup` (`/berth/<id>`), and `net/dev` in the network namespace of the
   *  process `netPid`. */
  static open(cgroup: string, netPid: number | undefined): StatsFiles {
    const { version, hierarchies } = detectCgroups()
    const files = new StatsFiles(version)
    for (const hierarchy of hierarchies) {
      if (hierarchy.version !== version) continue
      const names = version === 2 ? v2Files : hierarchy.controllers.flatMap((name) => v1Files[name] ?? [])
      for (const name of names) files.#open(name, join(hierarchy.path, cgroup, name))
    }
    if (netPid !== undefined) files.#open('net/dev', `/proc/${netPid}/net/dev`)
    return files
  }

  /** The present text of a file; undefined when there is no such file, or the group is gone. */
  read(name: string): string | undefined {
    const fd = this.#fds.get(name)
    return fd === undefined ? undefined : readAll(fd)
  }

  /** Closes all files. Idempotent. */
  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd)
    this.#fds.clear()
  }

  #open(name: string, path: string): void {
    try {
      this.#fds.set(name, openSync(path, 'r'))
    } catch (error) {
      if (!['ENOENT', 'ESRCH', 'EINVAL', 'ENODEV'].includes(errnoOf(error) ?? '')) throw error
    }
  }
}

let procStat: number | undefined

/** The time that all processors of the host together have spent since boot, idle time included, in nanoseconds; and the
 *  number of processors. */
export function hostCpuTime(): { readonly ns: number; readonly processors: number } {
  procStat ??= openSync('/proc/stat', 'r')
  const text = readAll(procStat) ?? ''
  // user, nice, system, idle, iowait, irq and softirq, in hundredths of a second.
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').slice(0, 7) ?? []
  return {
    ns: fields.reduce((sum, field) => sum + Number(field), 0) * 10_000_000,
    processors: text.match(/^cpu\d+ /gm)?.length ?? 1,
  }
}

function readAll(fd: number): string | undefined {
  let length = 0
  try {
    for (;;) {
      const count = readSync(fd, shared, length, shared.length - length, length)
      length += count
      // The kernel returns such files completely, or one page per read.
      if (count === 0 || length === shared.length) return shared.toString('latin1', 0, length)
    }
  } catch (error) {
    if (['ENODEV', 'ENOENT', 'ESRCH', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
