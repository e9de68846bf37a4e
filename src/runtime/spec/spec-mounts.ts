/** The mounts of a container: the kernel's file systems as Docker mounts them, then tmpfs and bind mounts. Parents come
 *  before children, so that no mount hides another. Pure. */
import type { OciMount } from '../../oci/index.ts'
import type { BindMount, FilesInput, SpecInput, TmpfsMount } from './spec-input.ts'

/** Path of the init program inside a container with `--init`. */
export const initDestination = '/sbin/docker-init'

const defaultShmSizeBytes = 64 * 1024 * 1024

/** All mounts, in the order in which they are made. A tmpfs or bind mount replaces a default mount at the same path. */
export function specMounts(input: SpecInput): readonly OciMount[] {
  const { files, process } = input
  const wanted = [...files.tmpfs.map(tmpfsMount), ...files.binds.map(bindMount)]
  const taken = new Set(wanted.map(({ destination }) => destination))
  const defaults = defaultMounts(input).filter(({ destination }) => !taken.has(destination))
  const init = process.init === undefined ? [] : [initMount(process.init)]
  return [...defaults, ...wanted.sort((a, b) => depth(a) - depth(b)), ...init]
}

function defaultMounts({ files, namespaces, security }: SpecInput): OciMount[] {
  const access = security.privileged ? 'rw' : 'ro'
  const { ipc, noShm, shmSource } = namespaces
  const hostIpc = ipc === 'host'
  // A joined IPC namespace has its shared memory files in another mount.
  const shm = hostIpc ? '/dev/shm' : shmSource
  return [
    mount('/proc', 'proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/sys', 'sysfs', 'sysfs', ['nosuid', 'noexec', 'nodev', access]),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', ['nosuid', 'noexec', 'nodev', access]),
    // An mqueue mount shows the queues of the container's own IPC namespace; the host's mount is never needed.
    mount('/dev/mqueue', 'mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
    ...(noShm === true
      ? []
      : [shm === undefined ? shmMount(files) : mount('/dev/shm', 'bind', shm, [...shmFlags, 'rbind'])]),
  ]
}

const shmFlags = ['nosuid', 'noexec', 'nodev']

function shmMount({ shmSizeBytes = defaultShmSizeBytes }: FilesInput): OciMount {
  return mount('/dev/shm', 'tmpfs', 'shm', [...shmFlags, 'mode=1777', `size=${shmSizeBytes}`])
}

function tmpfsMount({ destination, options }: TmpfsMount): OciMount {
  const defaults = ['noexec', 'nosuid', 'nodev'].filter((name) => !options.includes(name.slice(2)))
  return mount(destination, 'tmpfs', 'tmpfs', [...defaults, ...options.filter((option) => option !== '')])
}

function bindMount(bind: BindMount): OciMount {
  const { source, destination, readonly, nonRecursive = false, propagation = 'rprivate' } = bind
  const deep = readonly && bind.recursiveReadonly === true ? ['rro'] : []
  const access = readonly ? 'ro' : 'rw'
  // crun makes the bind itself recursive for every option that starts with the r of recursive.
  if (nonRecursive) return mount(destination, 'bind', source, ['bind', access, propagation.replace(/^r/, '')])
  return mount(destination, 'bind', source, ['rbind', access, ...deep, propagation])
}

function initMount(source: string): OciMount {
  return mount(initDestination, 'bind', source, ['bind', 'ro'])
}

function mount(destination: string, type: string, source: string, options: readonly string[]): OciMount {
  return { destination, type, source, options }
}

function depth({ destination }: OciMount): number {
  return destination.split('/').filter((part) => part !== '').length
}
