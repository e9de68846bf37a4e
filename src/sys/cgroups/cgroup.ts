/** Detects the host's control group hierarchies and prepares them for the OCI runtime.
 *  There are three layouts: only v2 (`/sys/fs/cgroup` is cgroup2), only v1, and 'hybrid' (v1 hierarchies and a cgroup2
 *  at `unified`). OCI runtimes treat hybrid as v1. A group has the same path in each hierarchy (`/berth/<id>`). This
 *  module never moves a process. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, type LogFields, type Logger, messageOf } from '../../base/index.ts'
import { mount } from '../mounts/mount.ts'
import { listMounts, type MountInfo } from '../mounts/mount-table.ts'

/** Where hierarchies are mounted by convention. */
export const cgroupRoot = '/sys/fs/cgroup'

/** One mounted hierarchy. */
export interface CgroupHierarchy {
  readonly path: string
  readonly version: 1 | 2
  /** v1: the controllers bound to it, or `name=…`. v2: the controllers available in it. */
  readonly controllers: readonly string[]
}

/** The host's control groups. */
export interface Cgroups {
  /** The version that limits containers; 1 in the hybrid layout. */
  readonly version: 1 | 2
  readonly layout: 'v1' | 'v2' | 'hybrid' | 'none'
  /** Controllers that can limit containers. */
  readonly controllers: readonly string[]
  readonly hierarchies: readonly CgroupHierarchy[]
}

/** The limits that can be set on this host, as `/info` reports them. */
export interface CgroupFeatures {
  readonly memory: boolean
  readonly swap: boolean
  readonly cpuCfsQuota: boolean
  readonly cpuShares: boolean
  readonly cpuset: boolean
  readonly pids: boolean
  readonly blkioWeight: boolean
  readonly blkioWeightDevice: boolean
  /** Rates of single block devices. */
  readonly blkioThrottle: boolean
  readonly cpuRealtime: boolean
  readonly memorySwappiness: boolean
  readonly memoryReservation: boolean
  readonly kernelMemoryTcp: boolean
  readonly oomKillDisable: boolean
}

let known: Cgroups | undefined

/** The host's control groups, read from the mount table at the first call and after `prepareCgroups`. */
export function detectCgroups(): Cgroups {
  known ??= classify(listMounts(cgroupRoot))
  return known
}

/** Prepares the hierarchies for the OCI runtime; called once at boot. Failures are logged, not thrown, because the
 *  runtime may work anyway.
 *  Hybrid: crun refuses to run while the v2 tree has a controller, so those controllers are mounted on v1. So is a
 *  controller that is bound to v1 but mounted nowhere: crun reads its name in `/proc/self/cgroup` and would create
 *  plain directories in the place of its mount point.
 *  v2: controllers are enabled for children of the root, as systemd does. Without any hierarchy, v2 is mounted. */
export function prepareCgroups(logger: Logger): Cgroups {
  known = undefined
  let found = detectCgroups()
  if (found.layout === 'none') {
    attempt(logger, 'cannot mount the cgroup2 file system', {}, () => {
      mount({ type: 'cgroup2', source: 'cgroup2', options: ['nosuid', 'nodev', 'noexec'] }, cgroupRoot)
    })
    known = undefined
    found = detectCgroups()
  }
  if (found.layout === 'hybrid') mountLeftControllers(found, logger)
  else if (found.layout === 'v2') enableControllers(found, logger)
  known = undefined
  return detectCgroups()
}

/** The limits that can be set on this host; read anew at each call. */
export function cgroupFeatures(): CgroupFeatures {
  const { version, controllers } = detectCgroups()
  const has = (controller: string) => controllers.includes(controller)
  const v1File = (controller: string, file: string) => existsSync(join(cgroupRoot, controller, file))
  if (version === 2) {
    return {
      memory: has('memory'),
      // In v2, the root group has no file that tells. Kernels without swap accounting are rare.
      swap: has('memory'),
      cpuCfsQuota: has('cpu'),
      cpuShares: has('cpu'),
      cpuset: has('cpuset'),
      pids: has('pids'),
      blkioWeight: has('io'),
      blkioWeightDevice: has('io'),
      blkioThrottle: has('io'),
      cpuRealtime: false,
      memorySwappiness: false,
      memoryReservation: has('memory'),
      kernelMemoryTcp: false,
      oomKillDisable: false,
    }
  }
  return {
    memory: has('memory'),
    swap: v1File('memory', 'memory.memsw.limit_in_bytes'),
    cpuCfsQuota: v1File('cpu', 'cpu.cfs_quota_us') || v1File('cpu,cpuacct', 'cpu.cfs_quota_us'),
    cpuShares: has('cpu'),
    cpuset: has('cpuset'),
    pids: has('pids'),
    blkioWeight: v1File('blkio', 'blkio.weight') || v1File('blkio', 'blkio.bfq.weight'),
    blkioWeightDevice: v1File('blkio', 'blkio.weight_device') || v1File('blkio', 'blkio.bfq.weight_device'),
    blkioThrottle: v1File('blkio', 'blkio.throttle.read_bps_device'),
    cpuRealtime: v1File('cpu', 'cpu.rt_runtime_us') || v1File('cpu,cpuacct', 'cpu.rt_runtime_us'),
    memorySwappiness: v1File('memory', 'memory.swappiness'),
    memoryReservation: v1File('memory', 'memory.soft_limit_in_bytes'),
    kernelMemoryTcp: v1File('memory', 'memory.kmem.tcp.limit_in_bytes'),
    oomKillDisable: v1File('memory', 'memory.oom_control'),
  }
}

/** Finds the layout that the mounts below `/sys/fs/cgroup` make up. */
export function classify(mounts: readonly MountInfo[]): Cgroups {
  const hierarchies: CgroupHierarchy[] = []
  for (const { mountPoint, type, superOptions } of mounts) {
    if (type === 'cgroup2') {
      hierarchies.push({ path: mountPoint, version: 2, controllers: readWords(join(mountPoint, 'cgroup.controllers')) })
    } else if (type === 'cgroup') {
      hierarchies.push({ path: mountPoint, version: 1, controllers: superOptions.filter(isControllerOption) })
    }
  }
  const v1 = hierarchies.filter(({ version }) => version === 1)
  const v2 = hierarchies.filter(({ version }) => version === 2)
  const used = v2.some(({ path }) => path === cgroupRoot) ? v2 : v1
  const controllers = used.flatMap((hierarchy) => hierarchy.controllers).filter((name) => !name.startsWith('name='))
  return { version: used === v2 ? 2 : 1, layout: layoutOf(used === v2, v1.length, v2.length), controllers, hierarchies }
}

function layoutOf(pureV2: boolean, v1Count: number, v2Count: number): Cgroups['layout'] {
  if (pureV2) return 'v2'
  if (v1Count === 0) return 'none'
  return v2Count === 0 ? 'v1' : 'hybrid'
}

/** The options of a v1 mount are its controllers and a few other words. */
function isControllerOption(option: string): boolean {
  const others = ['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'cpuset_v2_mode', 'favordynmods']
  return !others.includes(option) && !option.startsWith('release_agent=')
}

function mountLeftControllers(found: Cgroups, logger: Logger): void {
  const inV2 = found.hierarchies.filter(({ version }) => version === 2).flatMap(({ controllers }) => controllers)
  // v2's name for blkio is io.
  const left = inV2.map((controller) => (controller === 'io' ? 'blkio' : controller))
  for (const name of [...left, ...unmountedControllers(found)]) {
    const path = join(cgroupRoot, name)
    attempt(logger, 'cannot mount a cgroup controller', { controller: name }, () => {
      mkdirSync(path, { recursive: true })
      mountController(name, path)
      logger.info('mounted a cgroup controller', { controller: name, path })
    })
  }
}

function mountController(name: string, path: string): void {
  try {
    mount({ type: 'cgroup', source: 'cgroup', options: ['nosuid', 'nodev', 'noexec', name] }, path)
  } catch (error) {
    // Another daemon that boots at the same time has mounted it there.
    if (errnoOf(error) !== 'EBUSY' || !listMounts(path).some(({ mountPoint }) => mountPoint === path)) throw error
  }
}

/** Controllers of v1 hierarchies that have no mount. A hierarchy outlives its mount while groups in it are removed. */
function unmountedControllers(found: Cgroups): string[] {
  const mounted = new Set(found.hierarchies.flatMap(({ controllers }) => controllers))
  return readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .map((line) => /^[1-9]\d*:([^:=]+):/.exec(line)?.[1] ?? '')
    .filter((names) => names !== '' && names.split(',').every((name) => !mounted.has(name)))
}

function enableControllers(found: Cgroups, logger: Logger): void {
  const file = join(cgroupRoot, 'cgroup.subtree_control')
  const enabled = readWords(file)
  for (const controller of found.controllers) {
    if (enabled.includes(controller)) continue
    attempt(logger, 'cannot enable a cgroup controller', { controller }, () => writeFileSync(file, `+${controller}`))
  }
}

function attempt(logger: Logger, message: string, fields: LogFields, action: () => void): void {
  try {
    action()
  } catch (error) {
    logger.warn(message, { ...fields, error: messageOf(error), code: errnoOf(error) })
  }
}

function readWords(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split(/\s+/)
      .filter((word) => word !== '')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
